"""The world around the runs of `chaos`: the receiver that counts, and a thread that sends webhooks and signals, answers and votes.

It does everything until it is told that it was taken, and most of it twice: nothing may be lost or doubled by that.
"""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal.core import db
from portal.core.access import Actor
from portal.core.errors import PortalError
from portal.core.ids import new_id
from portal.devkit.chaos_programs import Known


class Receiver:
    """Records which keys each step of each run came under; slow now and then, so that kills hit calls in flight."""

    def __init__(self) -> None:
        self.keys: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.callbacks: dict[str, int] = {}
        self.calls = 0
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                recorder.keys[(said["run"], said["step"])].add(self.headers["Idempotency-Key"])
                recorder.calls += 1
                if "callback" in said:
                    recorder.callbacks.setdefault(said["callback"], 0)
                time.sleep(random.choice((0.0, 0.0, 0.01, 0.05)))
                body = b'{"ok": true}'
                with contextlib.suppress(OSError):
                    self.send_response(200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_unused: object) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"


class People:
    """A thread that does what people and other systems do."""

    def __init__(self, app: Flask, tenant_id: UUID, owner: UUID, receiver: Receiver, base: str) -> None:
        self.app, self.tenant_id, self.owner, self.receiver, self.base = app, tenant_id, owner, receiver, base
        self.acknowledged: dict[UUID, Known] = {}
        self.signals: list[tuple[UUID, str]] = []
        self.deliveries: list[tuple[str, Known]] = []
        self.refused = 0
        self.quiet = threading.Lock()  # held while a connection is in use: a process may only fork in between
        self.is_over = False
        self._thread = threading.Thread(target=self._live, daemon=True)

    def __enter__(self) -> People:
        self._thread.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self.is_over = True
        self._thread.join(30)

    def knows(self, run_id: UUID, known: Known) -> None:
        """Learn of a run that was acknowledged; its signals are sent from now on."""
        self.acknowledged[run_id] = known
        self.signals += [(run_id, name) for name in known.signals]

    def deliver(self, known: Known) -> None:
        """Have a run started by an inbound webhook, under an id of its own."""
        self.deliveries.append((f"msg_{new_id().hex}", known))

    def _live(self) -> None:
        with self.app.app_context():
            while not self.is_over:
                for act in (self._send_deliveries, self._send_signals, self._answer, self._vote):
                    with self.quiet, contextlib.suppress(DBAPIError, OSError):
                        act()
                time.sleep(0.2)

    def _send_deliveries(self) -> None:
        from portal.workflows.triggers import signing

        for message_id, known in list(self.deliveries[:10]):
            body = json.dumps({"n": 1}).encode()
            path, secret = known.hook
            at = datetime.now(UTC)
            signature = signing.sign(secret, message_id=message_id, at=at, body=body)
            headers = {"webhook-id": message_id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
            status, answer = self._post(path, body, headers)
            if status == 202:
                self.knows(UUID(answer["id"]), known)
                self.deliveries.remove((message_id, known))
                if random.random() < 0.3:  # a sender that did not hear the answer
                    again = self._post(path, body, headers)
                    self.refused += again[0] == 202 and again[1] != answer

    def _send_signals(self) -> None:
        from portal.workflows.signals import service as signals

        by = Actor("person", self.owner)
        for run_id, name in list(self.signals[:20]):
            if random.random() < 0.5:
                continue
            key = f"{run_id}/{name}"
            for _ in range(random.choice((1, 1, 2))):
                signals.send_signal(self.tenant_id, "go", key=key, payload=name, by=by, source="api", dedup_key=key)
            self.signals.remove((run_id, name))

    def _answer(self) -> None:
        for address, times in list(self.receiver.callbacks.items()):
            if times < 2:
                status, _answer = self._post(address.removeprefix(self.base), b'{"paid": true}', {})
                # Nobody waits behind it any more only once an answer has been taken.
                self.refused += status == 404 and not times
                self.receiver.callbacks[address] += status in (200, 202, 404)

    def _vote(self) -> None:
        from portal.workflows.engine.store import answering
        from portal.workflows.engine.store.answering import Vote

        with db.transaction(self.tenant_id) as session:
            tasks = list(session.scalars(text("select id from workflow_tasks where state = 'open' order by created_at limit 20")))
        for task_id in tasks:
            for _ in range(random.choice((1, 2))):
                with contextlib.suppress(PortalError):  # its run has ended meanwhile
                    answering.vote(self.tenant_id, task_id, Vote(self.owner, "approve", {}, "", f"person:{self.owner}"))

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        asked = urllib.request.Request(f"{self.base}{path}", body, {"Content-Type": "application/json", **headers})
        try:
            with urllib.request.urlopen(asked, timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, None
        except (OSError, ValueError):
            return 0, None
