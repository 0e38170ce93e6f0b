"""The mail catcher: every mail is kept, shown safely in both directions, and still there after a restart."""

from __future__ import annotations

import json
import smtplib
from email.message import EmailMessage
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from portal.devkit.mailcatcher import MailCatcher


@pytest.fixture
def catcher(tmp_path):
    made = MailCatcher(smtp_port=0, web_port=0, folder=tmp_path / "mail")
    made.start()
    yield made
    made.stop()


def post(catcher: MailCatcher, **more: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "نسيج <nasij@nasij.example>", "salma@nasij.example", more.get("subject", "طلب إجازة")
    mail.set_content("تمت الموافقة\nApproved")
    mail.add_alternative(more.get("html", "<p dir=rtl>تمت الموافقة</p>"), subtype="html")
    with smtplib.SMTP("127.0.0.1", catcher.smtp_port, timeout=5) as smtp:
        smtp.send_message(mail)


def read(catcher: MailCatcher, path: str) -> str:
    with urlopen(catcher.url + path, timeout=5) as answer:
        return answer.read().decode()


def test_programs_read_a_mail_as_json(catcher):
    post(catcher)

    (mail,) = json.loads(read(catcher, "/messages"))
    assert (mail["subject"], mail["recipients"]) == ("طلب إجازة", ["salma@nasij.example"])
    assert mail["from"] == "نسيج <nasij@nasij.example>"
    assert "Approved" in mail["text"]
    assert "dir=rtl" in mail["html"]


def test_the_page_isolates_and_escapes_what_came(catcher):
    post(catcher, subject="<b>hello</b>", html="<script>alert(1)</script>")

    listing = read(catcher, "/")
    assert '<bdi dir="auto">&lt;b&gt;hello&lt;/b&gt;</bdi>' in listing
    (mail,) = json.loads(read(catcher, "/messages"))
    assert "<script" not in read(catcher, f"/messages/{mail['id']}")
    with urlopen(f"{catcher.url}/messages/{mail['id']}/html", timeout=5) as answer:
        assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_picture_that_came_along_stands_in_its_place(catcher):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "nasij@nasij.example", "salma@nasij.example", "Logo"
    mail.set_content("text")
    mail.add_alternative('<img src="cid:logo@nasij">', subtype="html")
    mail.get_payload()[1].add_related(b"\x89PNG", "image", "png", cid="<logo@nasij>")
    with smtplib.SMTP("127.0.0.1", catcher.smtp_port, timeout=5) as smtp:
        smtp.send_message(mail)

    (kept,) = json.loads(read(catcher, "/messages"))
    assert '<img src="data:image/png;base64,iVBORw==' in read(catcher, f"/messages/{kept['id']}/html")


def test_mails_survive_a_restart_and_are_forgotten_on_request(catcher, tmp_path):
    post(catcher)
    again = MailCatcher(smtp_port=0, web_port=0, folder=tmp_path / "mail")
    again.start()
    try:
        (mail,) = json.loads(read(again, "/messages"))
        assert (mail["subject"], mail["sender"]) == ("طلب إجازة", "nasij@nasij.example")
        urlopen(Request(f"{again.url}/messages", method="DELETE"), timeout=5)
        assert json.loads(read(again, "/messages")) == []
        assert not list((tmp_path / "mail").iterdir())
    finally:
        again.stop()


@pytest.mark.parametrize(("path", "host", "status"), [("/messages", "evil.example", 403), ("/messages/none", "127.0.0.1:1", 404)])
def test_refusals(catcher, path, host, status):
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(catcher.url + path, headers={"Host": host}), timeout=5)
    assert refused.value.code == status
