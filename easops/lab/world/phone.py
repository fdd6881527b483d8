"""A phone: one device of one mailbox, and how its requests look in the logs."""

from __future__ import annotations

import base64
import random
from typing import Final
from urllib.parse import quote

from easops.lab.world.host import Server
from easops.lab.world.recipient import Mailbox
from easops.lab.world.scenario import Scenario

COMMANDS: Final = {
    "Sync": 0, "SendMail": 1, "SmartForward": 2, "SmartReply": 3, "FolderSync": 9, "MeetingResponse": 15, "Search": 16,
    "Settings": 17, "Ping": 18, "ItemOperations": 19,
}  # fmt: skip
"""Command codes of the base64 query. Source: MS-ASHTTP 2.2.1.1.1.1.2."""

_MODELS: Final = {
    "iPhone": ("Apple-iPhone12C1/1808.120", "Apple-iPhone13C4/1905.258", "Apple-iPhone14C5/2001.90"),
    "SamsungDevice": ("Android-SAMSUNG-SM-G991B/101.110", "Android-SAMSUNG-SM-A525F/101.110"),
    "Android": ("Android/12-EAS-2.0", "Android/11-EAS-2.0"),
    "Outlook": ("Outlook-iOS-Android/1.0",),
}  # fmt: skip
_MIX: Final = ("iPhone", "iPhone", "iPhone", "SamsungDevice", "SamsungDevice", "Android", "Outlook")
_PROTOCOL: Final = {"iPhone": 161, "SamsungDevice": 160, "Android": 141, "Outlook": 161}


class Phone:
    """One device of one mailbox.

    *front* is the server whose front end the load balancer chose for it. *back* is the server that does the work and
    logs it: the one with the mailbox or, on 2010, the client access server itself.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        kind: str | None,
        servers: dict[str, Server],
        scenario: Scenario,
        seed: int,
        number: int,
    ) -> None:
        rng = random.Random(f"{seed}:phone:{mailbox.guid}:{number}")
        self.mailbox = mailbox
        self.kind: str = kind or rng.choice(_MIX)
        letters = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
        prefix = {"iPhone": "APPL", "SamsungDevice": "SEC", "Android": "androidc", "Outlook": ""}[self.kind]
        self.device_id: str = prefix + "".join(rng.choice(letters) for _ in range(24 - len(prefix) if prefix else 32))
        self.user_agent: str = rng.choice(_MODELS[self.kind])
        self.protocol: int = min(_PROTOCOL[self.kind], mailbox.product.protocol)
        self.heartbeat: int = rng.choice(scenario.heartbeats)
        self.news: tuple[float, float] = scenario.news
        self.policy_key: int = rng.getrandbits(31)
        self.ip: str = rng.choice(("198.51.100.", "203.0.113.", "192.0.2.")) + str(rng.randint(2, 250))
        self.home: Server = servers[mailbox.server]
        doors = [door for door in servers.values() if door.client_access and door.product is mailbox.product]
        self.front: Server = rng.choice(doors)
        self.back: Server = self.home if mailbox.product.has_back_end else self.front
        self.partnership: float = rng.uniform(20, 700) * 86_400  # seconds before the start
        self.guid: int = rng.getrandbits(128)
        self.last_sync: float | None = None
        self.folders: int = rng.randint(3, 12)
        upn = rng.random() < 0.1
        own = mailbox.linked or f"{mailbox.netbios}\\{mailbox.sam}"
        self.account: str = mailbox.smtp if upn and not mailbox.linked else own
        self.other_account: str = f"{mailbox.netbios}\\{mailbox.sam}" if upn else mailbox.smtp
        typed = rng.choice((mailbox.smtp, f"{mailbox.netbios}\\{mailbox.sam}", mailbox.sam))
        self._typed = quote(typed, safe="@" if rng.random() < 0.5 else "")
        self._binary = self.kind != "Android" and rng.random() < 0.4
        self._command_last = self.kind == "iPhone"
        self._plain: dict[str, str] = {}
        self._front: dict[str, str] = {}

    def settle(self, server: Server) -> None:
        """On 2010 the phone always uses *server*, a client access server. Later versions ignore this."""
        if not self.mailbox.product.has_back_end:
            self.front = self.back = server

    def query(self, command: str) -> str:
        """The query as the back end logs it: plain, also where the phone sent base64."""
        found = self._plain.get(command)
        if found is None:
            device = f"User={self._typed}&DeviceId={self.device_id}&DeviceType={self.kind}"
            found = f"{device}&Cmd={command}" if self._command_last else f"Cmd={command}&{device}"
            self._plain[command] = found
        return found

    def front_query(self, command: str) -> str:
        """The query as the phone sent it."""
        found = self._front.get(command)
        if found is None:
            found = self.query(command) if not self._binary else self._base64(command)
            self._front[command] = found
        return found

    def _base64(self, command: str) -> str:
        device, kind = self.device_id.encode(), self.kind.encode()
        data = bytes((self.protocol, COMMANDS[command], 0x09, 0x04, len(device))) + device
        data += b"\x04" + self.policy_key.to_bytes(4, "little") + bytes((len(kind),)) + kind
        return base64.b64encode(data).decode()
