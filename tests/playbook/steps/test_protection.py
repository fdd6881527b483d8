"""Whom a protect list protects, as the lab's directory has it: nested groups, and two in each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from easops.errors import AccessRefused, Refused
from easops.exchange.organisation import Organisation
from easops.inventory.load import load_inventory
from easops.lab import server
from easops.lab.value import CmdletFailed, ErrorInfo
from easops.playbook.steps.protection import protected_mailboxes
from easops.remoting.command import Command
from easops.remoting.pool import SessionPool


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Lab]:
    folder = tmp_path_factory.mktemp("groups") / "lab"
    with server.start(folder, scenario="contacts-storm-groups", speed=0, read_only=True) as lab:
        yield lab


@pytest.fixture(scope="module")
def organisation(lab: server.Lab) -> Iterator[Organisation]:
    with SessionPool() as sessions:
        yield Organisation(load_inventory(lab.inventory).hosts, sessions, "dc01.contoso.example")


def names(organisation: Organisation, *entries: str) -> dict[str, str]:
    """Who is protected, by name, and why."""
    every = organisation.session().invoke(Command("Get-Mailbox", {"ResultSize": "Unlimited"}, reads=True)).objects()
    by_guid = {str(mailbox.get("Guid")).lower(): str(mailbox.get("Name")) for mailbox in every}
    return {by_guid[guid]: why for guid, why in protected_mailboxes(entries, organisation).items()}


EXECUTIVES = ("Victoria Chen", "Helen Strand", "George Amari", "Irina Petrova")


@pytest.mark.parametrize("form", ["Executives", "executives@contoso.example", "EXECUTIVES"])
def test_a_group_protects_its_members(organisation: Organisation, form: str) -> None:
    assert names(organisation, form) == dict.fromkeys(EXECUTIVES, "protected: member of Executives")


@pytest.mark.parametrize("group", ["Leadership", "Project Leads"])
def test_groups_in_groups_are_followed_though_two_are_in_each_other(organisation: Organisation, group: str) -> None:
    assert names(organisation, group) == dict.fromkeys((*EXECUTIVES, "Tomas Novak"), f"protected: member of {group}")


def test_a_mailbox_and_a_group_it_is_in_protect_it_once_and_the_first_entry_tells_why(
    organisation: Organisation,
) -> None:
    found = names(organisation, "victoria.chen@contoso.example", "Executives")
    assert found["Victoria Chen"] == "protected"
    assert set(found) == set(EXECUTIVES)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("nobody@contoso.example", "there is no mailbox and no group with this name"),
        ("Olga Weiss", "it is a MailContact"),
        ("Newsletter", "the group Newsletter and its nested groups have no mailbox"),
        ("All Staff", "All Staff is a dynamic distribution group"),
        ("Everybody and Guests", "All Staff is a dynamic distribution group"),
        (" ", "the name of the mailbox is empty"),
    ],
)
def test_an_entry_that_says_less_than_was_meant_refuses_and_says_what_to_correct(
    organisation: Organisation, entry: str, why: str
) -> None:
    with pytest.raises(Refused) as refused:
        protected_mailboxes(["Executives", entry], organisation)
    assert refused.value.what == f"the entry {entry!r} of the protect list cannot be resolved"
    assert why in refused.value.why
    assert refused.value.next_step.endswith("nothing is changed as long as it is not clear who is protected")


def test_two_mailboxes_of_one_name_are_no_entry(organisation: Organisation, lab: server.Lab) -> None:
    shown = [mailbox.display_name for mailbox in lab.world.directory.mailboxes]
    twice = next(name for name in shown if shown.count(name) == 2)
    with pytest.raises(Refused, match="several mailboxes"):
        protected_mailboxes([twice], organisation)


def test_a_group_that_may_not_be_read_refuses_the_run(
    organisation: Organisation, lab: server.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    perform = lab.world.perform

    def denying(cmdlet: object, call: object, moment: object = None) -> object:
        if getattr(cmdlet, "name", "") == "Get-Group":
            message = "The term 'Get-Group' is not recognized as the name of a cmdlet."
            raise CmdletFailed(
                ErrorInfo(message, "System.Management.Automation.CommandNotFoundException", "X", "ObjectNotFound")
            )
        return perform(cmdlet, call, moment)  # type: ignore[arg-type]

    monkeypatch.setattr(lab.world, "perform", denying)
    with pytest.raises(Refused, match="Get-Group"):
        protected_mailboxes(["Executives"], organisation)


def test_two_calls_a_group_are_enough_however_many_its_members_are(
    organisation: Organisation, lab: server.Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    session = organisation.session()
    monkeypatch.setattr(type(session), "invoke", _counting(type(session).invoke, sent))
    protected_mailboxes(["Leadership"], organisation)
    no_mailbox = ["Get-Mailbox", "Set-ADServerSettings", "Get-Mailbox"]  # in its own domain, and in the forest
    assert sent == [*no_mailbox, "Get-Group", *["Get-Recipient", "Get-Group"] * 3]


def _counting(invoke: object, sent: list[str]) -> object:
    def counted(session: object, call: Command, **more: object) -> object:
        sent.append(call.name)
        return invoke(session, call, **more)  # type: ignore[operator]

    return counted


def test_a_refused_logon_is_told_as_itself(lab: server.Lab) -> None:
    class Shut:
        host = "AMS-EX01"

        def open(self, *where: object) -> object:
            raise AccessRefused("the logon was refused", "", "", reason="logon")

    hosts = load_inventory(lab.inventory).hosts
    with pytest.raises(AccessRefused):
        protected_mailboxes(["Executives"], Organisation(hosts, Shut()))  # type: ignore[arg-type]


def test_exchange_2010_resolves_groups_too(tmp_path: Path) -> None:
    with (
        server.start(tmp_path / "lab", scenario="contacts-storm-2010", speed=0, read_only=True) as old,
        SessionPool() as sessions,
    ):
        there = Organisation(load_inventory(old.inventory).hosts, sessions, "dc01.contoso.example")
        assert names(there, "Executives") == dict.fromkeys(EXECUTIVES, "protected: member of Executives")
