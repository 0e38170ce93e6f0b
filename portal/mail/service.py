"""The verbs of mail."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import parseaddr

from flask_mail import Message

from portal.core.config import current_settings
from portal.mail.errors import MailNotSent
from portal.mail.transports import Smtp

MAX_RECIPIENTS = 20
MAX_TEXT = 200_000
ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]+\.[^@\s,;<>\"]{2,}\Z")
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff]")
LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """One mail: who gets it, what it says. `message_id` is the part before the @, the same for every attempt."""

    to: list[str]
    subject: str
    text: str
    message_id: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The mail server took it under this id."""

    message_id: str


def send(mail: OutgoingMail) -> Receipt:
    """Hand a mail to the mail server, to all recipients or to none.

    Raises:
        MailNotSent: `.sent` says whether it may have been taken.
    """
    _check(mail)
    settings = current_settings()
    domain = settings.mail_from.rpartition("@")[2] or "localhost"
    message_id = f"<{mail.message_id}@{domain}>"
    message = Message(
        subject=mail.subject,
        recipients=[*mail.to],
        body=mail.text,
        html=html_of(mail.text),
        sender=settings.mail_from,
        extra_headers={"Auto-Submitted": "auto-generated", "X-Nasij-Idempotency-Key": mail.message_id, **mail.headers},
    )
    message.msgId = message_id
    Smtp(settings).deliver(parseaddr(settings.mail_from)[1], mail.to, message.as_bytes())
    return Receipt(message_id)


def html_of(text: str) -> str:
    """Return the text as an HTML part that says its own direction: a mail client lays out what does not say it."""
    direction, language = ("rtl", "ar") if is_right_to_left(text) else ("ltr", "en")
    paragraphs = "".join(f'<p dir="auto" style="margin:0 0 1em">{_escaped(each)}</p>' for each in text.split("\n\n"))
    body = "font:16px/1.6 'IBM Plex Sans Arabic','Segoe UI',Tahoma,Arial,sans-serif;color:#201e1a;background:#fdfbf8;padding:24px"
    return (
        f'<!doctype html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8"><title></title></head>'
        f'<body dir="{direction}" style="{body}">'
        f'<table role="presentation" dir="{direction}" width="100%" style="max-width:640px"><tr>'
        f'<td dir="{direction}" align="{"right" if direction == "rtl" else "left"}">{paragraphs}</td></tr></table></body></html>'
    )


def is_right_to_left(text: str) -> bool:
    """Say whether the first letter of a text is written from right to left."""
    first = LETTER.search(text)
    return bool(first and RIGHT_TO_LEFT.match(first[0]))


def _escaped(text: str) -> str:
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("\n", "<br>")


def _check(mail: OutgoingMail) -> None:
    if not mail.to:
        raise MailNotSent("invalid_address")
    if len(mail.to) > MAX_RECIPIENTS:
        raise MailNotSent("too_many_recipients")
    for address in mail.to:
        if not ADDRESS.match(address) or not address.isprintable():
            raise MailNotSent("invalid_address", address[:100])
    if any(mark in mail.subject for mark in "\r\n\x00"):
        raise MailNotSent("invalid_header")
    if len(mail.text) > MAX_TEXT:
        raise MailNotSent("message_refused")
