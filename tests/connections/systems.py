"""Other systems that are really there: an HTTP server that does as a test says, and the operator's leave to call it."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from werkzeug.datastructures import MultiDict

from portal.connections import service
from portal.connections.checking import read
from portal.connections.kinds import KINDS
from portal.core import db
from portal.core.access import SYSTEM
from portal.core.config import current_settings


@dataclass
class Asked:
    """One call as it arrived."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """What the other system answers."""

    status: int = 200
    body: bytes | str | dict[str, Any] | list[Any] = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


class Other:
    """Another system on this machine; `answer` decides, `calls` remembers."""

    def __init__(self) -> None:
        self.calls: list[Asked] = []
        self.answer: Callable[[Asked], Reply] = lambda asked: Reply(body={"ok": True})
        other = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _do(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = Asked(self.command, parts.path, parse_qs(parts.query), {k.lower(): v for k, v in self.headers.items()}, body)
                other.calls.append(asked)
                reply = other.answer(asked)
                content = (
                    reply.body
                    if isinstance(reply.body, bytes)
                    else reply.body.encode()
                    if isinstance(reply.body, str)
                    else json.dumps(reply.body).encode()
                )
                self.send_response(reply.status)
                kind = "application/json" if isinstance(reply.body, dict | list) else "text/plain"
                for name, value in {"Content-Type": kind, **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _do

            def log_message(self, *_unused: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Let calls leave for ports of this machine."""
    ports: list[int] = []

    def allow(port: int) -> None:
        ports.append(port)
        monkeypatch.setenv("EGRESS_ALLOW", ",".join(f"127.0.0.1:{each}" for each in ports))
        current_settings.cache_clear()

    yield allow
    monkeypatch.undo()
    current_settings.cache_clear()


@pytest.fixture
def other(opened: Callable[[int], None]) -> Iterator[Other]:
    with _standing(opened) as system:
        yield system


@pytest.fixture
def elsewhere(opened: Callable[[int], None]) -> Iterator[Other]:
    """A second system, which must never see the secrets of the first."""
    with _standing(opened) as system:
        yield system


@contextlib.contextmanager
def _standing(opened: Callable[[int], None]) -> Iterator[Other]:
    system = Other()
    opened(system.port)
    yield system
    system.stop()


def form_of(kind: str, **values: Any) -> MultiDict[str, str]:
    """Return what a page posts for a connection, with the usual values filled in."""
    usual: dict[str, Any] = {
        each.name: "1" if each.default is True else str(each.default) for each in KINDS[kind].plain if each.default not in ("", False)
    }
    return MultiDict({"name": f"{kind} connection", "name_ar": "اتصال", "scope": "tenant", **usual, **values})


def connect(tenant_id: UUID, kind: str, **values: Any) -> UUID:
    """Add a connection as the page does."""
    with db.transaction(tenant_id):
        given = read(KINDS[kind], form_of(kind, **values))
        assert given.problems == {}
        return service.add_connection(tenant_id, kind, given, by=SYSTEM)
