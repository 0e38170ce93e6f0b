"""Letters of the house: sealed until sent, sent at least once, in the reader's language, with a button."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from portal.mail import jobs, service
from portal.mail.errors import MailNotSent
from portal.mail.models import Letter
from tests.mail.server import text_of

FACTS = {"name": "Salma", "name_ar": "سلمى", "browser": "", "system": "Linux", "address": "203.0.113.7", "minutes": 30}


def write(to: str, locale: str | None = "ar") -> Letter:
    with db.transaction():
        letter_id = service.post(to, "password_reset", locale=locale, **FACTS, link="/password/reset?token=s3cret")
    with db.transaction() as session:
        return session.get_one(Letter, letter_id)


@pytest.mark.parametrize(
    ("locale", "hello", "dir"), [("ar", "مرحبًا", "rtl"), ("en", "Hello", "ltr"), (None, "Hello", "ltr"), ("xx", "Hello", "ltr")]
)
def test_a_letter_is_sent_once_in_its_language(app, post, settings, locale, hello, dir):  # noqa: A002
    settings(post.port)
    letter = write("sara@example.com", locale)
    with app.app_context():
        jobs.letter(str(letter.id))
        jobs.letter(str(letter.id))

    assert len(post.mails) == 1
    message = post.mails[0][2]
    body, html = text_of(message), message.get_body(("html",)).get_content()
    assert hello in body and "http://localhost/password/reset?token=s3cret" in body
    assert f'dir="{dir}"' in html and 'href="http://localhost/password/reset?token=s3cret"' in html
    assert ("سلمى" if locale == "ar" else "Salma") in body


def test_what_a_letter_says_is_sealed_and_gone_once_sent(app, post, settings):
    settings(post.port)
    letter = write("sara@example.com")
    assert b"s3cret" not in letter.content and b"sara" not in letter.content
    with db.transaction() as session:
        assert not session.scalar(text("select count(*) from outbox where arguments::text like '%s3cret%'"))

    with app.app_context():
        jobs.letter(str(letter.id))

    with db.transaction() as session:
        sent = session.get_one(Letter, letter.id)
        assert (sent.state, sent.content) == ("sent", None) and sent.sent_at is not None


def test_a_busy_server_is_tried_again_and_a_refused_address_is_given_up(app, post, settings):
    settings(post.port)
    letter = write("sara@example.com")
    post.rcpt = lambda _address: "451 later"
    with app.app_context():
        with pytest.raises(MailNotSent):
            jobs.letter(str(letter.id))
        post.rcpt = lambda _address: "550 nobody"
        jobs.letter(str(letter.id))

    with db.transaction() as session:
        assert session.get_one(Letter, letter.id).state == "failed"


def test_a_letter_that_was_rolled_back_was_never_written(app):
    with app.app_context(), db.unit_of_work() as session:
        with db.transaction():
            letter_id = service.post("sara@example.com", "password_reset", locale="en", **FACTS)
        kept = letter_id
        try:
            _write_and_break()
        except ZeroDivisionError as broken:
            lost = broken.args[0]

        assert session.get(Letter, kept) is not None
        assert session.get(Letter, lost) is None


def _write_and_break() -> None:
    with db.transaction():
        letter_id = service.post("sara@example.com", "password_reset", locale="en", **FACTS)
        raise ZeroDivisionError(letter_id)
