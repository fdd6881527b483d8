"""The phones of an organisation, what runs on them, and the probes of Managed Availability: made when a world opens."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

from easops.lab.world.activesync import ActiveSync
from easops.lab.world.clients import FirstSyncClient, HeavyClient, OrdinaryClient, StormClient
from easops.lab.world.eas_line import probe_lines
from easops.lab.world.events import EventQueue
from easops.lab.world.host import Server
from easops.lab.world.phone import Phone
from easops.lab.world.recipient import Mailbox
from easops.lab.world.request import Client
from easops.lab.world.scenario import Scenario, Storm
from easops.lab.world.stranding import Stranding

_PROBE_INTERVAL: Final = 90.0


class Population:
    """Makes the *phones* and the other clients of one world, and adds the first event of each to *events*.

    *start* is when the world starts for a person, in seconds since 1970; its logs begin earlier.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        mailboxes: Sequence[Mailbox],
        servers: dict[str, Server],
        active_sync: ActiveSync,
        events: EventQueue,
        start: float,
    ) -> None:
        self.phones: list[Phone] = []
        self._storms: list[StormClient] = []
        self._scenario = scenario
        self._seed = seed
        self._mailboxes = mailboxes
        self._servers = servers
        self._active_sync = active_sync
        self._events = events
        self._start = start
        self._begin = start - scenario.history
        self._add_phones()
        for data in scenario.stranding:
            server = servers[data.server]
            self._strand(Stranding(data, server, self.phones, active_sync.in_flight, seed, start))
        self._add_probes()

    def _add_phones(self) -> None:
        scenario, begin = self._scenario, self._begin
        storms = {storm.user: storm for storm in scenario.storms}
        heavy = {scenario.heavy.user: scenario.heavy} if scenario.heavy else {}
        first = {scenario.first_sync.user: scenario.first_sync} if scenario.first_sync else {}
        specials: tuple[Mapping[str, Any], ...] = (storms, heavy, first)
        serving = {user: special.server for group in specials for user, special in group.items()}
        beginning = {happening.whom for happening in scenario.happenings if happening.what == "begin_storm"}
        storms_on = {name: sum(storm.server == name for storm in storms.values()) for name in self._servers}
        processors = {
            name: scenario.load * server.processors / max(1, storms_on[name]) for name, server in self._servers.items()
        }
        rng = random.Random(f"{self._seed}:phones")
        taken: set[str] = set()
        for mailbox in self._mailboxes:
            dice = rng.random()
            if mailbox.monitoring:
                continue
            user = mailbox.display_name
            if user in taken:
                user = ""  # another mailbox with the display name of a special user
            elif user in storms or user in heavy or user in first or user in beginning:
                taken.add(user)
                dice = 0.5
            for number in range(0 if dice < 0.06 else 2 if dice > 0.94 else 1):
                kind = storms[user].device if user in storms else None
                phone = Phone(mailbox, kind, self._servers, scenario, self._seed, number)
                self.phones.append(phone)
                if user in serving:
                    phone.settle(self._servers[serving[user]])
                client: Client
                if user in first:
                    client = FirstSyncClient(phone, self._rng(phone, "first"), first[user])
                    begins = self._start - client.rng.uniform(2300, 2700)
                    phone.partnership = self._start - begins
                elif user in heavy:
                    client = HeavyClient(phone, self._rng(phone, "heavy"), heavy[user])
                    begins = begin + client.rng.uniform(0, 30)
                else:
                    client = OrdinaryClient(phone, self._rng(phone, "ordinary"))
                    begins = begin + client.rng.uniform(0, 400)
                self._events.add(begins, self._active_sync.start_request, client)
                if user in storms:
                    self._active_sync.flooding.add(mailbox)
                    storm = StormClient(phone, self._rng(phone, "storm"), storms[user], processors[storms[user].server])
                    self._storms.append(storm)
                    first_post = begin + storm.rng.uniform(0, storms[user].interval)
                    self._events.add(first_post, self._active_sync.start_request, storm)

    @property
    def storms(self) -> tuple[StormClient, ...]:
        """The storms that go on."""
        return tuple(storm for storm in self._storms if not storm.ended)

    def begin_storm(self, user: str, details: Mapping[str, Any]) -> None:
        """A storm begins now on the first phone of *user*, with the values of *details*, or usual ones."""
        phone = next((phone for phone in self.phones if phone.mailbox.display_name == user), None)
        if phone is None:
            return
        server, mailbox = phone.back, phone.mailbox
        usual = {"contacts": 2500, "interval": 240.0, "rpc": (2400, 4400)}
        data = Storm(user=user, server=server.name, folder=mailbox.contacts, device=phone.kind, **{**usual, **details})
        there = sum(storm.phone.back is server for storm in self.storms)
        processors = self._scenario.load * server.processors / (1 + there)
        storm = StormClient(phone, self._rng(phone, f"storm at {self._events.time}"), data, processors)
        self._storms.append(storm)
        self._active_sync.flooding.add(mailbox)
        self._active_sync.start_request(storm)

    def end_storm(self, user: str) -> None:
        """The storm of *user* ends now: the phone is repaired."""
        for storm in self.storms:
            if storm.phone.mailbox.display_name == user:
                storm.ended = True
                self._active_sync.flooding.discard(storm.phone.mailbox)

    def _rng(self, phone: Phone, purpose: str) -> random.Random:
        return random.Random(f"{self._seed}:{phone.device_id}:{purpose}")

    def _strand(self, stranding: Stranding) -> None:
        self._events.add(stranding.strand(self._events.time), self._strand, stranding)

    def _add_probes(self) -> None:
        health = [mailbox for mailbox in self._mailboxes if mailbox.monitoring]
        for index, server in enumerate(self._servers.values()):
            rng = random.Random(f"{self._seed}:probe:{server.name}")
            for mailbox in health:
                if mailbox.server == server.name:
                    self._events.add(self._begin + 10 + 20 * index, self._probe, server, mailbox.smtp, rng)

    def _probe(self, server: Server, mailbox: str, rng: random.Random) -> None:
        now = self._events.time
        front, back = probe_lines(server, mailbox, rng)
        if not server.down:
            server.logs[1].append(now, front)
            server.logs[2].append(now, back)
            server.sync_worker.cpu += 0.01
        self._events.add(now + _PROBE_INTERVAL + rng.random() * 4, self._probe, server, mailbox, rng)
