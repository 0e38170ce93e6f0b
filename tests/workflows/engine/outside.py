"""What stands outside of the engine, in a process of its own: a receiver that records, and a wire to PostgreSQL that is cut at a COMMIT.

    python tests/workflows/engine/outside.py POSTGRES_PORT FOLDER

prints `receiver proxy`, their ports. A call to `/steps` is recorded by the run and the step that its body names; `?slow=S` answers
late, `?fails=N` with 503 the first N times, `?refuses=1` with 400. `/seen?run=ID` tells what came. The wire looks at the file `cut` in the folder: when it says
`before`, the next COMMIT does not reach the server; when it says `after`, the server's answer does not come back.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

# What ends a transaction: a COMMIT, or the Sync behind statements that were sent as one.
ENDS = b"COMMIT\x00", b"S\x00\x00\x00\x04"

calls: dict[str, list[tuple[str, str]]] = defaultdict(list)
lock = threading.Lock()


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = {name: float(given[0]) for name, given in parse_qs(urlsplit(self.path).query).items()}
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with lock:
            calls[said["run"]].append((said["step"], self.headers.get("Idempotency-Key", "")))
            times = sum(step == said["step"] for step, _key in calls[said["run"]])
        time.sleep(asked.get("slow", 0))
        self.answer(400 if "refuses" in asked else 503 if times <= asked.get("fails", 0) else 200, {"ok": True})

    def do_GET(self) -> None:
        run = parse_qs(urlsplit(self.path).query)["run"][0]
        with lock:
            self.answer(200, calls[run])

    def answer(self, status: int, body: Any) -> None:
        raw = json.dumps(body).encode()
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    def log_message(self, *_unused: object) -> None:
        """Stay silent."""


class Wire:
    """One connection through to PostgreSQL."""

    def __init__(self, client: socket.socket, port: int, cut: Path) -> None:
        self.client, self.cut, self.is_deaf = client, cut, False
        self.server = socket.create_connection(("127.0.0.1", port))
        for go in (self.forth, self.back):
            threading.Thread(target=go, daemon=True).start()

    def forth(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.client.recv(65536):
                side = self.side() if any(end in data for end in ENDS) else ""
                if side == "before":
                    break
                self.is_deaf = self.is_deaf or side == "after"
                self.server.sendall(data)
        if not self.is_deaf:
            self.end()

    def back(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.server.recv(65536):
                if self.is_deaf:  # the server has committed and says so; nobody hears it
                    break
                self.client.sendall(data)
        self.end()

    def side(self) -> str:
        with contextlib.suppress(OSError):
            said = self.cut.read_text("ascii")
            self.cut.write_text("", "ascii")
            return said
        return ""

    def end(self) -> None:
        for each in (self.client, self.server):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def main() -> None:
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0), backlog=50)
    # Whoever started this process waits for the line.
    sys.stdout.write(f"{receiver.server_port} {listener.getsockname()[1]}\n")
    sys.stdout.flush()
    while True:
        client, _address = listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Wire(client, port, folder / "cut")


if __name__ == "__main__":
    main()
