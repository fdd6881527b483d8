"""A message by mail. STARTTLS that a server does not offer is no reason to go on without it."""

from __future__ import annotations

import contextlib
import platform
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final

from easops.errors import AccessRefused, CommandFailed, OutcomeUnknown, UnreachableHost
from easops.notify.channel import Mail
from easops.notify.transmission import Transmission

_CONNECT: Final = 5.0
"""Seconds that a connection may take to come about."""


def mail(way: Mail, subject: str, text: str, message_id: str, transmission: Transmission) -> str:
    """Send it; who of several was refused, or an empty text. *subject* is one line; *message_id* is a
    part of the mail's.

    Raises UnreachableHost (nothing was sent), AccessRefused, CommandFailed (it was not taken), OutcomeUnknown.
    """
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = way.sender
    message["To"] = ", ".join(way.to)
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(message_id, _domain(way))
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer, please
    message.set_content(text, cte="quoted-printable")
    server = f"{way.server}:{way.port}"
    client: smtplib.SMTP | None = None
    begun = False
    try:
        client = _connected(way, server, transmission)
        if way.username is not None:
            _log_on(client, way.username, transmission.secrets["password"].reveal(), server)
        transmission.begins()
        begun = True
        refused = client.send_message(message)
        return f"refused for {', '.join(sorted(refused))}" if refused else ""
    except smtplib.SMTPRecipientsRefused as error:
        told = {transmission.scrubbed(_said(code, words)) for code, words in error.recipients.values()}
        raise CommandFailed(f"{server} takes no mail for {', '.join(error.recipients)}", "; ".join(told)) from None
    except smtplib.SMTPAuthenticationError as error:
        why = transmission.scrubbed(_said(error.smtp_code, error.smtp_error))
        raise AccessRefused(f"{server} refused the logon of {way.username}", why, reason="logon") from None
    except smtplib.SMTPConnectError as error:
        why = "what answers is no mail server"
        if error.smtp_code > 0:
            why = transmission.scrubbed(_said(error.smtp_code, error.smtp_error))
        raise UnreachableHost(f"{server} takes no connection now", why) from None
    except smtplib.SMTPResponseException as error:
        why = transmission.scrubbed(_said(error.smtp_code, error.smtp_error))
        raise CommandFailed(f"{server} did not take the mail", why) from None
    except smtplib.SMTPNotSupportedError as error:
        why = transmission.scrubbed(str(error))
        raise AccessRefused(f"{server} does not offer what was asked for", why, reason="endpoint") from None
    except ssl.SSLCertVerificationError as error:
        raise AccessRefused(f"{server} is not trusted", error.verify_message, reason="certificate") from None
    except (OSError, smtplib.SMTPException, ValueError) as error:
        why = transmission.scrubbed(getattr(error, "strerror", None) or str(error) or type(error).__name__)
        if begun:
            raise OutcomeUnknown(f"{server} gave no answer", why) from None
        raise UnreachableHost(f"{server} cannot be reached", why) from None
    finally:
        if client is not None:
            _leave(client)


def _connected(way: Mail, server: str, transmission: Transmission) -> smtplib.SMTP:
    """A connection that is as private as the channel wants it."""
    trust = None if way.tls == "none" else ssl.create_default_context(cafile=None if way.ca is None else str(way.ca))
    seconds = transmission.left(_CONNECT)
    if trust is not None and way.tls == "tls":
        client: smtplib.SMTP = smtplib.SMTP_SSL(way.server, way.port, timeout=seconds, context=trust)
    else:
        client = smtplib.SMTP(way.server, way.port, timeout=seconds)
    try:
        if trust is not None and way.tls == "starttls":
            client.starttls(context=trust)
        client.ehlo_or_helo_if_needed()
        assert client.sock is not None
        client.sock.settimeout(transmission.left(60.0))
    except BaseException:
        client.close()
        raise
    return client


def _log_on(client: smtplib.SMTP, username: str, password: str, server: str) -> None:
    """Send the password once: smtplib's own ``login`` sends a wrong one in every way that the server offers, and each
    counts where accounts are locked."""
    offered = client.esmtp_features.get("auth", "").upper().split()
    way = next((way for way in ("PLAIN", "LOGIN") if way in offered), None)
    if way is None:
        why = f"it offers {', '.join(offered) or 'none'}; easops has PLAIN and LOGIN"
        raise AccessRefused(f"{server} offers no logon with a password", why, reason="endpoint")
    client.user, client.password = username, password
    try:
        client.auth(way, client.auth_plain if way == "PLAIN" else client.auth_login)
    except smtplib.SMTPServerDisconnected:
        raise CommandFailed(f"{server} ended the connection at the logon") from None


def _leave(client: smtplib.SMTP) -> None:
    """Say goodbye; the mail has been taken, or refused, whatever the answer to that is."""
    if client.sock is not None:
        client.sock.settimeout(1.0)
    with contextlib.suppress(OSError, smtplib.SMTPException):
        client.quit()
    client.close()


def _said(code: int, words: bytes | str) -> str:
    return f"{code} {words.decode('utf-8', 'replace') if isinstance(words, bytes) else words}"


def _domain(way: Mail) -> str:
    """What is right of a message id's @: this machine, or the sender's domain where it has no name that can stand
    there."""
    name = platform.node()
    known = name.replace("-", "").replace(".", "").isalnum() and name.isascii()
    return name if known else way.sender.rpartition("@")[2].rstrip(">")
