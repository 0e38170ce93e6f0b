"""A mail server that delivers nothing and shows everything: `/` for people, `/messages` for programs.

Mails are kept as files, so they survive a restart. Run it with `python -m portal.devkit.mailcatcher`.
"""

from __future__ import annotations

import argparse
import threading
from base64 import b64encode
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from portal.devkit.children import free_port, hold_stop_signals, wait_for_stop
from portal.devkit.pages import LocalHandler, LocalServer, text_of

KEEP = 500
# A mail may hold anything: it is shown without scripts, without its origin, and without fetching from outside.
MAIL_POLICY = "default-src 'none'; img-src data: cid:; style-src 'unsafe-inline'; sandbox"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it arrived."""

    id: str
    at: datetime
    sender: str
    recipients: list[str]
    raw: bytes

    @property
    def parsed(self) -> EmailMessage:
        message = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message

    def body(self, kind: str) -> str:
        """Return the `plain` or `html` text, or nothing."""
        part = self.parsed.get_body((kind,))
        return str(part.get_content()) if part is not None else ""

    def shown(self) -> str:
        """Return the HTML with the pictures that came along in their places."""
        html = self.body("html")
        for part in self.parsed.walk():
            if part["Content-ID"] and part.get_content_maintype() == "image":
                picture = b64encode(part.get_content()).decode()
                html = html.replace(f"cid:{part['Content-ID'].strip('<>')}", f"data:{part.get_content_type()};base64,{picture}")
        return html

    def as_json(self) -> dict[str, Any]:
        message = self.parsed
        return {
            "id": self.id,
            "at": self.at.isoformat(),
            "sender": self.sender,
            "recipients": self.recipients,
            "from": str(message["From"] or ""),
            "to": str(message["To"] or ""),
            "subject": str(message["Subject"] or ""),
            "headers": [[name, str(value)] for name, value in message.items()],
            "text": self.body("plain"),
            "html": self.body("html"),
            "attachments": [part.get_filename() or "" for part in message.iter_attachments()],
        }


class Mailbox:
    """The newest mails, and their files when a folder is given."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._mails: OrderedDict[str, Mail] = OrderedDict()
        self._lock = threading.Lock()
        if folder:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for path in sorted(folder.glob("*.eml"))[-KEEP:]:
                self._mails[path.stem] = _load(path)

    def add(self, sender: str, recipients: list[str], raw: bytes) -> Mail:
        """Keep one mail; the oldest beyond the limit goes."""
        now = datetime.now(UTC)
        with self._lock:
            number = f"{now:%Y%m%dT%H%M%S%f}"
            mail = Mail(number, now, sender, list(recipients), raw)
            self._mails[number] = mail
            if self._folder:
                envelope = f"X-Envelope: {sender} > {', '.join(recipients)}\r\n".encode("utf-8", "replace")
                (self._folder / f"{number}.eml").write_bytes(envelope + raw)
            while len(self._mails) > KEEP:
                self._forget(next(iter(self._mails)))
        return mail

    def newest_first(self) -> list[Mail]:
        with self._lock:
            return list(reversed(self._mails.values()))

    def get(self, number: str) -> Mail | None:
        with self._lock:
            return self._mails.get(number)

    def clear(self) -> None:
        with self._lock:
            for number in list(self._mails):
                self._forget(number)

    def _forget(self, number: str) -> None:
        del self._mails[number]
        if self._folder:
            (self._folder / f"{number}.eml").unlink(missing_ok=True)


def _load(path: Path) -> Mail:
    first, _, raw = path.read_bytes().partition(b"\r\n")
    sender, _, recipients = first.decode("utf-8", "replace").removeprefix("X-Envelope: ").partition(" > ")
    at = datetime.strptime(path.stem, "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    return Mail(path.stem, at, sender, recipients.split(", "), raw)


class MailCatcher:
    """The two servers of one mailbox: SMTP and web; port 0 takes a free one."""

    def __init__(self, *, smtp_port: int, web_port: int, folder: Path | None = None) -> None:
        self.mailbox = Mailbox(folder)
        self.smtp_port = smtp_port or free_port()
        receiver = _Receiver(self.mailbox)
        self._smtp = Controller(receiver, hostname="127.0.0.1", port=self.smtp_port, enable_SMTPUTF8=True, data_size_limit=26_000_000)
        self._web = LocalServer(type("Handler", (_Pages,), {"mailbox": self.mailbox}), web_port)

    def start(self) -> None:
        self._smtp.start()
        threading.Thread(target=self._web.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._smtp.stop()
        self._web.shutdown()
        self._web.server_close()

    @property
    def url(self) -> str:
        return self._web.url


class _Receiver:
    """What aiosmtpd calls for each mail."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        mail = self._mailbox.add(envelope.mail_from or "", envelope.rcpt_tos, content)
        return f"250 2.0.0 Kept as {mail.id}"


class _Pages(LocalHandler):
    mailbox: Mailbox

    def do_GET(self) -> None:
        if not self.is_local():
            return
        path = self.path.partition("?")[0]
        if path == "/":
            self._list()
        elif path == "/messages":
            self.answer_json([mail.as_json() for mail in self.mailbox.newest_first()])
        else:
            self._one(path)

    do_HEAD = do_GET  # noqa: N815 - the name http.server calls

    def do_DELETE(self) -> None:
        self.read_body()
        if self.is_local() and self.path == "/messages":
            self.mailbox.clear()
            self.answer_json({"ok": True})

    def _list(self) -> None:
        mails = self.mailbox.newest_first()
        rows = (
            "".join(_row(mail) for mail in mails)
            or '<li class="muted">No mail yet. Mails that Nasij sends appear here; none leaves this machine.</li>'
        )
        self.answer_page(f"Mail ({len(mails)})", f"<h1>Mail catcher</h1><ol>{rows}</ol>")

    def _one(self, path: str) -> None:
        number, _, part = path.removeprefix("/messages/").partition("/")
        mail = self.mailbox.get(number) if path.startswith("/messages/") else None
        if mail is None:
            self.answer_page("Not found", '<h1>Not found</h1><p>There is no such mail. <a href="/">All mail</a></p>', status=404)
        elif part == "html":
            self.answer(mail.shown().encode(), "text/html; charset=utf-8", headers={"Content-Security-Policy": MAIL_POLICY})
        elif part == "raw":
            self.answer(mail.raw, "text/plain; charset=utf-8")
        elif part == "json":
            self.answer_json(mail.as_json())
        else:
            self.answer_page(str(mail.parsed["Subject"] or "Mail"), _page(mail))


def _row(mail: Mail) -> str:
    subject = mail.parsed["Subject"] or "(no subject)"
    about = f"{text_of(', '.join(mail.recipients))} · <time>{mail.at:%Y-%m-%d %H:%M:%S} UTC</time>"
    return f'<li><a href="/messages/{mail.id}">{text_of(subject)}</a><br><span class="muted">{about}</span></li>'


def _page(mail: Mail) -> str:
    message = mail.parsed
    lines = [("From", message["From"]), ("To", message["To"]), ("Reply-To", message["Reply-To"]), ("Date", message["Date"])]
    lines += [("Attachment", part.get_filename()) for part in message.iter_attachments()]
    heads = "".join(f"<dt>{name}</dt><dd>{text_of(value)}</dd>" for name, value in lines if value)
    html, text = mail.body("html"), mail.body("plain")
    parts = [f"<h1>{text_of(message['Subject'] or '(no subject)')}</h1><dl class=card>{heads}</dl>"]
    if html:
        parts.append(f'<iframe title="The mail as HTML" sandbox src="/messages/{mail.id}/html"></iframe>')
    if text:
        parts.append(f'<h2>As text</h2><pre dir="auto">{escape(text)}</pre>')
    parts.append(
        f'<p><a href="/">All mail</a> · <a href="/messages/{mail.id}/raw">Source</a> · <a href="/messages/{mail.id}/json">JSON</a></p>'
    )
    return "".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description="Catch every mail and show it on a page.")
    parser.add_argument("--smtp-port", type=int, default=1025)
    parser.add_argument("--web-port", type=int, default=8025)
    parser.add_argument("--folder", type=Path, help="keep mails here; without it they are forgotten at the end")
    asked = parser.parse_args()
    hold_stop_signals()
    catcher = MailCatcher(smtp_port=asked.smtp_port, web_port=asked.web_port, folder=asked.folder)
    catcher.start()
    print(f"Mail catcher: SMTP on port {catcher.smtp_port}, pages on {catcher.url}", flush=True)
    wait_for_stop()
    catcher.stop()


if __name__ == "__main__":
    main()
