"""An SMTP server of the tests, and mail that is set to it."""

from __future__ import annotations

import email
from collections.abc import Callable, Iterator
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from portal.core.config import Settings
from portal.devkit.children import free_port
from portal.mail import service


class Post:
    """An SMTP server that keeps mails and can be told to misbehave."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, list[str], EmailMessage]] = []
        self.rcpt: Callable[[str], str] = lambda address: "250 OK"
        self.after_data = "250 OK"
        self.raw: list[bytes] = []
        self.port = 0

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        said = self.rcpt(address)
        if said.startswith("2"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        self.raw.append(envelope.original_content)
        if self.after_data == "drop":
            server.transport.abort()
            return "250 OK"
        if not self.after_data.startswith("2"):
            return self.after_data
        message = email.message_from_bytes(envelope.original_content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, message))
        return self.after_data


@pytest.fixture
def post() -> Iterator[Post]:
    handler = Post()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    handler.port = controller.port
    yield handler
    controller.stop()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    def use(port: int, **more: Any) -> Settings:
        given = {"mail_host": "127.0.0.1", "mail_from": "Nasij <nasij@example.org>", **more}
        made = Settings(environment="test", mail_port=port, **given)
        monkeypatch.setattr(service, "current_settings", lambda: made)
        return made

    return use


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert isinstance(body, EmailMessage)
    return str(body.get_content()).replace("\r\n", "\n")
