"""What the small pages of the kit share: a server that only this machine can use, HTML that is safe in both directions, JSON."""

from __future__ import annotations

import json
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from string import Template
from typing import Any

LOCAL_NAMES = {"127.0.0.1", "localhost"}
MAX_BODY = 10_000_000

PAGE = Template("""<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8"><title>$title</title><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<style>
  :root { --ink: #201e1a; --muted: #69645c; --line: #e2dfdb; --canvas: #fdfbf8; --card: #fff; --action: #3f4fb1 }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #f9f7f6; --muted: #cdc8c2; --line: #49443e; --canvas: #15120f; --card: #201e1a; --action: #b6c6ff }
  }
  body { margin: 0 auto; max-inline-size: 60rem; padding: 1.5rem 1rem 4rem; background: var(--canvas); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif }
  a { color: var(--action) } h1 { font-size: 1.5rem } .muted { color: var(--muted) }
  ol { list-style: none; padding: 0 } li, .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin-block: .5rem; padding: .75rem 1rem }
  pre { background: var(--canvas); border: 1px solid var(--line); border-radius: 6px; overflow: auto; padding: .75rem; white-space: pre-wrap; overflow-wrap: anywhere }
  iframe { background: #fff; block-size: 32rem; border: 1px solid var(--line); border-radius: 6px; inline-size: 100% }
  dl { display: grid; gap: .25rem 1rem; grid-template-columns: max-content 1fr } dt { color: var(--muted) } dd { margin: 0; overflow-wrap: anywhere }
  button { background: none; border: 1px solid var(--line); border-radius: 6px; color: inherit; cursor: pointer; font: inherit; padding: .25rem .75rem }
</style>
</head>
<body>
$body
</body>
</html>
""")


class LocalServer(ThreadingHTTPServer):
    """A web server of this machine only; `port=0` takes a free one."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, handler: type[LocalHandler], port: int) -> None:
        super().__init__(("127.0.0.1", port), handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class LocalHandler(BaseHTTPRequestHandler):
    """Answers pages and JSON, and refuses a foreign Host: a page of the internet that points its name here must learn nothing."""

    protocol_version = "HTTP/1.1"
    timeout = 65

    def is_local(self) -> bool:
        """Say whether the caller meant this machine; otherwise answer 403."""
        if self.headers.get("Host", "").rpartition(":")[0] in LOCAL_NAMES:
            return True
        self.read_body()
        self.answer_json({"error": "only for 127.0.0.1"}, status=403)
        return False

    def read_body(self) -> bytes:
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(min(length, MAX_BODY))

    def answer_page(self, title: str, body: str, *, status: int = 200) -> None:
        self.answer(PAGE.substitute(title=escape(title), body=body).encode(), "text/html; charset=utf-8", status=status)

    def answer_json(self, content: Any, *, status: int = 200) -> None:
        self.answer(json.dumps(content, ensure_ascii=False, indent=2).encode(), "application/json; charset=utf-8", status=status)

    def answer(self, content: bytes, kind: str, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server calls
        """Say nothing: the page shows what came."""


def text_of(value: object) -> str:
    """Return user text for a page: escaped, and isolated so that its direction is its own."""
    return f'<bdi dir="auto">{escape(str(value))}</bdi>'
