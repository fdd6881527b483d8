"""Who is at the other end of a connection: Basic with every request, NTLM and Negotiate once a connection (RFC 4559,
MS-NLMP)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

import attrs
import spnego
from spnego.channel_bindings import GssChannelBindings

from easops.lab.call import Endpoint
from easops.lab.wsman.account import Accounts, LogonRefused, User

OFFERED: Final[Mapping[tuple[Endpoint, bool], tuple[str, ...]]] = {
    ("exchange", True): ("Basic", "Kerberos"),
    ("exchange", False): ("Kerberos",),
    ("windows", True): ("Negotiate", "NTLM", "Basic"),
    ("windows", False): ("Negotiate", "NTLM"),
}
"""The schemes that an endpoint accepts, over TLS (True) or plain HTTP, best first."""


@attrs.define(eq=False)
class Logon:
    """The NTLM or Negotiate logon of one connection. *binding* ties it to the TLS channel (RFC 5929); b"" without TLS.

    *user* is the account once the logon is complete. *context* then encrypts the messages of this connection
    (``encryption.py``), and of no other.
    """

    accounts: Accounts
    binding: bytes
    user: tuple[str, User] | None = None
    context: spnego.ContextProxy | None = None

    def step(self, scheme: str, encoded: str) -> str:
        """The server's token in answer to the client's, both in base64; empty when there is nothing to send.

        Raises LogonRefused; the client may then start a new logon.
        """
        if self.user is not None:
            self.user = self.context = None  # the client starts a new logon
        try:
            token = base64.b64decode(encoded, validate=True)
            if not token:
                raise LogonRefused
            with self.accounts.as_user_file():
                if self.context is None:
                    bindings = GssChannelBindings(application_data=self.binding) if self.binding else None
                    self.context = spnego.server(protocol=scheme.lower(), channel_bindings=bindings)
                answer = self.context.step(token)
            if self.context.complete:
                self.user = self.accounts.named(self.context.client_principal or "")
        except Exception as error:  # pyspnego raises almost anything on a bad token
            self.user = self.context = None
            raise LogonRefused from error
        return base64.b64encode(answer or b"").decode("ascii")
