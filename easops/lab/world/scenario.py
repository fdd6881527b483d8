"""Scenarios: an organisation, and what is wrong with it. They are YAML files in ``easops/lab/scenarios``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final, Literal, get_args

import attrs

from easops.document import Checker, DocumentError, Problem, suggestion
from easops.errors import BadInput
from easops.lab.world.happening import Happening, offset, read_happening
from easops.yaml_reader import parse

_KEYS: Final = (
    "description", "version", "organisation", "servers", "mailboxes", "history", "load", "storms", "stubborn", "heavy",
    "first_sync", "groups", "recipients", "policies", "replication", "stranding", "heartbeats", "news",
    "happenings", "domains", "accounts",
)  # fmt: skip


@attrs.frozen
class ServerData:
    """A server: its address, its number of logical processors, and the database that it has, if any.

    *version* is that of its Exchange (default: the scenario's), *dc* the domain controller that it uses (default: the
    first). *client_access* is the role that serves phones. *web_administration*: it has the PowerShell module of that
    name, which is an optional feature of Windows. *max_heartbeat* is MaxHeartbeatInterval, in seconds, as the server
    tells it. *clock* is how far its clock is ahead, in seconds. *executor* is the server that executes the sessions
    which are opened at its exchange endpoint (default: itself), as the proxy of 2013 and later may choose.
    """

    name: str
    ip: str
    processors: int
    version: str
    dc: str
    database: str = ""
    client_access: bool = True
    web_administration: bool = True
    max_heartbeat: int = 3540
    clock: float = attrs.field(default=0.0, converter=offset)
    executor: str = ""


StormKind = Literal["contacts", "bursts", "overlapping", "calendar", "full_syncs", "meeting_responses"]
STORM_KINDS: tuple[StormKind, ...] = get_args(StormKind)


@attrs.frozen
class Storm:
    """A phone that posts *contacts* contacts every *interval* seconds, with *rpc* (lowest, highest) RPCs a request.

    Its user's contacts folder has *folder* items. *server* is the one that serves the phone. *kind* is how it floods:
    ``contacts`` one after the other, in ``bursts`` of three, or ``overlapping`` (each lasts longer than the interval);
    or with requests of other kinds: ``calendar`` items, ``full_syncs`` of the contacts, ``meeting_responses``.
    """

    user: str
    server: str
    contacts: int
    folder: int
    interval: float
    rpc: tuple[int, int]
    device: str
    kind: StormKind = attrs.field(default="contacts", validator=attrs.validators.in_(STORM_KINDS))


@attrs.frozen
class Heavy:
    """A user with a cheap request about every *every* seconds: busy, but not the fault."""

    user: str
    server: str
    every: float


@attrs.frozen
class FirstSync:
    """A new phone, whose first sync takes *times* expensive requests shortly before the start: not the fault."""

    user: str
    server: str
    times: int


@attrs.frozen
class GroupData:
    """A distribution group, or a *security* group without an address. *members* are people, groups and recipients, by
    name."""

    name: str
    members: tuple[str, ...]
    security: bool


@attrs.frozen
class StrandingData:
    """A server on which one Ping in about *every* seconds never ends, since its sync pool started *days* ago."""

    server: str
    days: float
    every: float


@attrs.frozen
class PolicyData:
    """A throttling policy that exists from the beginning, and the users who are associated with it."""

    name: str
    values: Mapping[str, Any]
    users: tuple[str, ...]


@attrs.frozen
class DomainData:
    """A child domain: its NetBIOS name, its domain controllers (full names), and the *users* who are in it."""

    name: str
    netbios: str
    dcs: tuple[str, ...]
    users: tuple[str, ...]


@attrs.frozen
class AccountForest:
    """Another forest, which has the accounts of these *users*: their mailboxes are linked."""

    netbios: str = "ACCOUNTS"
    users: tuple[str, ...] = ()


@attrs.frozen
class Scenario:
    """One world.

    *load* is the share of a server, 0 to 1, that the storms on it use together. *history* is how many seconds of logs
    there are at the start. *stubborn* are the users whose storm no throttling policy stops. *recipients* have no
    mailbox; each has its recipient type. *replication* is how many seconds a change takes from one domain controller to
    the others. A phone uses one of the *heartbeats* (seconds), and a user gets a message about every so many seconds,
    between the two of *news*. *happenings* are what others do after the start. *domains* are those of the forest beside
    the one with the servers.
    """

    name: str
    description: str
    organisation: str
    domain: str
    netbios: str
    site: str
    dcs: tuple[str, ...]
    replication: float
    servers: tuple[ServerData, ...]
    mailboxes: int
    history: float
    load: float
    storms: tuple[Storm, ...]
    stubborn: frozenset[str]
    heavy: Heavy | None
    first_sync: FirstSync | None
    groups: tuple[GroupData, ...]
    recipients: Mapping[str, str]
    policies: tuple[PolicyData, ...]
    stranding: tuple[StrandingData, ...] = ()
    happenings: tuple[Happening, ...] = ()
    domains: tuple[DomainData, ...] = ()
    accounts: AccountForest = AccountForest()
    heartbeats: tuple[int, ...] = (470, 480, 540, 600, 900, 1140, 1680)
    news: tuple[float, float] = (500, 1100)

    @property
    def dc(self) -> str:
        """The first domain controller."""
        return self.dcs[0]

    @property
    def every_dc(self) -> tuple[str, ...]:
        """The domain controllers of all domains."""
        return (*self.dcs, *(dc for domain in self.domains for dc in domain.dcs))

    def domain_of_dc(self, dc: str) -> str:
        """The domain of a domain controller, by its full name."""
        return next((domain.name for domain in self.domains if dc in domain.dcs), self.domain)


def scenario_names() -> tuple[str, ...]:
    """The names of the shipped scenarios."""
    folder = resources.files("easops.lab") / "scenarios"
    return tuple(sorted(item.name.removesuffix(".yml") for item in folder.iterdir() if item.name.endswith(".yml")))


def read_scenario(name: str) -> dict[str, Any]:
    """The data of a shipped scenario. A key that it does not have is that of the scenario that it ``extends``.

    Raises BadInput for an unknown name, DocumentError for a bad file.
    """
    names = scenario_names()
    if name not in names:
        raise BadInput(
            f"there is no lab scenario {name!r}",
            f"there are {', '.join(names)}",
            suggestion(name, names) or "`easops lab list` describes them",
        )
    file = f"{name}.yml"
    text = (resources.files("easops.lab") / "scenarios" / file).read_text(encoding="utf-8")
    checker = Checker(file)
    root = parse(text, checker)
    checker.entries(root, "a scenario", required=("description",), optional=("extends", *_KEYS[1:]))
    checker.finish()
    data: dict[str, Any] = root.plain()
    below = data.pop("extends", None)
    return {**read_scenario(below), **data} if below else data


def build_scenario(name: str, data: Mapping[str, Any]) -> Scenario:
    """The scenario of *data*, from ``read_scenario`` or a state folder. Raises DocumentError."""
    _check_happenings(name, data)
    try:
        scenario = _scenario(name, data)
    except (KeyError, TypeError, ValueError) as error:
        raise DocumentError([Problem(f"{name}.yml", None, None, "the scenario cannot be used", repr(error))]) from None
    if problems := [Problem(f"{name}.yml", None, None, *problem) for problem in _problems(scenario)]:
        raise DocumentError(problems)
    return scenario


def _scenario(name: str, data: Mapping[str, Any]) -> Scenario:
    organisation = data["organisation"]
    heavy, first = data.get("heavy"), data.get("first_sync")
    accounts = data.get("accounts", {})
    dcs = [organisation["dc"]] if isinstance(organisation["dc"], str) else organisation["dc"]
    return Scenario(
        name=name,
        description=str(data["description"]),
        organisation=organisation["name"],
        domain=organisation["domain"],
        netbios=organisation["netbios"],
        site=organisation["site"],
        dcs=tuple(f"{dc}.{organisation['domain']}" for dc in dcs),
        replication=float(data.get("replication", 0)),
        servers=tuple(
            ServerData(**{"dc": dcs[0], **item, "version": str(item.get("version", data["version"]))})
            for item in data["servers"]
        ),
        mailboxes=int(data["mailboxes"]),
        history=float(data["history"]),
        load=float(data["load"]),
        storms=tuple(Storm(**{**item, "rpc": tuple(item["rpc"])}) for item in data["storms"]),
        stubborn=frozenset(data["stubborn"]),
        heavy=Heavy(**heavy) if heavy else None,
        first_sync=FirstSync(**first) if first else None,
        groups=tuple(_group(group, members) for group, members in data["groups"].items()),
        recipients=dict(data.get("recipients", {})),
        policies=tuple(PolicyData(p["name"], p["values"], tuple(p["users"])) for p in data["policies"]),
        stranding=tuple(StrandingData(**item) for item in data.get("stranding", ())),
        happenings=tuple(read_happening(item) for item in data.get("happenings", ())),
        domains=tuple(
            DomainData(
                domain, item["netbios"], tuple(f"{dc}.{domain}" for dc in item["dc"]), tuple(item.get("users", ()))
            )
            for domain, item in data.get("domains", {}).items()
        ),
        accounts=AccountForest(accounts.get("netbios", "ACCOUNTS"), tuple(accounts.get("users", ()))),
        **{key: tuple(data[key]) for key in ("heartbeats", "news") if key in data},
    )


def _check_happenings(name: str, data: Mapping[str, Any]) -> None:
    """Raises DocumentError with the mistakes in all happenings."""
    problems = []
    for number, item in enumerate(data.get("happenings") or (), start=1):
        try:
            read_happening(item)
        except (ValueError, TypeError) as error:
            problems.append(Problem(f"{name}.yml", None, None, f"happening {number} cannot be used", str(error)))
    if problems:
        raise DocumentError(problems)


def _problems(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """What is wrong, and why: places that a part of the scenario cannot have."""
    serving = {server.name for server in scenario.servers if server.client_access}
    specials = [special for special in (*scenario.storms, scenario.heavy, scenario.first_sync) if special is not None]
    places = [(special.user, special.server) for special in specials]
    for what, server in (*places, *(("stranding", data.server) for data in scenario.stranding)):
        if server not in serving:
            yield f"{what}: no phone uses a server {server!r}", f"those for phones are {', '.join(sorted(serving))}"
    servers = {server.name for server in scenario.servers}
    for happening in scenario.happenings:
        if happening.server is not None and happening.server not in servers:
            yield (
                f"{happening.what}: there is no server {happening.server!r}",
                f"there are {', '.join(sorted(servers))}",
            )


def _group(name: str, data: Any) -> GroupData:
    """A list of members is a distribution group; ``{security: [...]}`` a security group."""
    security = isinstance(data, dict)
    return GroupData(name, tuple(data["security"] if security else data), security)
