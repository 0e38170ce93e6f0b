"""Hand a message to the mail server; knows at each moment whether it may have been taken."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass

from portal.core.config import Settings
from portal.mail.errors import MailNotSent

CONNECT_S = 5.0
TALK_S = 20.0


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server, as the settings name it."""

    settings: Settings

    def deliver(self, sender: str, recipients: list[str], message: bytes) -> None:
        """Deliver to all recipients or to none.

        Raises:
            MailNotSent: `.sent` is None only if the line broke after the text was handed over.
        """
        server = self._connect()
        try:
            self._envelope(server, sender, recipients)
            self._text(server, message)
        finally:
            _quit(server)

    def _connect(self) -> smtplib.SMTP:
        settings = self.settings
        context = ssl.create_default_context()
        try:
            if settings.mail_security == "tls":
                server: smtplib.SMTP = smtplib.SMTP_SSL(settings.mail_host, settings.mail_port, timeout=CONNECT_S, context=context)
            else:
                server = smtplib.SMTP(settings.mail_host, settings.mail_port, timeout=CONNECT_S)
            if server.sock is not None:
                server.sock.settimeout(TALK_S)
            if settings.mail_security == "starttls":
                server.starttls(context=context)
            if settings.mail_username:
                server.login(settings.mail_username, settings.mail_password)
        except TimeoutError:
            raise MailNotSent("timeout") from None
        except (smtplib.SMTPException, OSError):
            raise MailNotSent("connect") from None
        return server

    def _envelope(self, server: smtplib.SMTP, sender: str, recipients: list[str]) -> None:
        try:
            server.ehlo_or_helo_if_needed()
            code, _said = server.mail(sender)
            if code != 250:
                raise MailNotSent("sender_refused")
            for recipient in recipients:
                code, _said = server.rcpt(recipient)
                if code not in (250, 251):
                    raise MailNotSent("recipient_refused" if code >= 500 else "connect", recipient)
        except TimeoutError:
            raise MailNotSent("timeout") from None
        except (smtplib.SMTPException, OSError):
            raise MailNotSent("connect") from None

    def _text(self, server: smtplib.SMTP, message: bytes) -> None:
        try:
            code, _said = server.data(message)
        except smtplib.SMTPDataError:
            raise MailNotSent("message_refused") from None
        except (smtplib.SMTPException, OSError):
            # The text may have been taken before the line broke: nobody can know.
            raise MailNotSent("connection_lost", sent=None) from None
        if code != 250:
            raise MailNotSent("message_refused" if code >= 500 else "connect")


def _quit(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()
