from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import attrs
import pytest

from easops.actions.outcome import Done
from easops.detectors import DETECTORS
from easops.detectors.contact_sync_storm import detect_in_files
from easops.detectors.detection_status import detect_status
from easops.detectors.finding import Detection, Undetermined
from easops.errors import BadInput, CommandFailed, LogFormatError
from easops.parameter import check_all
from easops.remoting.unreachable import Unreachable
from easops.status import Status

STORM = DETECTORS["contact_sync_storm"]
NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=dt.UTC)


def detect(estate: Any, **values: Any) -> Detection:
    return STORM.detect(estate.hosts, check_all(STORM.parameters, values), estate.context)


def verify(estate: Any, *users: str, minutes_ago: float, hosts: tuple[str, ...] = ("EX1",), **values: Any) -> Detection:
    ended = {host: NOW - dt.timedelta(minutes=minutes_ago) for host in hosts}
    return detect(estate, users=users or ("laura@contoso.example",), after=Done("x", ended=ended), **values)


def undetermined(found: Detection) -> list[tuple[str, str | None, bool]]:
    return [(item.subject, item.host, item.required) for item in found.undetermined]


# -- detect ---------------------------------------------------------------------------------------------------


def test_a_device_that_sends_its_contacts_again_and_again_is_a_finding_with_its_evidence(
    estate: Any, flood: Any
) -> None:
    estate.add("EX1", *flood())

    found = detect(estate)

    assert [user.evidence for user in found.users] == [
        "12 contact syncs over 2000 RPC in 120 min (max 3,000) from iPhone APPL1, every 4 min, "
        "2,500 contacts sent each time; mailbox holds 5,204 contacts"
    ]
    user = found.users[0]
    assert (user.user, user.mailbox, user.resolved, user.contacts) == (
        "laura@contoso.example",
        "guid-of-laura",
        True,
        5204,
    )
    assert attrs.asdict(user.devices[0]) == {
        "device_id": "APPL1",
        "device_type": "iPhone",
        "user_agent": "Apple-iPhone12C1/1801.402",
        "hits": 12,
        "rpc_max": 3000,
        "rpc_sum": 36_000,
        "contacts_sent": 30_000,
        "bytes_sent": 10_800,
        "time_taken": 40_000,
        "interval": 240.0,
        "regular": True,
        "first_seen": dt.datetime(2026, 11, 24, 9, 15, 40, tzinfo=dt.UTC),
        "last_seen": dt.datetime(2026, 11, 24, 9, 59, 40, tzinfo=dt.UTC),
        "hosts": ("EX1",),
    }
    assert (found.hosts, found.judged, found.times) == (("EX1",), ("EX1",), {"EX1": NOW})


def test_samples_are_unchanged_log_lines_with_host_file_and_line_number(estate: Any, flood: Any) -> None:
    lines = flood()
    estate.add("EX1", *lines)

    samples = detect(estate).users[0].samples

    assert samples == (
        f"EX1 u_ex261124.log:3: {str(lines[-1]).rstrip()}",
        f"EX1 u_ex261124.log:14: {str(lines[0]).rstrip()}",
    )


def test_several_names_of_one_mailbox_are_one_user_and_hits_of_all_hosts_are_summed(estate: Any, flood: Any) -> None:
    estate.add("EX1", *flood("CONTOSO\\laura"), *flood("LAURA@contoso.example", "APPL2"))
    estate.add("EX2", *flood("contoso/laura", until=180))

    found = detect(estate)

    assert [(user.user, user.hits, user.hosts) for user in found.users] == [
        ("laura@contoso.example", 36, ("EX1", "EX2"))
    ]
    assert [(device.device_id, device.hits) for device in found.users[0].devices] == [("APPL1", 24), ("APPL2", 12)]
    assert found.hosts == ("EX1", "EX2")


def test_the_series_shows_the_hits_over_time_up_to_the_newest_line(estate: Any, flood: Any) -> None:
    estate.add("EX1", *flood())

    counts, costs = detect(estate).series

    assert (counts.host, counts.name, counts.unit, counts.step) == (
        "EX1",
        "contact syncs over 2000 RPC",
        "requests",
        60,
    )
    assert counts.start == dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
    newest = dt.datetime(2026, 11, 24, 9, 59, 40, tzinfo=dt.UTC)  # so the minute of 9:59 is not whole
    assert counts.start + dt.timedelta(minutes=len(counts.values)) == newest.replace(second=0)
    assert [minute for minute, count in enumerate(counts.values) if count] == list(range(75, 116, 4))
    assert (costs.name, costs.unit) == ("mailbox calls of contact syncs over 2000 RPC", "RPC")
    assert [cost for cost in costs.values if cost] == [3000] * 11


def test_the_user_with_most_hits_comes_first(estate: Any, flood: Any) -> None:
    estate.add("EX1", *flood("CONTOSO\\laura"), *flood("CONTOSO\\marco", "SEC1")[:5])

    assert [user.user for user in detect(estate).users] == ["laura@contoso.example", "marco@contoso.example"]


def test_two_hits_are_only_watched(estate: Any, flood: Any) -> None:
    estate.add("EX1", *flood()[:2])

    found = detect(estate)

    assert not found.found
    assert [(user.hits, user.evidence) for user in found.watch] == [
        (
            2,
            "2 contact syncs over 2000 RPC in 120 min (max 3,000) from iPhone APPL1, 4 min apart, "
            "2,500 contacts sent each time; 2 of 3 attempts that make a finding",
        )
    ]


@pytest.mark.parametrize("sync_type", ["F", "S"])
def test_a_phone_that_the_server_fills_is_only_watched(estate: Any, flood: Any, sync_type: str) -> None:
    estate.add("EX1", *flood(client=0, server=2500, sync_type=sync_type))

    found = detect(estate)

    assert not found.found
    assert [(user.user, user.hits) for user in found.watch] == [("laura@contoso.example", 12)]
    assert found.watch[0].evidence.endswith("the server sends, the client does not: a new or newly set up device")


def test_a_first_sync_in_which_the_client_sends_is_a_finding(estate: Any, flood: Any) -> None:
    estate.add("EX1", *flood(sync_type="F"))

    assert detect(estate).found


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param({"rpc": 2000, "client": 3}, id="edits at a low cost"),
        pytest.param({"folder": "Em"}, id="mail"),
        pytest.param({"command": "Ping"}, id="not a Sync"),
        pytest.param({"status": 401}, id="not logged on"),
        pytest.param({"agent": "TestActiveSyncConnectivity"}, id="a probe by its agent"),
        pytest.param({"agent": "AMProbe/Local/ClientAccess"}, id="a probe of Managed Availability"),
        pytest.param({"user": "HealthMailbox1f2e@contoso.example"}, id="a probe by its mailbox"),
        pytest.param({"user": "CONTOSO\\HealthMailbox1f2e"}, id="a probe by its mailbox, with domain"),
        pytest.param({"until": 7600}, id="before the window"),
    ],
)
def test_what_is_not_a_contact_sync_storm_is_not_reported(
    estate: Any, flood: Any, moving: Any, lines: dict[str, Any]
) -> None:
    estate.add("EX1", *flood(**lines), moving(1))

    found = detect(estate)

    assert (found.users, found.watch, found.undetermined, found.judged) == ((), (), (), ("EX1",))


def test_the_caller_sets_the_threshold_and_the_window(estate: Any, flood: Any) -> None:
    estate.add("EX1", *flood())

    found = detect(estate, threshold=2999, since="15m")

    assert found.users[0].evidence.startswith("4 contact syncs over 2999 RPC in 15 min")


@pytest.mark.parametrize(
    ("user", "subject", "why"),
    [
        ("CONTOSO\\nobody", "CONTOSO\\nobody", "there is no mailbox of this name"),
        ("CONTOSO\\twin", "CONTOSO\\twin", "twin1@contoso.example and twin2@contoso.example"),
        (
            "-",
            "device APPL1",
            "no user is logged (cs-username); the client calls itself 'claimed', which proves nothing",
        ),
        ("EX2$", "EX2$", "a computer account is not a user; the client calls itself 'claimed', which proves nothing"),
    ],
)
def test_a_user_name_that_is_not_exactly_one_mailbox_is_listed_and_never_a_finding(
    estate: Any, flood: Any, user: str, subject: str, why: str
) -> None:
    estate.directory.mailboxes["contoso\\twin"] = ("twin1", "twin2")
    estate.add("EX1", *flood(user))

    found = detect(estate)

    assert found.undetermined == (Undetermined("user", subject, why, required=False),)
    assert (found.users, found.watch, found.judged) == ((), (), ("EX1",))
    # Shown with hits, device and interval: somebody floods, whoever it is.
    assert [(one.resolved, one.hits, one.devices[0].interval) for one in found.unresolved] == [(False, 12, 240.0)]


def test_a_user_with_an_account_of_another_forest_is_the_linked_mailbox_of_that_account(
    estate: Any, flood: Any
) -> None:
    estate.mailbox("laura")
    estate.directory.mailboxes["guid-of-laura"] = ("laura",)
    estate.directory.linked = [("ACCOUNTS\\lbrandt", "laura"), ("ACCOUNTS\\two", "a"), ("ACCOUNTS\\two", "b")]
    estate.add("EX1", *flood("accounts\\LBrandt"), *flood("ACCOUNTS\\two", "TWO"), *flood("ACCOUNTS\\none", "NONE"))

    found = detect(estate)

    assert [user.user for user in found.users] == ["laura@contoso.example"]
    whys = {item.subject: item.why for item in found.undetermined}
    assert whys == {
        "ACCOUNTS\\two": "2 linked mailboxes have this account",
        "ACCOUNTS\\none": "there is no mailbox of this name",
    }


def test_if_linked_mailboxes_cannot_be_listed_the_user_is_not_called_unknown(estate: Any, flood: Any) -> None:
    estate.directory.linked = CommandFailed("Get-Mailbox failed", "no such parameter")
    estate.add("EX1", *flood("ACCOUNTS\\lbrandt"))

    (item,) = detect(estate).undetermined

    assert "linked mailboxes were not looked through" in item.why


def test_each_name_is_asked_for_once(estate: Any, flood: Any) -> None:
    estate.add("EX1", *flood(), *flood("contoso\\LAURA", "APPL2"), *flood("CONTOSO\\nobody", "X"))

    detect(estate)

    assert [name.lower() for name in sorted(estate.directory.asked)] == ["contoso\\laura", "contoso\\nobody"]


def test_a_count_from_activity_context_data_has_a_note_on_the_thresholds_origin(estate: Any, flood: Any) -> None:
    estate.add("EX1", *flood())

    assert any("2,000 was measured on RpcC" in note for note in detect(estate).notes)


def test_a_log_that_lags_behind_the_servers_clock_has_a_note(estate: Any, flood: Any) -> None:
    estate.add("EX1", *flood(until=600))

    (note,) = [note for note in detect(estate).notes if note.startswith("EX1: ")]
    assert note == (
        "EX1: the newest line of the log is 9.3 min older than the server's clock; "
        "IIS buffers up to 64 kB of lines before it writes them"
    )


def test_damaged_lines_are_noted_with_their_line_numbers(estate: Any, flood: Any) -> None:
    server = estate.add("EX1", *flood())
    server.log = server.data + b"2026-11-24 09:59:59 cut\r\n"

    assert "EX1: 1 damaged line was skipped: u_ex261124.log:15: 3 values for 17 columns: 2026-11-24 09:59:59 cut" in (
        detect(estate).notes
    )


def test_an_unreachable_host_is_listed_and_the_others_are_judged(estate: Any, flood: Any) -> None:
    estate.add("EX1", *flood())
    estate.add("EX2").unreachable = True

    found = detect(estate)

    assert found.unreachable == (Unreachable("EX2", "EX2 cannot be reached", "no answer"),)
    assert (len(found.users), found.judged) == (1, ("EX1",))


def test_a_host_without_a_log_is_undetermined(estate: Any) -> None:
    estate.add("EX1")

    assert undetermined(detect(estate)) == [("EX1", "EX1", True)]


def test_a_log_without_a_line_in_the_window_is_undetermined(estate: Any, moving: Any) -> None:
    estate.add("EX1", moving(8000))

    found = detect(estate)

    assert undetermined(found) == [("EX1", "EX1", True)]
    assert found.undetermined[0].why.endswith("its newest line is from 2026-11-24 07:46:40")


def test_the_log_of_the_front_end_is_undetermined_and_not_a_clean_result(estate: Any, flood: Any) -> None:
    server = estate.add("EX1", *flood())
    server.log = server.data.replace(b"&Log=", b"&cafeReqId=")

    found = detect(estate)

    assert undetermined(found) == [("EX1", "EX1", True)]
    assert "W3SVC2" in found.undetermined[0].why


def test_exchange_2003_is_undetermined(estate: Any, flood: Any) -> None:
    estate.add("EX1", *flood())
    host = attrs.evolve(estate.hosts[0], version="2003")

    found = STORM.detect([host], check_all(STORM.parameters, {}), estate.context)

    assert undetermined(found) == [("EX1", "EX1", True)]


@pytest.mark.parametrize("fault", ["unreachable", "broken"])
def test_a_user_who_cannot_be_looked_up_is_shown_and_the_host_is_judged(
    estate: Any, flood: Any, moving: Any, fault: str
) -> None:
    estate.add("EX1", *flood(), *flood("CONTOSO\\marco", "SEC1")[:1])
    estate.add("EX2", moving(1))
    setattr(estate.directory, fault, True)

    found = detect(estate)

    assert [(user.user, user.resolved, user.hits) for user in found.unresolved] == [("CONTOSO\\laura", False, 12)]
    assert "it could not be looked up" in found.unresolved[0].evidence
    assert (found.users, found.judged, detect_status(found)) == ((), ("EX1", "EX2"), Status.UNDETERMINED)


def test_one_doubtful_name_spoils_nobody_elses_judgement(estate: Any, flood: Any) -> None:
    estate.directory.mailboxes["contoso\\twin"] = ("twin1", "twin2")
    estate.add("EX1", *flood(), *flood("CONTOSO\\twin", "TWIN"))

    found = detect(estate)

    assert [user.user for user in found.users] == ["laura@contoso.example"]
    assert [(user.user, user.devices[0].interval) for user in found.unresolved] == [("CONTOSO\\twin", 240.0)]
    assert (found.judged, detect_status(found)) == (("EX1",), Status.UNDETERMINED)


def test_a_plus_in_a_name_may_be_a_blank(estate: Any, flood: Any) -> None:
    estate.directory.mailboxes["contoso\\anna maria"] = ("anna maria",)
    estate.add("EX1", *flood("CONTOSO\\anna+maria"))

    assert [user.mailbox for user in detect(estate).users] == ["guid-of-anna maria"]


def test_users_limit_what_is_found_and_each_must_be_a_mailbox(estate: Any, flood: Any) -> None:
    estate.add("EX1", *flood(), *flood("CONTOSO\\marco", "SEC1"))

    found = detect(estate, users=["marco@contoso.example", "nobody@contoso.example"])

    assert [user.user for user in found.users] == ["marco@contoso.example"]
    assert undetermined(found) == [("nobody@contoso.example", "EX1", True)]


# -- verify ---------------------------------------------------------------------------------------------------


def test_nothing_is_determined_before_the_retry_intervals_have_passed(estate: Any, flood: Any, moving: Any) -> None:
    estate.add("EX1", *flood(until=900), moving(1))

    found = verify(estate, minutes_ago=14.28)

    assert found.undetermined == (
        Undetermined(
            "user",
            "laura@contoso.example",
            "6 s of 14.4 min still to wait (retry intervals of up to 4 min)",
            required=True,
            host="EX1",
            seconds=found.undetermined[0].seconds,
        ),
    )
    assert found.undetermined[0].seconds == pytest.approx(6.0, abs=0.3)
    assert (found.found, found.judged) == (False, ())


def test_the_retry_interval_is_learned_from_before_the_cure(estate: Any, flood: Any, moving: Any) -> None:
    # A device that is let in again may send cheap syncs one after another: they must not shorten the proof.
    estate.add("EX1", *flood(until=500)[:2], *flood(every=15, until=100, client=0), moving(1))

    assert verify(estate, minutes_ago=7.9).undetermined[0].why.endswith("(retry intervals of up to 4 min)")


def test_the_flood_has_ended_once_they_have_passed_without_a_hit(estate: Any, flood: Any, moving: Any) -> None:
    estate.add("EX1", *flood(until=900), moving(1))

    found = verify(estate, minutes_ago=14.4)

    assert (found.found, found.undetermined, found.judged) == (False, (), ("EX1",))


def test_one_hit_that_started_after_the_cure_is_a_finding(estate: Any, flood: Any, moving: Any, line: Any) -> None:
    estate.add("EX1", *flood(until=920), line(300, device="ANOTHER"), moving(1))

    found = verify(estate, minutes_ago=15)

    assert [user.evidence for user in found.users] == [
        "1 contact sync over 2000 RPC since 09:45:00 UTC (max 3,000) from iPhone ANOTHER, 2,500 contacts sent"
    ]
    assert found.hosts == ("EX1",)


def test_a_request_that_began_before_the_cure_and_ended_after_it_proves_nothing(
    estate: Any, flood: Any, moving: Any
) -> None:
    estate.add("EX1", *flood(until=910, seconds=60), moving(1))

    assert not verify(estate, minutes_ago=15).found


@pytest.mark.parametrize(("client", "server", "found"), [(0, 0, True), (0, 2500, False)])
def test_a_costly_sync_counts_as_proof_unless_the_server_fills_the_device(
    estate: Any, flood: Any, moving: Any, line: Any, client: int, server: int, found: bool
) -> None:
    estate.add("EX1", *flood(until=920), line(300, client=client, server=server), moving(1))

    assert verify(estate, minutes_ago=15).found is found


@pytest.mark.parametrize(
    ("url", "seconds", "proved"),
    [
        pytest.param("Cmd=Sync&DeviceId=APPL1&DeviceType=iPhone", 200, False, id="a Sync of the device that flooded"),
        pytest.param("Cmd=Sync&DeviceId=appl1&DeviceType=iPhone", 200, False, id="its id in another case"),
        pytest.param("Cmd=Sync&DeviceId=APPL1&DeviceType=iPhone", 3, True, id="one that has just begun"),
        pytest.param("Cmd=Sync&DeviceId=APPL1&DeviceType=iPhone", 3000, True, id="one from before the cure"),
        pytest.param("Cmd=Ping&DeviceId=APPL1&DeviceType=iPhone", 200, True, id="a Ping"),
        pytest.param("Cmd=Sync&DeviceId=OTHER&DeviceType=iPhone", 200, True, id="another device"),
    ],
)
def test_a_request_that_is_still_running_is_no_proof_of_an_end(
    estate: Any, flood: Any, moving: Any, in_flight: Any, url: str, seconds: float, proved: bool
) -> None:
    server = estate.add("EX1", *flood(until=920), moving(1))
    in_flight(server, f"/Microsoft-Server-ActiveSync/default.eas?{url}", seconds)

    found = verify(estate, minutes_ago=15)

    assert (not found.found, not found.undetermined) == (True, proved)
    assert proved or "a Sync of" in found.undetermined[0].why


def test_a_log_that_does_not_reach_far_enough_is_undetermined(estate: Any, flood: Any, moving: Any) -> None:
    estate.add("EX1", *flood(until=920), moving(150))

    found = verify(estate, minutes_ago=15)

    assert (
        found.undetermined[0].why
        == "the log does not reach far enough yet: its newest line is from 09:57:30, needed is 09:59:22"
    )
    assert found.undetermined[0].required


def test_a_name_that_cannot_be_looked_up_proves_nothing_for_anybody(estate: Any, flood: Any, moving: Any) -> None:
    """It may be the very user: asked for by the address, which is found, and logged by a name, which is not."""
    estate.add("EX1", *flood(until=60), moving(1))
    estate.directory.broken_names.add("contoso\\laura")

    found = verify(estate, minutes_ago=15)

    assert not found.found
    assert [item for item in undetermined(found) if item[2]] == [("laura@contoso.example", "EX1", True)]
    assert found.judged == ()


def test_the_device_goes_on_under_a_name_that_is_nobodys(estate: Any, flood: Any, moving: Any) -> None:
    estate.add("EX1", *flood(until=920), *flood("CONTOSO\\gone", until=60)[:3], moving(1))

    assert verify(estate, minutes_ago=15).found


def test_a_clock_that_was_set_forward_proves_nothing(estate: Any, flood: Any, moving: Any) -> None:
    """The server's clock says that an hour has passed since the cure; the log shows that it was three minutes."""
    every_minute = [moving(60 * minute) for minute in range(63, 120)]
    estate.add("EX1", *flood(until=3840), *every_minute, *(moving(60 * minute) for minute in (0.1, 1, 2)))

    found = verify(estate, minutes_ago=62.5, since="70m")

    assert not found.found
    assert [item.why.partition(" still")[0] for item in found.undetermined] == ["12.4 min of 14.4 min"]


def test_in_a_log_that_is_quiet_anyway_silence_is_silence(estate: Any, flood: Any, moving: Any) -> None:
    estate.add("EX1", *flood(until=3840), *(moving(300 * at) for at in range(13, 24)), moving(1))

    found = verify(estate, minutes_ago=62.5, since="70m")

    assert (found.found, found.undetermined) == (False, ())


def test_an_unknown_retry_interval_is_assumed_to_be_five_minutes(estate: Any, flood: Any, moving: Any) -> None:
    estate.add("EX1", moving(1))

    assert verify(estate, minutes_ago=9.9).undetermined[0].why.endswith("(retry intervals of up to 5 min)")
    found = verify(estate, minutes_ago=10.1)
    assert (found.found, found.undetermined) == (False, ())
    estate.servers["EX1"].lines += flood(until=700)[:1]
    found = verify(estate, minutes_ago=10.1)
    assert "laura@contoso.example: the log does not show the retry interval; 5 min is assumed" in found.notes


def test_each_host_is_judged_by_itself_with_the_interval_that_any_of_their_logs_shows(
    estate: Any, flood: Any, moving: Any
) -> None:
    estate.add("EX1", *flood(until=920), moving(1))
    estate.add("EX2", moving(1))
    done = Done(
        "x", ended={"EX1": NOW - dt.timedelta(minutes=15)}, finished=NOW - dt.timedelta(minutes=3)
    )  # EX2 was not touched

    found = detect(estate, users=["laura@contoso.example"], after=done)

    assert [(item.host, item.why) for item in found.undetermined] == [
        ("EX2", "14.4 min of 14.4 min still to wait (retry intervals of up to 4 min)")
    ]
    assert found.judged == ("EX1",)


def test_floods_of_other_users_do_not_fail_a_verify(estate: Any, flood: Any, moving: Any) -> None:
    estate.add("EX1", *flood(until=920), *flood("CONTOSO\\marco", "SEC1"), moving(1))

    assert not verify(estate, minutes_ago=15).found


def test_a_verify_lists_the_addresses_of_the_users_it_was_asked_about(estate: Any, flood: Any, moving: Any) -> None:
    estate.add("EX1", *flood(until=920), moving(1))

    assert verify(estate, "CONTOSO\\laura", minutes_ago=15).asked == ("laura@contoso.example",)
    assert detect(estate, users=("CONTOSO\\laura",)).asked == ()  # without after: the flood may go on


def test_a_user_who_has_no_mailbox_any_more_cannot_be_verified(estate: Any, moving: Any) -> None:
    estate.add("EX1", moving(1))

    found = verify(estate, "gone@contoso.example", minutes_ago=60)

    assert undetermined(found) == [("gone@contoso.example", "EX1", True)]


def test_a_step_that_never_ended_verifies_nothing(estate: Any, moving: Any) -> None:
    estate.add("EX1", moving(1))

    found = detect(estate, users=["laura@contoso.example"], after=Done("x"))

    assert undetermined(found) == [("EX1", "EX1", True)]


def test_after_needs_users(estate: Any) -> None:
    with pytest.raises(BadInput, match="after needs users"):
        detect(estate, after=Done("x"))


# -- files without a server -----------------------------------------------------------------------------------


def in_files(path: Path, **values: Any) -> Detection:
    return detect_in_files([path], check_all(STORM.parameters, values))


def test_a_log_of_2010_shows_its_users_in_both_forms_of_the_query(sample_logs: Path) -> None:
    found = in_files(sample_logs / "2010")

    assert [(user.user, user.evidence, user.resolved, user.contacts) for user in found.users] == [
        (
            "CONTOSO\\anna",
            "3 contact syncs over 2000 RPC in 120 min (max 2,605) from iPhone APPL87D2A, every 4 min, "
            "900 contacts sent each time",
            False,
            None,
        ),
        (
            "CONTOSO\\bo",
            "3 contact syncs over 2000 RPC in 120 min (max 3,200) from Android ANDROID77, every 4 min, "
            "1,203 contacts sent each time",
            False,
            None,
        ),
    ]
    assert [(user.user, user.hits) for user in found.watch] == [("CONTOSO\\dora", 2)]
    assert found.notes == ()


def test_a_back_end_log_of_2016_shows_its_users_and_the_thresholds_origin(sample_logs: Path) -> None:
    found = in_files(sample_logs / "2016-back-end" / "u_ex261124.log")

    assert [(user.user, user.hits, user.devices[0].rpc_sum) for user in found.users] == [
        ("CONTOSO\\laura", 4, 14_913),
        ("CONTOSO\\marco", 3, 6800),
    ]
    assert [(user.user, user.hits) for user in found.watch] == [
        ("CONTOSO\\nina", 3),
    ]
    assert undetermined(found) == [("AMS-EX02$", None, False)]
    assert "measured on RpcC" in found.notes[1]


def test_since_counts_back_from_the_last_line_read(sample_logs: Path) -> None:
    assert [user.user for user in in_files(sample_logs / "2010", since="5m").watch] == [
        "CONTOSO\\bo",
        "contoso\\Anna",
        "CONTOSO\\dora",
    ]


def test_a_front_end_log_says_that_it_is_the_wrong_one(sample_logs: Path) -> None:
    found = in_files(sample_logs / "2016-front-end")

    assert undetermined(found) == [(str(sample_logs / "2016-front-end" / "u_ex261124.log"), None, True)]
    assert "W3SVC2" in found.undetermined[0].why


def test_an_empty_log_is_undetermined_and_not_a_clean_result(sample_logs: Path) -> None:
    found = in_files(sample_logs / "empty")

    assert undetermined(found) == [(str(sample_logs / "empty" / "u_ex261124.log"), None, True)]


@pytest.mark.parametrize("column", ["cs-uri-query", "cs-username"])
def test_a_log_without_a_needed_column_is_undetermined_and_not_a_clean_result(
    column: str, estate: Any, flood: Any, tmp_path: Path
) -> None:
    server = estate.add("EX1", *flood())
    server.log = server.data.replace(column.encode(), b"cs-version")
    path = tmp_path / "u_ex261124.log"
    path.write_bytes(server.log)

    on_server, in_file = detect(estate), in_files(path)

    assert undetermined(on_server) == [("EX1", "EX1", True)]
    assert undetermined(in_file)[0] == (str(path), None, True)
    assert f"{column} is not logged" in on_server.undetermined[0].why
    assert f"{column} is not logged" in in_file.undetermined[0].why


def test_a_file_that_is_not_a_log_is_an_error(sample_logs: Path) -> None:
    with pytest.raises(LogFormatError, match="is not a W3C log"):
        in_files(sample_logs / "not-a-log")


def test_users_cannot_be_verified_in_files(sample_logs: Path) -> None:
    with pytest.raises(BadInput, match="need servers"):
        in_files(sample_logs / "2010", users=["anna@contoso.com"])
