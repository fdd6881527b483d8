"""The front as an unmodified pypsrp client meets it, over TLS and Basic."""

from __future__ import annotations

import base64
import http.client
import ssl
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
import requests
from pypsrp.complex_objects import PSInvocationState, RunspacePoolState
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from pypsrp.host import PSHost, PSHostUserInterface
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.serializer import TaggedValue
from pypsrp.shell import SignalCode
from pypsrp.wsman import NAMESPACES, WSMan, WSManAction

from easops.lab.wsman.soap import Fault, fault

if TYPE_CHECKING:
    from tests.lab.wsman.conftest import RunningFront

COMPLETED, FAILED = PSInvocationState.COMPLETED, PSInvocationState.FAILED
BLOCK = ("Set-CASMailbox", {"Identity": "u1", "ActiveSyncEnabled": False, "Confirm": False})


def errors(powershell: PowerShell) -> list[tuple[str, str, str, str]]:
    """Identifier, exception, command and sentence of each error record."""
    return [(str(e.fq_error), str(e.reason), e.activity or "", str(e)) for e in powershell.streams.error]


def identifiers(powershell: PowerShell) -> list[str]:
    return [str(e.fq_error) for e in powershell.streams.error]


def test_an_object_arrives_with_its_types_properties_and_text(front: RunningFront) -> None:
    with front.pool() as pool:
        (found,) = front.ask(pool, ("get-mailbox", {"identity": "u1"})).output

    kind = found.adapted_properties.pop("Kind")
    assert (found.types, found.to_string, found.adapted_properties, found.extended_properties, kind.to_string) == (
        ["Microsoft.Exchange.Data.Directory.Management.Mailbox", "System.Object"],
        "u1",
        {"Name": "u1", "Size": 5},
        {"RunspaceId": None},
        "UserMailbox",
    )


def test_the_world_is_asked_by_canonical_names_with_bound_values(front: RunningFront) -> None:
    with front.pool() as pool:
        front.ask(pool, ("set-casmailbox", {"Identity": "u1", "ActiveSyncEnabled": False, "cf": False}))

    assert front.world.calls == [
        ("EX1", "exchange", "LAB\\admin", "Set-CASMailbox", {"Identity": "u1", "ActiveSyncEnabled": False}, ())
    ]


def test_a_warning_is_not_an_error(front: RunningFront) -> None:
    with front.pool() as pool:
        powershell = front.ask(pool, ("Get-Mailbox", {"Identity": "u1"}))

    assert (powershell.state, [str(w) for w in powershell.streams.warning], errors(powershell)) == (
        COMPLETED,
        ["There are more results."],
        [],
    )


def test_a_terminating_error_fails_the_pipeline_with_its_record(front: RunningFront) -> None:
    with front.pool() as pool:
        powershell = front.ask(pool, ("Get-Mailbox", {"Identity": "nobody"}))

    assert (powershell.state, errors(powershell)) == (
        FAILED,
        [
            (
                "[Server=EX1,RequestId=0] [FailureCategory=Cmdlet-ManagementObjectNotFoundException] "
                "5FAD4A9,Get-Mailbox",
                "ManagementObjectNotFoundException",
                "Get-Mailbox",
                "The operation couldn't be performed because object 'nobody' couldn't be found on 'dc'.",
            )
        ],
    )


def test_a_non_terminating_error_leaves_the_pipeline_completed(front: RunningFront) -> None:
    with front.pool() as pool:
        powershell = front.ask(pool, ("Get-Mailbox", {"Identity": "half"}))

    assert (powershell.state, [str(o) for o in powershell.output], len(powershell.streams.error)) == (
        COMPLETED,
        ["half", "other"],
        1,
    )


def test_error_action_stop_makes_it_terminating(front: RunningFront) -> None:
    with front.pool() as pool:
        powershell = front.ask(pool, ("Get-Mailbox", {"Identity": "half", "ErrorAction": "Stop"}))

    assert (powershell.state, [str(o) for o in powershell.output]) == (FAILED, ["half"])


def test_a_failing_statement_does_not_keep_the_next_from_running(front: RunningFront) -> None:
    with front.pool() as pool:
        powershell = PowerShell(pool)
        powershell.add_cmdlet("Get-Mailbox").add_parameter("Identity", "nobody").add_statement()
        powershell.add_cmdlet("Get-CASMailbox").add_argument("four").add_statement()
        powershell.invoke()

    assert (powershell.state, powershell.output, len(powershell.streams.error)) == (COMPLETED, [4], 1)


def test_a_failing_last_statement_fails_the_pipeline(front: RunningFront) -> None:
    with front.pool() as pool:
        powershell = PowerShell(pool)
        powershell.add_cmdlet("Get-CASMailbox").add_argument("four").add_statement()
        powershell.add_cmdlet("Get-Mailbox").add_parameter("Identity", "nobody")
        powershell.invoke()

    assert (powershell.state, powershell.output, len(powershell.streams.error)) == (FAILED, [4], 1)


def test_the_output_of_a_cmdlet_is_the_input_of_the_next(front: RunningFront) -> None:
    with front.pool() as pool:
        front.ask(pool, ("Get-Mailbox", {"Identity": "u1"}), ("Remove-MobileDevice", {"Confirm": False}))

    *_, (_, _, _, cmdlet, parameters, passed) = front.world.calls
    assert (cmdlet, parameters, [value.text for value in passed]) == ("Remove-MobileDevice", {}, ["u1"])


def test_objects_can_be_sent_as_input(front: RunningFront) -> None:
    with front.pool() as pool:
        powershell = PowerShell(pool)
        powershell.add_cmdlet("Get-CASMailbox")
        powershell.invoke(input=(name for name in ["u1", "u2"]))

    assert front.world.calls[-1][-1] == ("u1", "u2")


def test_select_object_runs_on_a_restricted_endpoint(front: RunningFront) -> None:
    with front.pool() as pool:
        powershell = front.ask(
            pool,
            ("Get-Mailbox", {"Identity": "many"}),
            ("Select-Object", {"Property": ["name", "Nothing"], "Skip": 1, "First": 2}),
        )

    assert [o.extended_properties for o in powershell.output] == [
        {"Name": "user1", "Nothing": None},
        {"Name": "user2", "Nothing": None},
    ]


def test_a_parameter_of_more_than_a_megabyte_arrives_whole(front: RunningFront) -> None:
    with front.pool() as pool:
        assert front.ask(pool, ("Get-CASMailbox", {"Identity": "x" * 1_200_000})).output == [1_200_000]


def test_megabytes_of_output_arrive_whole_and_in_order(front: RunningFront) -> None:
    with front.pool() as pool, front.windows() as windows:
        names = [o.adapted_properties["Name"] for o in front.ask(pool, ("Get-Mailbox", {"Identity": "many"})).output]
        blocks = front.ask(windows, ("Get-Content", {"Path": "C:\\x"})).output

    assert names == [f"user{number}" for number in range(3000)]
    assert [len(block) for block in blocks] == [200_000] * 20


def test_each_endpoint_of_a_server_has_its_own_cmdlets(front: RunningFront) -> None:
    with front.pool() as pool, front.windows() as windows:
        results = [
            front.ask(pool, ("Restart-WebAppPool", {"Name": "x"})),
            front.ask(windows, ("Get-Mailbox", {"Identity": "x"})),
            front.ask(windows, ("Get-CimInstance", {"ClassName": "Win32_Process"})),
        ]

    assert [identifiers(powershell) for powershell in results] == [
        ["CommandNotFoundException"],
        ["CommandNotFoundException"],
        [],
    ]


def test_each_server_has_the_cmdlets_of_its_version(front: RunningFront) -> None:
    with front.pool(at="EX2") as old, front.pool(at="EX1") as new:
        results = [front.ask(pool, ("Remove-MobileDevice", {"Identity": "x", "Confirm": False})) for pool in (old, new)]

    assert [identifiers(powershell) for powershell in results] == [["CommandNotFoundException"], []]


@pytest.mark.parametrize(
    ("command", "identifier", "exception"),
    [
        (("Get-Nope", {}), "CommandNotFoundException", "CommandNotFoundException"),
        (("Get-Mailbox", {"Nope": 1}), "NamedParameterNotFound,Get-Mailbox", "ParameterBindingException"),
        (
            ("Set-CASMailbox", {"Identity": "u1", "ActiveSyncEnabled": "yes"}),
            "ParameterArgumentTransformationError,Set-CASMailbox",
            "ParameterBindingArgumentTransformationException",
        ),
        (("Set-CASMailbox", {}), "MissingMandatoryParameter,Set-CASMailbox", "ParameterBindingException"),
        (("Get-ThrottlingPolicy", {}), "NotInLab,Get-ThrottlingPolicy", "NotImplementedException"),
        (("Get-Mailbox", {"Identity": "broken"}), "LabFailed,Get-Mailbox", "InvalidOperationException"),
    ],
    ids=["no such cmdlet", "no such parameter", "wrong type", "mandatory", "not simulated", "a fault of the lab"],
)
def test_refusals_are_typed_errors(
    front: RunningFront, command: tuple[str, dict[str, Any]], identifier: str, exception: str
) -> None:
    with front.pool() as pool:
        powershell = front.ask(pool, command)

    reported = [(e.fq_error, e.reason) for e in powershell.streams.error]
    assert (powershell.state, reported) == (FAILED, [(identifier, exception)])


def test_the_exchange_endpoint_refuses_script_text(front: RunningFront) -> None:
    with front.pool() as pool:
        powershell = PowerShell(pool)
        powershell.add_script("Get-Mailbox u1")
        powershell.invoke()

    assert (powershell.state, errors(powershell)) == (
        FAILED,
        [
            (
                "ScriptsNotAllowed",
                "ParseException",
                "",
                "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode.",
            )
        ],
    )


def test_the_windows_endpoint_recognises_a_script_by_the_digest_of_its_lf_text(front: RunningFront) -> None:
    with front.windows() as pool:
        outputs = []
        for text in ("param($a)\n$a\n", "param($a)\r\n$a\r\n"):
            powershell = PowerShell(pool)
            powershell.add_script(text).add_parameter("a", 1)
            powershell.invoke()
            outputs.append(powershell.output)

    assert outputs[0] == outputs[1] == ["96f6ff99200fe29c31e7a8bc78c347446dbe4fbe83950102c7315185745f3b17"]
    assert front.world.calls[0][4] == {"a": 1}


def test_what_if_changes_nothing(front: RunningFront) -> None:
    with front.pool() as pool:
        powershell = front.ask(pool, ("Set-CASMailbox", {"Identity": "u1", "ActiveSyncEnabled": False, "WhatIf": True}))

    assert (powershell.state, powershell.output, front.world.calls) == (COMPLETED, [], [])


@pytest.mark.parametrize(
    "command",
    [("Remove-ThrottlingPolicy", {"Identity": "p"}), ("Set-CASMailbox", {"Identity": "u1", "Confirm": None})],
    ids=["a destructive cmdlet without Confirm", "Confirm given as nil"],
)
def test_a_prompt_waits_until_a_client_without_a_host_stops_it(
    front: RunningFront, command: tuple[str, dict[str, Any]]
) -> None:
    with front.pool(operation_timeout=1) as pool:
        powershell = PowerShell(pool)
        powershell.add_cmdlet(command[0]).add_parameters(command[1])
        powershell.begin_invoke()
        powershell.poll_invoke(timeout=1)  # the prompt
        powershell.poll_invoke(timeout=1)  # nothing more
        waited = powershell.state
        powershell.stop()

    assert (waited, powershell.state, front.world.calls) == (
        PSInvocationState.RUNNING,
        PSInvocationState.STOPPED,
        [],
    )


class AnsweringHost(PSHostUserInterface):
    """A host whose user answers every prompt with *choice*."""

    def __init__(self, choice: int) -> None:
        super().__init__()
        self.choice = choice
        self.messages: list[str] = []

    def PromptForChoice(
        self, runspace: Any, pipeline: Any, caption: str, message: str, choices: Any, default_choice: int
    ) -> int:
        self.messages.append(message)
        return self.choice


@pytest.mark.parametrize(("choice", "calls"), [(0, 1), (2, 0)], ids=["yes", "no"])
def test_a_host_that_answers_a_prompt_decides(front: RunningFront, choice: int, calls: int) -> None:
    ui = AnsweringHost(choice)
    host = PSHost(None, None, False, "test", None, ui, "1.0")
    with front.pool(host=host) as pool:
        powershell = front.ask(pool, ("Remove-ThrottlingPolicy", {"Identity": "p"}))

    assert (powershell.state, len(front.world.calls)) == (COMPLETED, calls)
    assert ui.messages == [
        "Are you sure you want to perform this action?\n"
        'Performing the operation "Remove-ThrottlingPolicy" on target "p".'
    ]


def test_a_running_pipeline_polls_by_time_out_and_can_be_stopped(front: RunningFront) -> None:
    with front.pool() as pool:
        powershell = PowerShell(pool)
        powershell.add_cmdlet("Get-Mailbox").add_parameter("Identity", "slow")
        powershell.begin_invoke()
        while not powershell.output:
            powershell.poll_invoke()
        front.world.waiting.wait(10)
        powershell.poll_invoke(timeout=1)
        with pytest.raises(WSManFaultError) as silent:
            pool.shell.receive("stdout", command_id=powershell.id, timeout=1)
        threading.Timer(0.1, front.world.go_on.set).start()  # the world looks up only between its answers
        powershell.stop()

    assert (silent.value.code, powershell.output, powershell.state) == (
        2150858793,
        ["first"],
        PSInvocationState.STOPPED,
    )


def test_a_pool_runs_as_many_pipelines_at_once_as_it_has_runspaces(front: RunningFront) -> None:
    with front.pool(max_runspaces=2) as pool:
        slow = PowerShell(pool)
        slow.add_cmdlet("Get-Mailbox").add_parameter("Identity", "slow")
        slow.begin_invoke()
        assert front.world.waiting.wait(10)
        available = pool.get_available_runspaces()
        quick = front.ask(pool, ("Get-CASMailbox", {"Identity": "four"}))
        front.world.go_on.set()
        slow.end_invoke()

    assert (available, quick.output, slow.output) == (1, [4], ["first", "second"])


def test_a_pipeline_waits_for_a_free_runspace(front: RunningFront) -> None:
    with front.pool() as pool:
        slow, quick = PowerShell(pool), PowerShell(pool)
        slow.add_cmdlet("Get-Mailbox").add_parameter("Identity", "slow")
        quick.add_cmdlet("Get-CASMailbox").add_parameter("Identity", "four")
        slow.begin_invoke()
        assert front.world.waiting.wait(10)
        available = pool.get_available_runspaces()
        quick.begin_invoke()
        quick.poll_invoke(timeout=1)
        ran = [call[3] for call in front.world.calls]
        front.world.go_on.set()
        slow.end_invoke()
        quick.end_invoke()

    assert (available, ran, quick.output) == (0, ["Get-Mailbox"], [4])


def test_a_pool_can_be_given_more_runspaces(front: RunningFront) -> None:
    with front.pool() as pool:
        pool.max_runspaces = 3

        assert pool.get_available_runspaces() == 3


def test_pools_in_several_threads_do_not_disturb_each_other(front: RunningFront) -> None:
    def lengths(number: int) -> list[int]:
        with front.pool() as pool:
            return [front.ask(pool, ("Get-CASMailbox", {"Identity": "x" * number})).output[0] for _ in range(5)]

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lengths, [1, 2, 3, 4])) == [[1] * 5, [2] * 5, [3] * 5, [4] * 5]


def test_the_same_receive_sent_again_gets_the_lost_answer(front: RunningFront) -> None:
    with front.pool() as pool:
        powershell = PowerShell(pool)
        powershell.add_cmdlet("Get-CASMailbox").add_parameter("Identity", "four")
        powershell.begin_invoke()
        receive = ElementTree.Element(f"{{{NAMESPACES['rsp']}}}Receive")
        stream = ElementTree.SubElement(receive, f"{{{NAMESPACES['rsp']}}}DesiredStream", CommandId=powershell.id)
        stream.text = "stdout"
        _, header = pool.connection._create_header(
            WSManAction.RECEIVE, pool.shell.resource_uri, None, pool.shell._selector_set
        )
        envelope = ElementTree.Element(f"{{{NAMESPACES['s']}}}Envelope")
        envelope.append(header)
        ElementTree.SubElement(envelope, f"{{{NAMESPACES['s']}}}Body").append(receive)
        message = ElementTree.tostring(envelope)

        bodies = [pool.connection.transport.send(message) for _ in range(2)]

    assert bodies[0] == bodies[1]
    assert b"ReceiveResponse" in bodies[0]


def test_a_wrong_password_is_refused_and_the_answer_names_the_schemes(front: RunningFront) -> None:
    with pytest.raises(AuthenticationError), front.pool(password="wrong"):
        pass
    context = ssl.create_default_context(cafile=str(front.authority))
    connection = http.client.HTTPSConnection("127.0.0.1", front.ports["EX1"], context=context)
    connection.request("POST", "/PowerShell", b"")
    answer = connection.getresponse()

    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="EX1"')
    connection.close()


def test_a_client_that_does_not_trust_the_authority_refuses_the_certificate(front: RunningFront) -> None:
    with pytest.raises(requests.exceptions.SSLError), front.pool(cert_validation=True):
        pass


def test_a_wrong_path_is_answered_with_404(front: RunningFront) -> None:
    context = ssl.create_default_context(cafile=str(front.authority))
    connection = http.client.HTTPSConnection("127.0.0.1", front.ports["EX1"], context=context)
    connection.request("POST", "/Nowhere", b"")
    answer = connection.getresponse()

    assert (answer.status, answer.headers.get_content_type(), b"<h2>404" in answer.read()) == (404, "text/html", True)
    connection.close()


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"configuration_name": "Microsoft.Nothing"}, 2150858811, "was not found in the WS-Management catalog"),
        ({"path": "wsman"}, 2150858811, "was not found in the WS-Management catalog"),
        ({"username": "LAB\\nobody"}, 2150858819, "isn't assigned to any management roles"),
        ({"username": "LAB\\nobody", "path": "wsman", "configuration_name": "Microsoft.PowerShell"}, 5, "denied"),
    ],
    ids=["no such configuration", "the other endpoint", "no role", "no administrator"],
)
def test_a_shell_that_is_not_allowed_is_a_fault(
    front: RunningFront, changes: dict[str, str], code: int, says: str
) -> None:
    with pytest.raises(WSManFaultError, match=says) as refused, front.pool(**changes):
        pass

    assert refused.value.code == code


def test_the_nineteenth_shell_of_a_user_is_refused_until_one_is_closed(front: RunningFront) -> None:
    pools = [RunspacePool(front.wsman(), configuration_name="Microsoft.Exchange") for _ in range(19)]
    for pool in pools[:18]:
        pool.open()
    with pytest.raises(WSManFaultError, match="18 concurrent shells") as refused:
        pools[18].open()
    pools[0].close()
    with front.pool() as again:
        assert front.ask(again, ("Get-CASMailbox", {"Identity": "a"})).output == [1]
    for pool in pools[1:18]:
        pool.close()

    assert refused.value.code == 2150859173


def test_a_pool_whose_shell_expired_is_not_alive(front: RunningFront) -> None:
    with front.pool() as pool:
        alive = pool.is_alive()
        front.front.faults.expire_shells(server="EX1")

        assert (alive, pool.is_alive()) == (True, False)


def test_an_expired_shell_is_a_fault_and_a_new_one_works(front: RunningFront) -> None:
    with front.pool() as pool:
        front.front.faults.expire_shells()
        with pytest.raises(WSManFaultError, match="the shell was not found") as lost:
            front.ask(pool, BLOCK)
        pool.state = RunspacePoolState.CLOSED  # so that close() does not delete what is gone
    with front.pool() as pool:
        front.ask(pool, BLOCK)

    assert (lost.value.code, len(front.world.calls)) == (2150858843, 1)


def test_a_quota_fault_can_be_planned(front: RunningFront) -> None:
    front.front.faults.refuse_shells(1, server="EX1")
    with pytest.raises(WSManFaultError, match="concurrent shells"), front.pool():
        pass
    with front.pool() as pool:
        assert pool.is_alive()


@pytest.mark.parametrize(
    ("point", "ran"), [("command", 0), ("acknowledgement", 1), ("result", 1)], ids=["before", "running", "after"]
)
def test_a_connection_can_be_dropped_before_while_and_after_a_pipeline_runs(
    front: RunningFront, point: Any, ran: int
) -> None:
    front.front.faults.drop(point, cmdlet="set-casmailbox")
    with front.pool() as pool:
        front.ask(pool, ("Get-CASMailbox", {"Identity": "another cmdlet"}))
        with pytest.raises(requests.exceptions.ConnectionError):
            front.ask(pool, BLOCK)
        front.ask(pool, ("Get-CASMailbox", {"Identity": "afterwards"}))

    assert [call[3] for call in front.world.calls].count("Set-CASMailbox") == ran


def test_a_delay_can_be_planned(front: RunningFront) -> None:
    front.front.faults.delay("acknowledgement", 0.6, cmdlet="Set-CASMailbox")
    with front.pool(read_timeout=0.3) as pool:
        with pytest.raises(requests.exceptions.ReadTimeout):
            front.ask(pool, BLOCK)
        front.ask(pool, BLOCK)

    assert len(front.world.calls) == 2


def test_a_user_cannot_use_the_shell_of_another(front: RunningFront) -> None:
    with front.pool() as pool, front.wsman(username="LAB\\nobody") as other, pytest.raises(WSManFaultError) as refused:
        other.delete(pool.shell.resource_uri, selector_set=pool.shell._selector_set)

    assert refused.value.code == 2150858843


def test_signals_to_a_command_that_has_ended_are_answered(front: RunningFront) -> None:
    with front.pool() as pool:
        powershell = front.ask(pool, ("Get-CASMailbox", {"Identity": "four"}))
        pool.shell.signal(SignalCode.TERMINATE, command_id=powershell.id)
        pool.shell.signal(SignalCode.PS_CTRL_C, command_id=str(uuid.uuid4()).upper())

        assert pool.is_alive()


@pytest.mark.parametrize("body", [b"", b"<a/>", b"not xml", b"<!DOCTYPE a><a/>"])
def test_a_body_that_is_not_a_request_is_answered_with_a_fault(front: RunningFront, body: bytes) -> None:
    with front.wsman() as connection:
        answer = requests.post(
            connection.transport.endpoint,
            data=body,
            auth=("LAB\\admin", str(connection.transport.password)),
            verify=str(front.authority),
            timeout=10,
        )

    assert (answer.status_code, b"SchemaValidationError" in answer.content) == (500, True)


def test_fragments_that_are_none_are_the_fault_of_the_client(front: RunningFront) -> None:
    with front.pool() as pool:
        for junk in (b"", b"\0" * 7, b"\xff" * 64, bytes(range(200))):
            with pytest.raises(WSManFaultError) as refused:
                pool.shell.command("", arguments=[base64.b64encode(junk).decode()], command_id=str(uuid.uuid4()))
            assert refused.value.code == 2150858817, junk
        assert front.ask(pool, ("Get-CASMailbox", {"Identity": "four"})).output == [4]


@pytest.mark.parametrize(
    ("subcode", "blamed"),
    [
        ("w:TimedOut", "Receiver"),
        ("w:InternalError", "Receiver"),
        ("w:AccessDenied", "Sender"),
        ("w:InvalidSelectors", "Sender"),
        ("w:QuotaLimit", "Sender"),
        ("w:SchemaValidationError", "Sender"),
        ("a:ActionNotSupported", "Sender"),
        ("a:DestinationUnreachable", "Sender"),
    ],
)
def test_a_fault_says_whose_it_is(subcode: str, blamed: str) -> None:
    document = ElementTree.fromstring(fault(Fault(subcode, 1, "no"), "uuid:1", "EX1"))
    assert document.findtext("s:Body/s:Fault/s:Code/s:Value", namespaces=NAMESPACES) == f"s:{blamed}"


def test_a_value_that_cannot_be_written_ends_its_pipeline_with_an_error_and_the_runspace_goes_on(
    front: RunningFront,
) -> None:
    with front.windows() as pool:
        pool.exchange_keys()
        powershell = PowerShell(pool)
        powershell.add_cmdlet("Select-Object")
        powershell.invoke(input=(value for value in [TaggedValue("SS", "secret")]))
        assert (powershell.state, powershell.output) == (PSInvocationState.FAILED, [])
        assert "no CLIXML for PSSecureString" in str(powershell.streams.error[0])
        assert front.ask(pool, ("Get-CimInstance", {"ClassName": "Win32_Process"})).had_errors is False


DESCRIBED = (
    "ShellId Name ResourceUri Owner ClientIP ProcessId IdleTimeOut InputStreams OutputStreams MaxIdleTimeOut Locale "
    "DataLocale CompressionMode ProfileLoaded Encoding BufferMode State ShellRunTime ShellInactivity"
).split()


def test_a_new_shell_is_described_as_a_server_does(front: RunningFront, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[ElementTree.Element] = []
    create = WSMan.create

    def creating(connection: WSMan, *arguments: Any, **more: Any) -> ElementTree.Element:
        answers.append(create(connection, *arguments, **more))
        return answers[-1]

    monkeypatch.setattr(WSMan, "create", creating)
    with front.windows() as pool:
        (shell,) = answers[-1].iterfind("rsp:Shell", NAMESPACES)
        assert [element.tag.rpartition("}")[2] for element in shell] == DESCRIBED
        assert shell.findtext("rsp:ShellId", namespaces=NAMESPACES) == pool.id
    with front.windows(at="EX2") as old:  # PowerShell 2.0 chooses the ids, and describes nothing
        assert answers[-1].find("rsp:Shell", NAMESPACES) is None
        selectors = old.shell._selector_set
        assert selectors is not None
        assert [name for name, _, _ in selectors.values] == ["ShellId"]
        assert selectors.values[0][1] != old.id
        powershell = front.ask(old, ("Get-CimInstance", {"ClassName": "Win32_Process"}))
        assert powershell._command_id != powershell.id
