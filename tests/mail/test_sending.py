"""Mail to real SMTP servers in this process, good ones and bad ones."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import html5lib
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from flask import Flask

from portal.core.config import ROOT, Settings
from portal.devkit.children import free_port
from portal.i18n import locale as i18n
from portal.mail import transports, wiring
from portal.mail.errors import MailNotSent
from portal.mail.service import OutgoingMail, send
from portal.mail.transports import Null, Smtp, transport_of
from tests.mail.server import Post, text_of


@pytest.fixture(scope="module")
def house() -> Flask:
    """Mail and languages alone: mail needs no database."""
    app = Flask("portal", template_folder=str(ROOT / "templates"))
    i18n.init_app(app)
    wiring.init_app(app)
    return app


@pytest.fixture(autouse=True)
def context(house: Flask) -> Iterator[None]:
    with house.app_context():
        yield


def mail(**more: Any) -> OutgoingMail:
    given: dict[str, Any] = {"to": ["sara@example.com"], "subject": "Leave", "text": "Hello\n\nOne\nTwo", "message_id": "k" * 40, **more}
    return OutgoingMail(**given)


def refusal(call: Callable[[], object]) -> MailNotSent:
    with pytest.raises(MailNotSent) as refused:
        call()
    return refused.value


def test_a_mail_arrives_with_its_stable_id_in_two_parts(post, settings):
    settings(post.port)

    receipt = send(
        mail(to=["sara@example.com", "omar@example.com", "SARA@example.com"], reply_to="desk@example.com", origin="Leave request")
    )

    sender, recipients, message = post.mails[0]
    assert (sender, sorted(recipients)) == ("nasij@example.org", ["SARA@example.com", "omar@example.com"])
    assert receipt.message_id == message["Message-ID"] == f"<{'k' * 40}@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Nasij-Idempotency-Key"] == "k" * 40
    assert message["Reply-To"] == "desk@example.com"
    assert message["From"] == "Nasij <nasij@example.org>"
    assert message["Subject"] == "Leave"
    text = text_of(message)
    assert text.startswith("Hello\n\nOne\nTwo\n\n-- \nSent by the workflow “Leave request” in Nasij.")
    html = message.get_body(("html",)).get_content()
    assert '<html lang="en" dir="ltr">' in html and "One<br>Two" in html


def test_the_html_part_is_valid_and_every_cell_says_its_direction(post, settings):
    settings(post.port)

    send(mail(subject="طلب إجازة", text="السلام عليكم\n\nRequest 12 <b>&</b>\n\nشكرًا"))

    message = post.mails[0][2]
    html = message.get_body(("html",)).get_content()
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(html)
    assert parser.errors == []
    assert tree.get("dir") == "rtl" and tree.get("lang") == "ar"
    for each in [*tree.iter("table"), *tree.iter("td"), *tree.iter("body"), *tree.iter("p")]:
        assert each.get("dir") in ("rtl", "ltr") and f"direction:{each.get('dir')}" in each.get("style"), each.tag
    assert [each.get("dir") for each in tree.iter("p")] == ["rtl", "ltr", "rtl"]
    assert "&lt;b&gt;&amp;" in html
    assert "رسالة آلية من نسيج." in html
    assert not list(tree.iter("a")) and not list(tree.iter("script")) and not list(tree.iter("img"))
    assert message["Subject"] == "طلب إجازة"


def test_an_arabic_subject_that_begins_with_a_latin_name_keeps_its_direction(post, settings):
    settings(post.port)

    send(mail(subject="Ahmed يطلب إجازة", text="نص"))
    send(mail(subject="Ahmed asks", text="نص"))

    assert [each[2]["Subject"] for each in post.mails] == ["\u200fAhmed يطلب إجازة", "Ahmed asks"]


def test_the_frame_follows_the_given_locale_not_the_reader_of_a_page(post, settings):
    settings(post.port)

    send(mail(locale="ar"))

    assert 'lang="ar" dir="rtl"' in post.mails[0][2].get_body(("html",)).get_content()


def test_markup_of_ours_goes_into_the_frame_as_it_is(post, settings):
    settings(post.port)

    send(mail(html="<p dir='ltr'>Hello <strong>you</strong></p>"))

    assert "<strong>you</strong>" in post.mails[0][2].get_body(("html",)).get_content()


def test_lines_with_dots_and_long_lines_arrive_whole(post, settings):
    settings(post.port)
    text = ".\n..\n.dot\n" + "x" * 5_000 + "\nع" * 300

    send(mail(text=text))

    assert text_of(post.mails[0][2]).startswith(text)
    assert post.raw[0].isascii() and max(map(len, post.raw[0].split(b"\r\n"))) < 80


def test_a_long_arabic_subject_is_folded_and_read_back(post, settings):
    settings(post.port)
    subject = "طلب إجازة طويل جدًا " * 10

    send(mail(subject=subject))

    assert post.mails[0][2]["Subject"] == subject.strip()


def test_half_characters_and_controls_are_left_out(post, settings):
    settings(post.port)

    send(mail(text="a\ud800b\x00c\x07d"))

    assert text_of(post.mails[0][2]).startswith("abcd\n")


@pytest.mark.parametrize("address", ["sara@مثال.السعودية", "sara@xn--mgbh0fb.xn--mgberp4a5d4ar"])
def test_an_international_domain_is_written_as_a_label(post, settings, address):
    settings(post.port)

    send(mail(to=[address]))

    assert post.mails[0][1] == ["sara@xn--mgbh0fb.xn--mgberp4a5d4ar"]
    assert post.mails[0][2]["To"] == "sara@xn--mgbh0fb.xn--mgberp4a5d4ar"


@pytest.mark.parametrize(
    "address",
    ["", "sara", "sara@", "@example.com", "sara@example", "sara@@example.com", "sara example@example.com", "sara@example.com\r\nBcc: x@y.zz",
     "sara@example.com, omar@example.com", "Sara <sara@example.com>", "<sara@example.com>", "سارة@example.com", "a" * 65 + "@example.com",
     "sara@[127.0.0.1]", "sara@exa mple.com", "\u202esara@example.com", "-oQ/tmp@ex", "sara@example..com"],
)  # fmt: skip
def test_a_wrong_address_is_refused_before_anybody_is_asked(post, settings, address):
    settings(post.port)

    error = refusal(lambda: send(mail(to=["omar@example.com", address])))

    assert (error.code, error.sent, error.again) == ("invalid_address", False, False)
    assert post.mails == []


@pytest.mark.parametrize(
    "more",
    [
        {"subject": "a\r\nBcc: x@example.com"},
        {"subject": "a\nb"},
        {"subject": "x" * 501},
        {"headers": {"X-A": "a\r\nBcc: x@example.com"}},
        {"headers": {"X-A\r\nBcc": "x"}},
        {"headers": {"Bcc": "x@example.com"}},
        {"headers": {"from": "x@example.com"}},
        {"headers": {"Content-Type": "text/html"}},
        {"headers": {"X-A": "نص"}},
        {"message_id": "a> <b"},
        {"message_id": ""},
        {"locale": "xx"},
    ],
)
def test_nothing_can_begin_another_header(post, settings, more):
    settings(post.port)

    assert refusal(lambda: send(mail(**more))).code == "invalid_header"


def test_recipients_are_few(post, settings):
    settings(post.port)

    assert refusal(lambda: send(mail(to=[f"p{number}@example.com" for number in range(21)]))).code == "too_many_recipients"
    assert refusal(lambda: send(mail(to=[]))).code == "invalid_address"
    assert refusal(lambda: send(mail(reply_to="nobody"))).code == "invalid_address"


def test_a_text_too_long_is_refused(post, settings):
    settings(post.port)

    assert refusal(lambda: send(mail(text="x" * 200_001))).code == "message_refused"


@pytest.mark.parametrize(("said", "code", "again"), [("550 no such box", "recipient_refused", False), ("450 later", "busy", True)])
def test_one_refused_recipient_means_that_nobody_gets_it(post, settings, said, code, again):
    settings(post.port)
    post.rcpt = lambda address: said if address.startswith("omar") else "250 OK"

    error = refusal(lambda: send(mail(to=["sara@example.com", "omar@example.com"])))

    assert (error.code, error.sent, error.again, error.message) == (code, False, again, "omar@example.com")
    assert post.raw == []


@pytest.mark.parametrize(("said", "code"), [("554 spam", "message_refused"), ("451 try later", "busy")])
def test_a_refusal_after_the_text_is_a_refusal(post, settings, said, code):
    settings(post.port)
    post.after_data = said

    error = refusal(lambda: send(mail()))

    assert (error.code, error.sent) == (code, False)


def test_a_line_that_breaks_after_the_text_is_ambiguous(post, settings):
    settings(post.port)
    post.after_data = "drop"

    error = refusal(lambda: send(mail()))

    assert (error.code, error.sent, error.again) == ("connection_lost", None, True)


class Script:
    """A server that says given lines and then does something, without knowing SMTP."""

    def __init__(self, *said: bytes, then: Callable[[socket.socket], None] | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._said, self._then, self._tls = said, then, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            line, _from = self._listener.accept()
            with line:
                for number, each in enumerate(self._said):
                    if number:
                        line.recv(65_536)
                    line.sendall(each + b"\r\n")
                if self._then:
                    self._then(line)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def script() -> Iterator[Callable[..., Script]]:
    made: list[Script] = []

    def start(*said: bytes, **more: Any) -> Script:
        made.append(Script(*said, **more))
        return made[-1]

    yield start
    for each in made:
        each.close()


def deliver(server: Script, *, total_s: float = 0.6, connect_s: float = 0.3) -> MailNotSent:
    settings = Settings(environment="test", mail_host="127.0.0.1", mail_port=server.port)
    smtp = Smtp(settings, connect_s=connect_s, total_s=total_s)
    return refusal(lambda: smtp.deliver("a@example.org", ["b@example.com"], b"Subject: x\r\n\r\ny" * 20_000))


def drip(line: socket.socket) -> None:
    line.recv(65_536)
    while True:
        line.sendall(b"2")
        time.sleep(0.05)


def read_on(line: socket.socket) -> None:
    while line.recv(65_536):
        pass


def read_text(line: socket.socket) -> None:
    kept = b""
    while not kept.endswith(b"\r\n.\r\n"):
        chunk = line.recv(65_536)
        kept = (kept + chunk)[-200:]
        if not chunk:
            return


def hang(line: socket.socket) -> None:
    read_text(line)
    time.sleep(1.5)


def vanish_in_the_text(line: socket.socket) -> None:
    line.recv(1_000)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


@pytest.mark.parametrize(
    ("said", "then", "code", "sent"),
    [
        ((b"220 hi", b"250 ok", b"250 ok", b"250 ok", b"354 go"), hang, "timeout", None),
        ((b"220 hi", b"250 ok", b"250 ok", b"250 ok", b"354 go"), read_text, "connection_lost", None),
        ((b"220 hi", b"250 ok", b"250 ok", b"250 ok", b"554 no"), read_on, "message_refused", False),
        ((b"220 hi", b"250 ok", b"250 ok", b"250 ok"), None, "connect", False),
        ((b"220 hi", b"250 ok", b"250 ok", b"250 ok"), drip, "timeout", False),
        ((b"220 hi", b"250 ok", b"553 no"), read_on, "sender_refused", False),
        ((b"220 hi", b"250 ok"), drip, "timeout", False),
        ((b"220 hi",), lambda line: time.sleep(1.5), "timeout", False),
        ((b"554 go away",), read_on, "connect", False),
        ((b"421 busy",), read_on, "busy", False),
        ((), drip, "timeout", False),
        ((), lambda line: time.sleep(1.5), "timeout", False),
        ((b"hello, this is no mail server",), None, "connect", False),
    ],
    ids=["hangs after the text", "drops after the text", "refuses DATA", "drops at DATA", "drips at DATA", "refuses the sender",
         "drips at MAIL", "hangs at EHLO", "unwelcoming", "busy", "drips the greeting", "silent", "no mail server"],
)  # fmt: skip
def test_what_a_bad_server_means(script, said, then, code, sent):
    server, began = script(*said, then=then), time.monotonic()

    error = deliver(server)

    assert (error.code, error.sent) == (code, sent)
    assert time.monotonic() - began < 2.2


def test_a_line_that_breaks_inside_the_text_is_proof(script):
    server = script(b"220 hi", b"250 ok", b"250 ok", b"250 ok", b"354 go", then=vanish_in_the_text)
    settings = Settings(environment="test", mail_host="127.0.0.1", mail_port=server.port)

    error = refusal(lambda: Smtp(settings, total_s=60).deliver("a@example.org", ["b@example.com"], b"y\r\n" * 4_000_000))

    assert (error.code, error.sent) == ("connect", False)


def test_no_server_is_proof(script):
    server = script()
    server.close()

    error = deliver(server)

    assert (error.code, error.sent, error.again) == ("connect", False, True)


def test_a_slow_goodbye_is_not_waited_for(post, settings, monkeypatch):
    settings(post.port)
    monkeypatch.setattr(SMTP, "smtp_QUIT", lambda self, arg: _never())
    began = time.monotonic()

    send(mail())

    assert time.monotonic() - began < 2.5


async def _never() -> None:
    import asyncio

    await asyncio.sleep(5)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("tls")
    path, key = folder / "both.pem", folder / "key.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", key,
         "-out", path, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        capture_output=True,
        check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl cannot make a certificate here")
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return str(path)


@pytest.fixture
def server_tls(certificate: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # the test server asks over TLS from the first byte
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_travels_encrypted_and_signed_in(settings, server_tls, certificate, security, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    seen: list[tuple[str, bytes, bytes]] = []

    def sign_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        seen.append((mechanism, data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)

    handler = Post()
    options: dict[str, Any] = {"auth_required": True, "authenticator": sign_in}
    if security == "starttls":
        options |= {"tls_context": server_tls, "require_starttls": True}
    else:
        options |= {"ssl_context": server_tls, "auth_require_tls": False}
    controller = Controller(handler, hostname="localhost", port=free_port(), **options)
    controller.start()
    try:
        given = {"mail_host": "localhost", "mail_security": security, "mail_username": "nasij"}
        settings(controller.port, mail_password="right", **given)
        send(mail())
        settings(controller.port, mail_password="wrong", **given)
        error = refusal(lambda: send(mail()))
        settings(controller.port, mail_password="right", **{**given, "mail_host": "127.0.0.1"})
        other_name = refusal(lambda: send(mail()))
    finally:
        controller.stop()
    assert len(handler.mails) == 1 and seen[0][1:] == (b"nasij", b"right")
    assert (error.code, error.message, error.sent) == ("connect", "user name or password", False)
    assert (other_name.code, other_name.message, other_name.sent) == ("connect", "TLS", False)


def test_a_server_without_starttls_gets_nothing(post, settings):
    settings(post.port, mail_security="starttls")

    error = refusal(lambda: send(mail()))

    assert (error.code, error.message, error.sent) == ("connect", "STARTTLS", False)
    assert post.raw == []


def test_without_a_mail_server_mails_are_kept_and_go_nowhere(settings):
    made = settings(0, mail_host="")
    null = transport_of(made)
    assert isinstance(null, Null)
    null.kept.clear()

    send(mail())

    assert null.kept[0][1] == ["sara@example.com"]
    for _ in range(120):
        null.deliver("a", ["b"], b"c")
    assert len(null.kept) == 100
    assert transports.TOTAL_S == 20.0
