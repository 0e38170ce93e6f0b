"""Hand a message to the mail server; knows at each moment whether it may have been taken."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from portal.core import metering
from portal.core.config import Settings
from portal.mail.errors import MailNotSent

CONNECT_S = 5.0
TOTAL_S = 20.0
LINE_END = re.compile(rb"\r\n|\n|\r(?!\n)")
FIRST_DOT = re.compile(rb"(?m)^\.")


class Transport(Protocol):
    """A way out for mail."""

    def deliver(self, sender: str, recipients: list[str], message: bytes) -> None:
        """Deliver to all recipients or to none, or raise MailNotSent."""


def transport_of(settings: Settings) -> Transport:
    """Return the mail server that the settings name; without one, mail is kept in memory and goes nowhere."""
    return Smtp(settings) if settings.mail_host else NULL


@dataclass(slots=True)
class Null:
    """The twin that delivers nothing; newest last."""

    kept: list[tuple[str, list[str], bytes]] = field(default_factory=list)

    def deliver(self, sender: str, recipients: list[str], message: bytes) -> None:
        """Keep the last 100 messages."""
        metering.count(calls=1, mails=len(recipients), sent=len(message))
        self.kept.append((sender, recipients, message))
        del self.kept[:-100]


NULL = Null()


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server, as the settings name it."""

    settings: Settings
    connect_s: float = CONNECT_S
    total_s: float = TOTAL_S

    def deliver(self, sender: str, recipients: list[str], message: bytes) -> None:
        """Deliver to all recipients or to none, within the total time, however slowly the server talks.

        Raises:
            MailNotSent: `.sent` is None only if the line broke after the whole text was handed over.
        """
        server = self._server(sender.rpartition("@")[2] or "localhost")
        with _Watch(server, self.total_s) as watch:
            self._greet(server, watch)
            self._envelope(server, watch, sender, recipients)
            self._text(server, watch, message)
        metering.count(mails=len(recipients))

    def _server(self, own_name: str) -> smtplib.SMTP:
        """Make the connection's object without connecting: whoever connects must be watched already."""
        # Naming ourselves spares a question to the name server; some of them take seconds.
        if self.settings.mail_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(local_hostname=own_name, timeout=self.connect_s, context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(local_hostname=own_name, timeout=self.connect_s)
        # smtplib takes the name for the certificate check from its constructor only, which would connect at once.
        server._host = self.settings.mail_host  # type: ignore[attr-defined]  # private; the TLS tests fail if it goes
        return server

    def _greet(self, server: smtplib.SMTP, watch: _Watch) -> None:
        settings = self.settings
        with _proven_unsent(watch):
            code, _said = server.connect(settings.mail_host, settings.mail_port)
            _expect(watch, code, 220, "connect")
            if server.sock is not None:
                server.sock.settimeout(self.total_s)
            if settings.mail_security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.mail_username:
                server.login(settings.mail_username, settings.mail_password)
            server.ehlo_or_helo_if_needed()

    def _envelope(self, server: smtplib.SMTP, watch: _Watch, sender: str, recipients: list[str]) -> None:
        with _proven_unsent(watch):
            code, _said = server.mail(sender)
            _expect(watch, code, 250, "sender_refused")
            for recipient in recipients:
                code, _said = server.rcpt(recipient)
                _expect(watch, 250 if code == 251 else code, 250, "recipient_refused", recipient)

    def _text(self, server: smtplib.SMTP, watch: _Watch, message: bytes) -> None:
        lines = FIRST_DOT.sub(b"..", LINE_END.sub(b"\r\n", message))
        with _proven_unsent(watch):
            code, _said = server.docmd("data")
            _expect(watch, code, 354, "message_refused")
            metering.count(calls=1)
            # Without the closing dot the server has no message yet: a line that breaks here delivered nothing.
            server.send(lines if lines.endswith(b"\r\n") else lines + b"\r\n")
            metering.count(sent=len(lines))
        try:
            server.send(b".\r\n")
            code, _said = server.getreply()
        except (smtplib.SMTPException, OSError):
            # The server may have taken the message before the line broke: nobody can know.
            raise MailNotSent("timeout" if watch.is_over else "connection_lost", sent=None) from None
        if watch.is_over or not 200 <= code < 600:
            raise MailNotSent("timeout" if watch.is_over else "connection_lost", sent=None)
        _expect(watch, code, 250, "message_refused")


def _expect(watch: _Watch, code: int, wanted: int, refused: str, message: str = "") -> None:
    """A 4xx answer means later (grey-listing, a full box), anything else a refusal for good."""
    if watch.is_over:
        raise MailNotSent("timeout")  # half a line, read when the conversation was ended
    if code == wanted:
        return
    raise MailNotSent("busy" if 400 <= code < 500 else refused, message)


@contextlib.contextmanager
def _proven_unsent(watch: _Watch) -> Iterator[None]:
    """Everything that fails before the closing dot is proof that nobody got the mail."""
    try:
        yield
    except smtplib.SMTPAuthenticationError:
        raise MailNotSent("connect", "user name or password") from None
    except smtplib.SMTPNotSupportedError:
        raise MailNotSent("connect", "STARTTLS") from None
    except ssl.SSLError:
        raise MailNotSent("connect", "TLS") from None
    except (smtplib.SMTPException, OSError) as broken:
        # smtplib turns a wait that took too long into "disconnected".
        slow = watch.is_over or isinstance(broken, TimeoutError) or isinstance(broken.__context__, TimeoutError)
        raise MailNotSent("timeout" if slow else "connect") from None
    except UnicodeError:
        raise MailNotSent("invalid_address") from None


class _Watch:
    """Ends a conversation at its total time: smtplib limits each wait, not their sum."""

    def __init__(self, server: smtplib.SMTP, total_s: float) -> None:
        self._server = server
        self._timer = threading.Timer(total_s, self._end)
        self._timer.daemon = True
        self.is_over = False

    def __enter__(self) -> _Watch:
        self._timer.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        with contextlib.suppress(smtplib.SMTPException, OSError):
            if self._server.sock is not None:
                # The mail is settled: a server that is slow to say goodbye is not waited for.
                self._server.sock.settimeout(1)
                self._server.quit()
        self._timer.cancel()
        self._server.close()

    def _end(self) -> None:
        self.is_over = True
        with contextlib.suppress(OSError, AttributeError):
            self._server.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]  # None before the connection
