"""A receiver of webhooks that records every call and can be told to misbehave.

`/status/503` answers with that status, `/slow/5` waits 5 seconds, `/flaky/2` fails twice for each `Idempotency-Key` and then
succeeds; every other path answers 200. All answer JSON. `/` shows the calls to people, `/calls` to programs (DELETE forgets them).
Run it with `python -m portal.devkit.echo`.
"""

from __future__ import annotations

import argparse
import json
import re
import threading
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any

from portal.devkit.children import hold_stop_signals, wait_for_stop
from portal.devkit.pages import LocalHandler, LocalServer, text_of

KEEP = 1000
SHOWN = 100
MAX_WAIT_S = 120
ORDER = re.compile(r"^/(status|slow|flaky)/(\d{1,3})(?:/|$)")


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it arrived."""

    number: int
    at: str
    method: str
    path: str
    headers: dict[str, str]
    body: str
    status: int

    @property
    def key(self) -> str:
        return self.headers.get("Idempotency-Key", "")


class Echo:
    """The recorder and its server; port 0 takes a free one. `keep` is how many calls it remembers (None: all)."""

    def __init__(self, *, port: int, keep: int | None = KEEP) -> None:
        self._calls: deque[Call] = deque(maxlen=keep)
        self._seen: Counter[str] = Counter()
        self._count = 0
        self._lock = threading.Lock()
        self._server = LocalServer(type("Handler", (_Handler,), {"echo": self}), port)

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def calls(self) -> list[Call]:
        """Return the calls, oldest first."""
        with self._lock:
            return list(self._calls)

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()
            self._seen.clear()

    def record(self, method: str, path: str, headers: dict[str, str], body: str) -> Call:
        """Keep a call, decide how it is answered, and wait when the path asks for it."""
        found = ORDER.match(path)
        order, number = (found[1], int(found[2])) if found else ("", 0)
        with self._lock:
            self._count += 1
            mark = headers.get("Idempotency-Key", "") + " " + path
            self._seen[mark] += 1
            status = 200
            if order == "status":
                status = number if 200 <= number <= 599 else 400
            elif order == "flaky" and self._seen[mark] <= number:
                status = 503
            call = Call(self._count, datetime.now(UTC).isoformat(), method, path, headers, body, status)
            self._calls.append(call)
        if order == "slow":
            time.sleep(min(number, MAX_WAIT_S))
        return call


class _Handler(LocalHandler):
    echo: Echo

    def do_GET(self) -> None:
        if self.path == "/":
            if self.is_local():
                self._page()
        elif self.path == "/calls":
            if self.is_local():
                self.answer_json([asdict(call) for call in self.echo.calls()])
        else:
            self._record()

    def do_DELETE(self) -> None:
        if self.path != "/calls":
            self._record()
        elif self.is_local():
            self.echo.clear()
            self.answer_json({"ok": True})

    def _record(self) -> None:
        body = self.read_body().decode("utf-8", "replace")
        headers = {"-".join(part.capitalize() for part in name.split("-")): value for name, value in self.headers.items()}
        call = self.echo.record(self.command, self.path, headers, body)
        answer: dict[str, Any] = {
            "ok": call.status < 400,
            "number": call.number,
            "method": call.method,
            "path": call.path,
            "received": _parsed(body),
        }
        more = {"Retry-After": "1"} if call.status in (429, 503) else {}
        content = b"" if call.status in (204, 304) else json.dumps(answer, ensure_ascii=False).encode()
        self.answer(content, "application/json; charset=utf-8", status=call.status, headers=more)

    do_POST = do_PUT = do_PATCH = do_HEAD = _record  # noqa: N815 - the names http.server calls

    def _page(self) -> None:
        calls = list(reversed(self.echo.calls()))
        rows = "".join(_row(call) for call in calls[:SHOWN])
        hint = '<p class="muted">Send a webhook to any path here. <code>/status/503</code> fails, <code>/slow/5</code> waits 5 seconds, '
        hint += "<code>/flaky/2</code> fails twice and then succeeds.</p>"
        self.answer_page(f"Calls ({len(calls)})", f"<h1>Webhook echo</h1>{hint}<ol>{rows}</ol>")


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


def _row(call: Call) -> str:
    heads = "\n".join(f"{name}: {value}" for name, value in call.headers.items())
    title = f"<strong>{escape(call.method)}</strong> {text_of(call.path)} → {call.status} <time class=muted>{call.at[:19].replace('T', ' ')} UTC</time>"
    body = f'<pre dir="auto">{escape(call.body)}</pre>' if call.body else ""
    return f"<li>{title}{body}<details><summary>Headers</summary><pre>{escape(heads)}</pre></details></li>"


def main() -> None:
    parser = argparse.ArgumentParser(description="Record webhooks and show them on a page.")
    parser.add_argument("--port", type=int, default=8026)
    asked = parser.parse_args()
    hold_stop_signals()
    echo = Echo(port=asked.port)
    echo.start()
    print(f"Webhook echo: {echo.url}", flush=True)
    wait_for_stop()
    echo.stop()


if __name__ == "__main__":
    main()
