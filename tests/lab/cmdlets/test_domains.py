"""A forest with a child domain: what a session sees by itself, with the forest's view, and on a domain controller."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from easops.actions import ACTIONS
from easops.actions.perform import perform
from easops.context import Context
from easops.errors import CommandFailed, Refused
from easops.exchange.mailbox import find_mailbox
from easops.exchange.organisation import Organisation
from easops.exchange.server import choose_domain_controller, find_domain_controller
from easops.inventory.load import load_inventory
from easops.lab import server
from easops.playbook.steps.protection import protected_mailboxes
from easops.remoting.command import Command
from easops.remoting.pool import SessionPool
from easops.remoting.session import Session
from easops.status import Status

LAURA = "laura.brandt@contoso.example"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Lab]:
    with server.start(tmp_path_factory.mktemp("lab"), scenario="contacts-storm-domains", speed=0) as lab:
        yield lab


@pytest.fixture
def pool() -> Iterator[SessionPool]:
    with SessionPool() as pool:
        yield pool


@pytest.fixture
def session(lab: server.Lab, pool: SessionPool) -> Session:
    return pool.open(load_inventory(lab.inventory).hosts[0], "exchange")


def read(session: Session, **parameters: object) -> bool:
    try:
        return bool(session.invoke(Command("Get-Mailbox", {"Identity": LAURA, **parameters}, reads=True)).objects())
    except CommandFailed:
        return False


def test_a_session_sees_its_own_domain_until_it_views_the_forest(session: Session) -> None:
    before = read(session)
    session.invoke(Command("Set-ADServerSettings", {"ViewEntireForest": True}, reads=True))
    after = read(session)
    session.close()

    assert (before, after, read(session)) == (False, True, False)  # the setting ends with the session


@pytest.mark.parametrize(("controller", "has"), [("dc01", False), ("dc11", True), ("dc12.child.contoso.example", True)])
def test_a_domain_controller_has_the_users_of_its_own_domain(session: Session, controller: str, has: bool) -> None:
    assert read(session, DomainController=controller) is has


def test_a_user_of_a_child_domain_is_found(session: Session) -> None:
    found = find_mailbox(session, "CHILD\\lbrandt", domain_controller="dc01.contoso.example")

    assert found is not None
    assert (found.primary_smtp_address, found.domain) == (LAURA, "child.contoso.example")


def test_without_the_right_to_view_the_forest_he_is_not_found_and_it_is_asked_once(session: Session) -> None:
    session.lacks.add("Set-ADServerSettings")

    assert find_mailbox(session, LAURA, domain_controller="dc01.contoso.example") is None


def test_the_domain_controller_of_a_domain_is_always_the_same(session: Session) -> None:
    assert find_domain_controller(session, "child.contoso.example") == "dc11.child.contoso.example"


def test_a_protected_group_protects_its_members_in_other_domains(lab: server.Lab, pool: SessionPool) -> None:
    organisation = Organisation(load_inventory(lab.inventory).hosts, pool, "dc01.contoso.example")
    helen = find_mailbox(organisation.session(), "helen.strand@contoso.example")
    assert helen is not None
    assert helen.domain == "child.contoso.example"

    protected = protected_mailboxes(["Executives"], organisation)

    assert protected[helen.guid] == "protected: member of Executives"
    assert len(protected) == 4


def test_members_in_other_domains_that_cannot_be_read_stop_the_run(lab: server.Lab, pool: SessionPool) -> None:
    organisation = Organisation(load_inventory(lab.inventory).hosts, pool, "dc01.contoso.example")
    organisation.session().lacks.add("Set-ADServerSettings")

    with pytest.raises(Refused, match="Helen Strand is in another domain, and cannot be read"):
        protected_mailboxes(["Executives"], organisation)


class LabClock:
    """Whoever waits by it moves the clock of the lab."""

    def __init__(self, lab: server.Lab) -> None:
        self._lab = lab
        self.waited = 0.0

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        self._lab.world.advance(seconds)

    def monotonic(self) -> float:
        return self.waited


@pytest.mark.parametrize("action", ["block_user", "limit_eas_usage"])
def test_a_user_of_a_child_domain_is_changed_on_his_own_domain_controller_and_changed_back(
    lab: server.Lab, pool: SessionPool, action: str
) -> None:
    hosts = load_inventory(lab.inventory).hosts
    clock = LabClock(lab)
    organisation = Organisation.of(hosts, pool, clock)
    organisation.domain_controller = choose_domain_controller(organisation.session())
    context = Context(sessions=pool, organisation=organisation, clock=clock)
    parameters = {parameter.name: parameter.default for parameter in ACTIONS[action].parameters}

    plan = ACTIONS[action].plan({**parameters, "user": LAURA}, None, context)
    outcomes = [perform(change, context) for change in plan.changes]
    waited = clock.waited
    undone = []
    for change in reversed(plan.changes):
        inverse = change.inverse()
        assert inverse is not None
        undone.append(perform(inverse, context))
        lab.world.advance(60)

    assert {outcome.status for outcome in (*outcomes, *undone)} == {Status.CHANGED}
    assert (waited >= 25) is (action == "limit_eas_usage")  # for the policy, made on another domain controller
