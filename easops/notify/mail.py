"""Sending a message by mail. If a server does not offer the requested STARTTLS, nothing is sent."""

from __future__ import annotations

import contextlib
import platform
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final

from easops.authorities import authorities
from easops.errors import AccessRefused, BadInput, CommandFailed, OutcomeUnknown, UnreachableHost
from easops.notify.channel import Mail
from easops.notify.transmission import Transmission

_CONNECT: Final = 5.0
"""Seconds that establishing a connection may take."""


def send_mail(way: Mail, subject: str, text: str, message_id: str, transmission: Transmission) -> str:
    """Send a mail. Returns which of several recipients were refused; empty if none. *subject* is one line;
    *message_id* becomes a part of the mail's Message-ID.

    Raises UnreachableHost (nothing was sent), AccessRefused, CommandFailed (the mail was refused), OutcomeUnknown,
    BadInput.
    """
    if way.username is not None and not (way.username + transmission.secrets["password"].reveal()).isascii():
        # smtplib encodes both as ASCII, and its error would contain the password
        raise BadInput(
            f"easops cannot log on to {way.server} as {way.username}",
            "the user name or the password contains a character beyond ASCII",
            "use an account whose name and password are ASCII",
        )
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = way.sender
    message["To"] = ", ".join(way.to)
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(message_id, _domain(way))
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: asks for no automatic reply
    message.set_content(text, cte="quoted-printable")
    server = f"{way.server}:{way.port}"
    client: smtplib.SMTP | None = None
    begun = False
    try:
        client = _connect(way, server, transmission)
        if way.username is not None:
            _log_on(client, way.username, transmission.secrets["password"].reveal(), server)
        transmission.begin()
        begun = True
        refused = client.send_message(message)
        return f"refused for {', '.join(sorted(refused))}" if refused else ""
    except smtplib.SMTPRecipientsRefused as error:
        answers = {transmission.without_secrets(_answer(code, text)) for code, text in error.recipients.values()}
        raise CommandFailed(f"{server} refused mail for {', '.join(error.recipients)}", "; ".join(answers)) from None
    except smtplib.SMTPAuthenticationError as error:
        why = transmission.without_secrets(_answer(error.smtp_code, error.smtp_error))
        raise AccessRefused(f"{server} refused the logon of {way.username}", why, reason="logon") from None
    except smtplib.SMTPConnectError as error:
        why = "what answers there is not a mail server"
        if error.smtp_code > 0:
            why = transmission.without_secrets(_answer(error.smtp_code, error.smtp_error))
        raise UnreachableHost(f"{server} accepts no connection now", why) from None
    except smtplib.SMTPResponseException as error:
        why = transmission.without_secrets(_answer(error.smtp_code, error.smtp_error))
        raise CommandFailed(f"{server} refused the mail", why) from None
    except smtplib.SMTPNotSupportedError as error:
        why = transmission.without_secrets(str(error))
        raise AccessRefused(f"{server} does not offer what is configured", why, reason="endpoint") from None
    except ssl.SSLCertVerificationError as error:
        raise AccessRefused(f"{server} is not trusted", error.verify_message, reason="certificate") from None
    except (OSError, smtplib.SMTPException, ValueError) as error:
        why = transmission.without_secrets(getattr(error, "strerror", None) or str(error) or type(error).__name__)
        if begun:
            raise OutcomeUnknown(f"{server} gave no answer", why) from None
        raise UnreachableHost(f"{server} cannot be reached", why) from None
    finally:
        if client is not None:
            _leave(client)


def _connect(way: Mail, server: str, transmission: Transmission) -> smtplib.SMTP:
    """A connection, encrypted as the channel requires."""
    trust = None if way.tls == "none" else ssl.create_default_context(cafile=authorities(way.ca))
    seconds = transmission.seconds_left(_CONNECT)
    if trust is not None and way.tls == "tls":
        client: smtplib.SMTP = smtplib.SMTP_SSL(way.server, way.port, timeout=seconds, context=trust)
    else:
        client = smtplib.SMTP(way.server, way.port, timeout=seconds)
    try:
        if trust is not None and way.tls == "starttls":
            client.starttls(context=trust)
        client.ehlo_or_helo_if_needed()
        assert client.sock is not None
        client.sock.settimeout(transmission.seconds_left(60.0))
    except BaseException:
        client.close()
        raise
    return client


def _log_on(client: smtplib.SMTP, username: str, password: str, server: str) -> None:
    """Send the password only once: smtplib's ``login`` tries every method that the server offers, and each try with a
    wrong password counts towards an account lockout."""
    offered = client.esmtp_features.get("auth", "").upper().split()
    method = next((method for method in ("PLAIN", "LOGIN") if method in offered), None)
    if method is None:
        why = f"it offers {', '.join(offered) or 'none'}; easops supports PLAIN and LOGIN"
        raise AccessRefused(f"{server} offers no supported logon with a password", why, reason="endpoint")
    client.user, client.password = username, password
    try:
        client.auth(method, client.auth_plain if method == "PLAIN" else client.auth_login)
    except smtplib.SMTPServerDisconnected:
        raise CommandFailed(f"{server} closed the connection during the logon") from None


def _leave(client: smtplib.SMTP) -> None:
    """Close the connection politely; the mail is accepted or refused by now, whatever the server answers."""
    if client.sock is not None:
        client.sock.settimeout(1.0)
    with contextlib.suppress(OSError, smtplib.SMTPException):
        client.quit()
    client.close()


def _answer(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"


def _domain(way: Mail) -> str:
    """The part of a Message-ID after the @: this machine's name, or the sender's domain if that name is not valid
    there."""
    name = platform.node()
    valid = name.replace("-", "").replace(".", "").isalnum() and name.isascii()
    return name if valid else way.sender.rpartition("@")[2].rstrip(">")
