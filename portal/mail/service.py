"""The verbs of mail."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.encoders import encode_base64
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from flask import render_template
from flask_babel import force_locale
from flask_mail import Message
from markupsafe import Markup
from sqlalchemy import func
from sqlalchemy import text as sql

from portal.core import db, jobs
from portal.core.config import current_settings
from portal.core.ids import new_id
from portal.core.secrets import SecretLost, seal, unseal
from portal.i18n.reader import LOCALES, Locale, reading
from portal.mail.errors import MailNotSent
from portal.mail.models import Letter
from portal.mail.transports import transport_of
from portal.tenants import service as tenants

log = logging.getLogger(__name__)

LETTERS_KEPT_DAYS = 7
MAX_RECIPIENTS = 20
MAX_SUBJECT = 500
MAX_TEXT = 200_000
MAX_HTML = 500_000
MAX_FILES = 10
MAX_ATTACHED = 10 * 1024 * 1024  # most servers refuse more than 25 MB, and base64 adds a third
KEY = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")
HEADER = re.compile(r"[A-Za-z0-9-]{1,60}\Z")
# What the service writes itself; a second one would let a mail say it is somebody else's.
OWN_HEADERS = frozenset(
    {"from", "sender", "to", "cc", "bcc", "subject", "date", "message-id", "reply-to", "return-path", "received", "mime-version",
     "auto-submitted", "x-nasij-idempotency-key"}
)  # fmt: skip
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
LETTER = re.compile(r"[^\W\d_]")
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
RLM = "\u200f"
LOGO_ID = "logo@nasij"


@dataclass(frozen=True, slots=True)
class Button:
    """A link of the portal; in plain text its address stands written out."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes along with a mail."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """One mail: who gets it, what it says.

    Args:
        message_id: the part before the @, the same for every attempt; also the idempotency key that a receiver may read.
        html: the body as markup made by us, never text from outside; None makes it from the text.
        locale: "ar" or "en", the language of the frame; empty takes the direction of the text.
        origin, origin_ar: the workflow's names; the one in the mail's language stands in the last line.
        button: what there is to do, below the text.
        cc: who gets it, too, and is seen by everybody.
        attachments: files, together 10 MB at most.
        tenant_id: whose look it wears: logo or name, colour and last lines, as published; None for the house's own.
    """

    to: list[str]
    subject: str
    text: str
    message_id: str
    headers: dict[str, str] = field(default_factory=dict)
    html: str | None = None
    reply_to: str = ""
    cc: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    locale: str = ""
    origin: str = ""
    origin_ar: str = ""
    button: Button | None = None
    tenant_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The mail server took it under this id."""

    message_id: str


def send(mail: OutgoingMail) -> Receipt:
    """Hand a mail to the mail server, to all recipients or to none. Needs an application context.

    Raises:
        MailNotSent: `.sent` says whether it may have been taken.
    """
    settings = current_settings()
    to = _recipients(mail.to)
    cc = [each for each in _recipients(mail.cc) if each not in to] if mail.cc else []
    recipients = [*to, *cc]
    if len(recipients) > MAX_RECIPIENTS:
        raise MailNotSent("too_many_recipients")
    _check(mail)
    sender = parseaddr(settings.mail_from)[1]
    message = _built(mail, to, cc, settings.mail_from, sender.rpartition("@")[2] or "localhost")
    transport_of(settings).deliver(sender, recipients, _on_the_wire(message))
    return Receipt(message.msgId)


def post(to: str, message: str, *, locale: str | None, tenant_id: UUID | None = None, **facts: Any) -> UUID:
    """Have a mail of the house sent after the open transaction commits, at least once; returns the letter's id.

    Args:
        message: a folder of `templates/mail/` with `subject.txt` and `body.txt`; blank lines part paragraphs.
        locale: "ar" or "en"; who has chosen none gets the tenant's, or English.
        tenant_id: whose look the mail wears.
        facts: JSON values for the templates. `link`, a path of the portal, becomes the button that `button.txt` names.
    """
    letter_id = new_id()
    tag = locale if locale in LOCALES else (tenants.default_locale(tenant_id) if tenant_id else "") or "en"
    content = json.dumps({"to": to, "locale": tag, "facts": facts})
    session = db.session()
    session.add(Letter(id=letter_id, tenant_id=tenant_id, message=message, content=seal(content, where=_place(letter_id))))
    session.flush()
    jobs.enqueue("mail.letter", letter_id)
    return letter_id


def send_letter(letter_id: UUID) -> None:
    """Send a letter that was posted; one that is sent or given up is left alone. For the job.

    Raises:
        MailNotSent: another attempt can help.
    """
    with db.transaction() as session:
        letter = session.get(Letter, letter_id)
        if letter is None or letter.content is None:
            return
        message, tenant_id, sealed = letter.message, letter.tenant_id, letter.content
    try:
        content = json.loads(unseal(sealed, where=_place(letter_id)))
        send(_letter_as_mail(letter_id, message, content, tenant_id))
    except SecretLost:
        _settle_letter(letter_id, "failed", "secret_lost")
    except MailNotSent as refused:
        if refused.again:
            raise
        log.warning("a letter was refused", extra={"letter": str(letter_id), "tenant": str(tenant_id), "reason": refused.code})
        _settle_letter(letter_id, "failed", refused.code)
    else:
        _settle_letter(letter_id, "sent")


def sweep_letters() -> int:
    """Delete letters older than a week; returns how many. For the dispatcher."""
    with db.transaction(system=True) as session:
        gone = session.execute(
            sql("delete from letters where created_at < clock_timestamp() - make_interval(days => :days)"), {"days": LETTERS_KEPT_DAYS}
        )
    return db.touched(gone)


def _place(letter_id: UUID) -> str:
    return f"letters.content:{letter_id}"


def _settle_letter(letter_id: UUID, state: str, error: str = "") -> None:
    with db.transaction() as session:
        letter = session.get_one(Letter, letter_id)
        letter.state, letter.error, letter.content = state, error, None
        letter.sent_at = session.scalar(func.clock_timestamp()) if state == "sent" else None


def _letter_as_mail(letter_id: UUID, message: str, content: dict[str, Any], tenant_id: UUID | None) -> OutgoingMail:
    tag, facts = content["locale"], content["facts"]
    folder, link = f"mail/{message}", facts.get("link")
    with reading(LOCALES[tag]):
        said = {name: render_template(f"{folder}/{name}.txt", lang=tag, **facts).strip() for name in ("subject", "body")}
        button = Button(render_template(f"{folder}/button.txt", **facts).strip(), current_settings().public_url + link) if link else None
    return OutgoingMail(
        to=[content["to"]], subject=said["subject"], text=said["body"], message_id=str(letter_id), locale=tag, button=button,
        tenant_id=tenant_id,
    )  # fmt: skip


def is_right_to_left(text: str) -> bool:
    """Say whether the first letter of a text is written from right to left."""
    first = LETTER.search(text)
    return bool(first and RIGHT_TO_LEFT.match(first[0]))


def _built(mail: OutgoingMail, recipients: list[str], cc: list[str], mail_from: str, domain: str) -> Message:
    locale = LOCALES[mail.locale or ("ar" if is_right_to_left(mail.text or mail.subject) else "en")]
    text = _clean(mail.text)
    head = tenants.letterhead(mail.tenant_id) if mail.tenant_id else tenants.Letterhead()
    context: dict[str, Any] = {
        "subject": _clean(mail.subject),
        "text": text,
        "paragraphs": _paragraphs(text),
        "html": Markup(mail.html) if mail.html is not None else None,  # noqa: S704 - made by us, see OutgoingMail
        "lang": locale.tag,
        "dir": locale.dir,
        "align": "right" if locale.dir == "rtl" else "left",
        "button": mail.button,
        "accent": head.accent,
        "name": _clean(_said(head.name, locale)),
        "footer": _paragraphs(_clean(_said(head.footer, locale))),
        "logo": {"id": LOGO_ID, "width": head.logo[1], "height": head.logo[2]} if head.logo else None,
        "origin": _clean((mail.origin_ar if locale.tag == "ar" else "") or mail.origin or mail.origin_ar),
    }
    with force_locale(locale.tag):
        message = Message(
            subject=_encoded(_directed(render_template("mail/step/subject.txt", **context).strip())),
            recipients=list(recipients),
            cc=list(cc),
            body=render_template("mail/step/body.txt", **context),
            html=render_template("mail/step/body.html", **context),
            sender=mail_from,
            reply_to=_address(mail.reply_to) if mail.reply_to else None,
            extra_headers={"Auto-Submitted": "auto-generated", "X-Nasij-Idempotency-Key": mail.message_id, **mail.headers},
        )
    message.msgId = f"<{mail.message_id}@{domain}>"
    if head.logo:  # carried along: programs that load no pictures from outside show it, and nobody learns when a mail is read
        message.attach("logo.png", "image/png", head.logo[0], "inline", headers={"Content-ID": f"<{LOGO_ID}>"})
    for file in mail.attachments:
        message.attach(file.name, file.media_type, file.content, "attachment")
    return message


def _said(texts: Mapping[str, str], locale: Locale) -> str:
    """Return a text in the mail's language, else in the other: an organisation that wrote one wants it read."""
    return texts.get(locale.tag) or texts.get(locale.other.tag) or ""


def _on_the_wire(message: Message) -> bytes:
    """Write a message in plain ASCII with short lines: Flask-Mail leaves text as it is, which servers refuse past 998 bytes a line."""
    whole = message_from_bytes(message.as_bytes())
    if message.attachments:
        _arrange(whole)
    for part in whole.walk():
        if part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment":
            text = part.get_payload(decode=True)
            assert isinstance(text, bytes)
            del part["Content-Transfer-Encoding"]
            part.set_payload(b"\r\n".join(text.splitlines()) + b"\r\n")
            encode_base64(part)
    return whole.as_bytes(policy=whole.policy.clone(linesep="\r\n"))


def _arrange(whole: Any) -> None:
    """Put the logo beside the text that shows it (`related`), and files for the reader beside both (`mixed`)."""
    parts = whole.get_payload()
    files = [part for part in parts if part.get_content_disposition() == "attachment"]
    if not files:
        whole.set_type("multipart/related")
        return
    inner = [part for part in parts if part not in files]
    if len(inner) > 1:
        related = MIMEMultipart("related")
        related.set_payload(inner)
        inner = [related]
    whole.set_payload([*inner, *files])


def _paragraphs(text: str) -> list[dict[str, Any]]:
    """Split a text into paragraphs of lines, each with its own direction: Gmail and Outlook do not know `dir="auto"`."""
    found = [part.strip("\n") for part in re.split(r"\n{2,}", text)]
    return [{"lines": part.split("\n"), "dir": "rtl" if is_right_to_left(part) else "ltr"} for part in found if part]


def _directed(subject: str) -> str:
    """A subject takes its direction from its first letter: an Arabic one that begins with a Latin name needs a mark."""
    return RLM + subject if RIGHT_TO_LEFT.search(subject) and not is_right_to_left(subject) else subject


def _encoded(subject: str) -> str:
    """Encode and fold a subject ourselves: Python's generator folds again what is too long, and loses spaces between words."""
    return subject if subject.isascii() else Header(subject, "utf-8", maxlinelen=74, header_name="Subject").encode()


def _clean(text: str) -> str:
    """Leave out what no mail may hold: control characters and halves of characters."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return UNSEEN.sub("", lines).encode("utf-8", "ignore").decode()


def _recipients(to: list[str]) -> list[str]:
    if len(to) > MAX_RECIPIENTS:
        raise MailNotSent("too_many_recipients")
    found = {address.lower(): address for address in map(_address, to)}
    if not found:
        raise MailNotSent("invalid_address")
    return list(found.values())


def _address(text: str) -> str:
    """Return an address that any mail server takes: international domains as A-labels."""
    try:
        valid = validate_email(text, check_deliverability=False, allow_smtputf8=False, globally_deliverable=False, strict=True)
    except EmailNotValidError:
        raise MailNotSent("invalid_address", _shown(text)) from None
    if valid.ascii_email is None or "." not in valid.ascii_domain:
        raise MailNotSent("invalid_address", _shown(text))
    return valid.ascii_email


def _shown(text: str) -> str:
    return "".join(mark for mark in text if mark.isprintable())[:100]


def _check(mail: OutgoingMail) -> None:
    if not KEY.match(mail.message_id):
        raise MailNotSent("invalid_header", "Message-ID")
    if any(mark in mail.subject for mark in "\r\n\x00") or len(mail.subject) > MAX_SUBJECT:
        raise MailNotSent("invalid_header", "Subject")
    for name, value in mail.headers.items():
        if not HEADER.match(name) or name.lower() in OWN_HEADERS or name.lower().startswith("content-"):
            raise MailNotSent("invalid_header", _shown(name))
        if not value.isascii() or not value.isprintable() or len(value) > MAX_SUBJECT:
            raise MailNotSent("invalid_header", _shown(name))
    if mail.locale and mail.locale not in LOCALES:
        raise MailNotSent("invalid_header", "locale")
    if sum(len(file.content) for file in mail.attachments) > MAX_ATTACHED or len(mail.attachments) > MAX_FILES:
        raise MailNotSent("attachments_too_large")
    if len(mail.text) > MAX_TEXT or len(mail.html or "") > MAX_HTML:
        raise MailNotSent("message_refused")
