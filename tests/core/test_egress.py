"""Calls over real sockets of this machine; only the resolver is ours."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portal.core import egress, lines
from portal.core.addresses import Policy, read_policy
from portal.core.egress import Answer, EgressError, Timeouts

QUICK = Timeouts(resolve_s=0.3, connect_s=0.4, tls_s=0.4, read_s=0.5, total_s=1.0)
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Server:
    """A listener that gives each connection to a function, and keeps what it received."""

    def __init__(self, answer: Callable[[socket.socket], None], tls: ssl.SSLContext | None = None) -> None:
        self._answer = answer
        self._tls = tls
        self.received: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                line, _from = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._one, args=(line,), daemon=True).start()

    def _one(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError), line:
            if self._tls:
                line = self._tls.wrap_socket(line, server_side=True)
            line.settimeout(5)
            self._answer(line)

    def read_request(self, line: socket.socket) -> bytes:
        request = b""
        while b"\r\n\r\n" not in request:
            chunk = line.recv(65_536)
            if not chunk:
                break
            request += chunk
        head, _, body = request.partition(b"\r\n\r\n")
        for field in head.lower().split(b"\r\n"):
            if field.startswith(b"content-length:"):
                while len(body) < int(field.partition(b":")[2]):
                    body += line.recv(65_536)
        self.received.append(head + b"\r\n\r\n" + body)
        return request

    @property
    def policy(self) -> Policy:
        return read_policy([f"127.0.0.1:{self.port}"], http=False, production=False)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def call(self, method: str = "GET", path: str = "/", **options: object) -> Answer:
        return egress.send(method, self.url(path), policy=self.policy, timeouts=QUICK, **options)  # type: ignore[arg-type]

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def start(*pieces: bytes, pause_s: float = 0.0, tls: ssl.SSLContext | None = None, hold_s: float = 0.0) -> Server:
        def answer(line: socket.socket) -> None:
            server.read_request(line)
            for piece in pieces:
                line.sendall(piece)
                time.sleep(pause_s)
            time.sleep(hold_s)

        server = Server(answer, tls)
        made.append(server)
        return server

    yield start
    for each in made:
        each.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The resolver's answers: name → addresses; each question is counted under `?name`."""
    known: dict[str, list[str]] = {}

    def resolve(host: str, port: int) -> list[str]:
        known.setdefault(f"?{host}", []).append("asked")
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return known[host]

    monkeypatch.setattr(lines, "_resolve", resolve)
    return known


def refusal(call: Callable[[], object]) -> EgressError:
    with pytest.raises(EgressError) as refused:
        call()
    return refused.value


def test_a_call_arrives_as_it_was_meant(serve):
    server = serve(HELLO)

    answer = server.call("POST", "/طلب?q=1", body="نص".encode(), headers={"Idempotency-Key": "k1", "Content-Type": "text/plain"})

    assert (answer.status, answer.body, answer.truncated, answer.headers["content-length"]) == (200, b"hello", False, "5")
    lines = server.received[0].split(b"\r\n")
    assert lines[0] == b"POST /%D8%B7%D9%84%D8%A8?q=1 HTTP/1.1"
    assert set(lines[1:-2]) == {
        f"Host: 127.0.0.1:{server.port}".encode(), b"User-Agent: Nasij/1", b"Accept-Encoding: identity", b"Connection: close",
        b"Content-Length: 4", b"Idempotency-Key: k1", b"Content-Type: text/plain",
    }  # fmt: skip
    assert server.received[0].endswith("\r\n\r\nنص".encode())


def test_localhost_is_the_opened_address(serve):
    server = serve(HELLO)

    assert egress.send("GET", f"http://localhost:{server.port}/", policy=server.policy).status == 200


def test_a_redirect_is_an_answer(serve):
    server = serve(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n")

    answer = server.call()

    assert (answer.status, answer.location, server.connections) == (302, "http://169.254.169.254/latest/", 1)


def test_cookies_are_not_kept_and_connections_not_reused(serve):
    server = serve(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n", hold_s=0.2)

    server.call()
    server.call()

    assert server.connections == 2
    assert b"cookie" not in server.received[1].lower()


def test_proxy_variables_of_the_environment_are_ignored(serve, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert serve(HELLO).call().status == 200


def test_a_long_body_is_cut(serve):
    answer = serve(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000).call()

    assert (len(answer.body), answer.truncated) == (16_384, True)


def test_a_compressed_answer_stays_compressed(serve):
    answer = serve(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08").call()

    assert answer.body == b"\x1f\x8b\x08"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"a" * 20_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 4_000 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000,
    ],
    ids=["one long header", "many headers", "continue for ever"],
)
def test_an_answer_with_a_head_too_large_is_refused(serve, head):
    error = refusal(serve(head).call)

    assert (error.code, error.sent) == ("too_large", True)


@pytest.mark.parametrize(
    ("pieces", "pause_s"),
    [
        ((HELLO[:1], *[b"x"] * 30), 0.1),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[b"x"] * 30), 0.1),
        ((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n"] * 30), 0.1),
    ],
    ids=["head", "body", "chunks"],
)
def test_a_dripping_server_is_cut_at_the_total_time(serve, pieces, pause_s):
    server, began = serve(*pieces, pause_s=pause_s), time.monotonic()

    error = refusal(server.call)

    assert (error.code, error.sent) == ("timeout", True)
    assert 0.9 <= time.monotonic() - began < 1.6


def test_a_receiver_that_reads_a_byte_now_and_then_is_cut(serve):
    def answer(line: socket.socket) -> None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        while line.recv(256):
            time.sleep(0.05)

    server = Server(answer)
    began = time.monotonic()

    error = refusal(lambda: server.call("POST", body=b"x" * 256 * 1024))

    assert error.code == "timeout" and error.sent is None
    assert time.monotonic() - began < 1.6
    server.close()


def test_a_server_that_says_nothing_may_have_taken_the_call(serve):
    error = refusal(serve(hold_s=3).call)

    assert (error.code, error.sent) == ("timeout", None)


@pytest.mark.parametrize(
    "piece", [b"", b"HTTP/1.1 200 OK\r\nContent-Len", b"hello there\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi"]
)
def test_a_broken_answer_is_ambiguous(serve, piece):
    error = refusal(serve(piece).call)

    assert error.code == "protocol"
    assert error.sent is (True if piece else None)


def test_an_answer_before_the_body_was_read_is_kept():
    def answer(line: socket.socket) -> None:
        line.recv(100)
        line.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        line.shutdown(socket.SHUT_WR)
        while line.recv(65_536):
            pass

    server = Server(answer)
    assert server.call("POST", body=b"x" * 250_000).status == 413
    server.close()


def test_a_refused_connection_is_proof_that_nothing_was_sent():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    policy = read_policy([f"127.0.0.1:{port}"], http=False, production=False)

    error = refusal(lambda: egress.send("POST", f"http://127.0.0.1:{port}/", policy=policy, body=b"x"))

    assert (error.code, error.sent) == ("connect", False)


def test_a_hanging_connect_ends_in_time(names):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    port = listener.getsockname()[1]
    waiting = [socket.socket() for _ in range(4)]
    for each in waiting:  # a full queue: the kernel drops further knocks, as a firewall would
        each.setblocking(False)
        each.connect_ex(("127.0.0.1", port))
    began = time.monotonic()

    error = refusal(
        lambda: egress.send(
            "GET", f"http://127.0.0.1:{port}/", policy=read_policy([f"127.0.0.1:{port}"], http=False, production=False), timeouts=QUICK
        )
    )

    assert (error.code, error.sent) == ("timeout", False)
    assert time.monotonic() - began < 1.0
    for each in [*waiting, listener]:
        each.close()


def test_the_next_address_is_tried_when_one_does_not_answer(serve, names):
    server = serve(HELLO)
    names["two.example"] = ["127.0.0.9", "127.0.0.1"]
    policy = read_policy([f"127.0.0.1:{server.port}", f"127.0.0.9:{server.port}"], http=True, production=False)

    assert egress.send("GET", f"http://two.example:{server.port}/", policy=policy, timeouts=QUICK).status == 200


def test_an_unknown_name_is_dns(names):
    error = refusal(lambda: egress.send("GET", "https://nowhere.example/", policy=Policy()))

    assert (error.code, error.sent) == ("dns", False)


def test_a_resolver_that_hangs_is_dns_in_time(monkeypatch):
    monkeypatch.setattr(lines, "_resolve", lambda host, port: time.sleep(1.5) or [])
    began = time.monotonic()

    error = refusal(lambda: egress.send("GET", "https://slow.example/", policy=Policy(), timeouts=QUICK))

    assert (error.code, error.sent) == ("dns", False)
    assert time.monotonic() - began < 1.0


def test_hanging_lookups_do_not_become_as_many_as_calls(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(lines, "_lookups", threading.BoundedSemaphore(2))
    monkeypatch.setattr(lines, "_resolve", lambda host, port: release.wait(10) and [])

    def call(_number: int) -> str:
        return refusal(lambda: egress.send("GET", "https://slow.example/", policy=Policy(), timeouts=QUICK)).code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(call, range(6))) == {"dns"}
        assert sum(thread.name == "resolve" and thread.is_alive() for thread in threading.enumerate()) <= 3
    release.set()


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["2606:4700::1111", "fe80::1%eth0"],
        ["8.8.8.8", "::ffff:169.254.169.254"],
        ["not an address"],
    ],
    ids=["loopback", "mixed", "zone", "mapped", "no address"],
)
def test_a_name_with_any_inner_address_is_blocked_without_a_connection(names, answers, monkeypatch):
    monkeypatch.setattr(egress, "_call", lambda *_: pytest.fail("a connection was tried"))
    names["inner.example"] = answers

    error = refusal(lambda: egress.send("GET", "https://inner.example/", policy=Policy()))

    assert (error.code, error.sent, error.reason) == ("blocked", False, "address")
    assert "10.0.0.1" not in error.message and "127" not in error.message


def test_too_many_answers_are_refused(names):
    names["many.example"] = [f"8.8.8.{number}" for number in range(17)]

    assert refusal(lambda: egress.send("GET", "https://many.example/", policy=Policy())).code == "dns"


def test_a_rebinding_name_is_asked_once(serve, tls, monkeypatch):
    server = serve(HELLO, tls=tls)
    answers = iter([["127.0.0.1"], ["127.0.0.2"], ["10.0.0.1"]])
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    monkeypatch.setattr(lines, "_resolve", resolve)

    assert egress.send("GET", f"https://receiver.example:{server.port}/", policy=server.policy).status == 200
    assert asked == ["receiver.example"]


def test_blocked_and_unknown_names_take_the_same_time(names):
    names["inner.example"] = ["10.0.0.1"]
    took = []
    for name in ("inner.example", "nowhere.example"):
        began = time.monotonic()
        refusal(lambda name=name: egress.send("GET", f"https://{name}/", policy=Policy()))
        took.append(time.monotonic() - began)

    assert all(0.24 <= each < 0.6 for each in took)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A certificate for receiver.example with its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    path, key = folder / "both.pem", folder / "key.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout", key,
         "-out", path, "-subj", "/CN=receiver.example", "-addext", "subjectAltName=DNS:receiver.example"],
        capture_output=True,
        check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl cannot make a certificate here")
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return str(path)


@pytest.fixture
def tls(certificate: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """A server's side; the client trusts it the way an operator would say so."""
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    egress._tls.cache_clear()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    yield server
    egress._tls.cache_clear()


def test_the_certificate_is_checked_for_the_name_while_the_call_goes_to_the_address(serve, names, tls):
    server = serve(HELLO, tls=tls)
    names["receiver.example"] = ["127.0.0.1"]

    answer = egress.send("GET", f"https://receiver.example:{server.port}/x", policy=server.policy)

    assert answer.status == 200
    assert f"Host: receiver.example:{server.port}".encode() in server.received[0]


def test_a_certificate_for_another_name_ends_the_call_before_it_is_sent(serve, names, tls):
    server = serve(HELLO, tls=tls)
    names["other.example"] = ["127.0.0.1"]

    error = refusal(lambda: egress.send("POST", f"https://other.example:{server.port}/", policy=server.policy, body=b"secret"))

    assert (error.code, error.sent) == ("tls", False)
    assert server.received == []


def test_an_unknown_authority_ends_the_call(serve, names, certificate):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    receiver = serve(HELLO, tls=server)
    names["receiver.example"] = ["127.0.0.1"]

    error = refusal(lambda: egress.send("GET", f"https://receiver.example:{receiver.port}/", policy=receiver.policy))

    assert (error.code, error.sent) == ("tls", False)


def test_an_old_tls_version_is_refused(serve, names, tls):
    tls.minimum_version = ssl.TLSVersion.TLSv1
    tls.maximum_version = ssl.TLSVersion.TLSv1_1
    server = serve(HELLO, tls=tls)
    names["receiver.example"] = ["127.0.0.1"]

    error = refusal(lambda: egress.send("GET", f"https://receiver.example:{server.port}/", policy=server.policy))

    assert (error.code, error.sent) == ("tls", False)


def test_a_tls_server_that_never_answers_the_handshake_is_cut(names):
    server = Server(lambda line: time.sleep(2))
    names["receiver.example"] = ["127.0.0.1"]

    error = refusal(lambda: egress.send("GET", f"https://receiver.example:{server.port}/", policy=server.policy, timeouts=QUICK))

    assert (error.code, error.sent) == ("timeout", False)
    server.close()


@pytest.mark.parametrize(
    "name",
    ["Host", "cookie", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Connection", "TE", "Upgrade", "Expect", "Forwarded",
     "X-Forwarded-For", "webhook-id", "X-Amz-Date", "X-Goog-Api", "Metadata-Flavor", "X-Azure-Ref", "X-MS-Version", "Proxy-Authorization",
     "User-Agent", "X-aws-ec2-metadata-token", "bad name", "bad:name", "bad\r\nname", "نوع", ""],
)  # fmt: skip
def test_a_header_that_is_not_the_authors_is_refused(serve, name):
    server = serve(HELLO)

    assert refusal(lambda: server.call(headers={name: "x"})).code == "blocked"
    assert server.connections == 0


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "\x00", "سر", " a", "a\x7f"])
def test_a_header_value_cannot_begin_another_header(serve, value):
    assert refusal(lambda: serve(HELLO).call(headers={"X-Key": value})).reason == "header"


def test_headers_are_few_and_short(serve):
    server = serve(HELLO)

    assert refusal(lambda: server.call(headers={f"X-{number}": "a" for number in range(21)})).reason == "header"
    assert refusal(lambda: server.call(headers={"X-Key": "a" * 4_100})).reason == "header"
    assert refusal(lambda: server.call(headers={"X-Key": "a", "x-key": "b"})).reason == "header"
    assert server.call(headers={"Authorization": "Bearer abc", "Content-Type": "application/xml"}).status == 200


def test_secrets_do_not_travel_without_tls(names):
    names["plain.example"] = ["8.8.8.8"]
    policy = Policy(http=True)

    assert refusal(lambda: egress.send("GET", "http://plain.example/", policy=policy, headers={"Authorization": "x"})).reason == "header"


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "get", "GET / HTTP/1.1\r\n", ""])
def test_a_strange_method_is_refused(serve, method):
    assert refusal(lambda: serve(HELLO).call(method)).reason == "method"


def test_a_request_too_large_is_not_sent(serve):
    server = serve(HELLO)

    assert refusal(lambda: server.call("POST", body=b"x" * (256 * 1024 + 1))).code == "too_large"
    assert server.connections == 0


def test_the_connection_must_reach_the_judged_address(serve, monkeypatch):
    server = serve(HELLO)
    monkeypatch.setattr(socket.socket, "getpeername", lambda self: ("10.0.0.1", 1))

    error = refusal(server.call)

    assert (error.code, error.sent) == ("blocked", False)
    assert server.received in ([], [b"\r\n\r\n"])


def open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_a_call_leaves_no_socket_open(serve):
    server = serve(HELLO)
    server.call()
    before = open_files()

    for _ in range(20):
        server.call()

    assert open_files() <= before + 3


def test_calls_of_many_threads_do_not_mix(serve):
    server = serve(HELLO)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: server.call("POST", f"/{number}", body=str(number).encode()).status, range(40)))

    assert answers == [200] * 40
    for each in server.received:
        assert each.split(b" ")[1].strip(b"/") == each.rpartition(b"\r\n\r\n")[2]


def test_secrets_go_to_their_servers_only(serve):
    server, other = serve(HELLO), serve(HELLO)
    bound = egress.Credentials(frozenset({f"127.0.0.1:{server.port}"}), {"Authorization": "Bearer canary"}, {"key": "a b&c"})

    server.call(path="/x?a=1", credentials=bound)
    with pytest.raises(EgressError) as refused:
        other.call(path="/x", credentials=bound)

    assert b"Authorization: Bearer canary" in server.received[0] and b"GET /x?a=1&key=a%20b%26c " in server.received[0]
    assert (refused.value.code, refused.value.sent, other.received) == ("bound", False, [])
    assert "canary" not in repr(bound) + str(refused.value)


@pytest.mark.parametrize(
    ("host", "port", "code", "reason"),
    [
        ("10.0.0.1", 5432, "blocked", "host"),
        ("db.internal", 5432, "blocked", "host"),
        ("db.example.com", 22, "blocked", "port"),
        ("inner.example.com", 5432, "blocked", "address"),
        ("nowhere.example.com", 5432, "dns", ""),
    ],
)
def test_a_database_is_reached_by_the_same_rules(names, host, port, code, reason):
    names.update({"inner.example.com": ["10.1.1.1"], "db.example.com": ["8.8.8.8"], "nowhere.example.com": []})
    with pytest.raises(EgressError) as refused:
        egress.reach(host, port, policy=Policy())
    assert (refused.value.code, refused.value.reason) == (code, reason)
    assert egress.reach("db.example.com", 5432, policy=Policy()) == "8.8.8.8"


def test_secrets_do_not_travel_without_tls_even_where_plain_calls_may(names):
    names["api.example.com"] = ["8.8.8.8"]
    bound = egress.Credentials(frozenset({"api.example.com:80"}), {"Authorization": "Bearer canary"})
    with pytest.raises(EgressError) as refused:
        egress.send("GET", "http://api.example.com/", policy=Policy(http=True), credentials=bound, timeouts=QUICK)
    assert refused.value.code == "bound"
