"""The only way out: one HTTP call to a checked address, with caps on everything and no redirects.

The URL is split once, the name is resolved once, every answer is judged, and the call goes to a judged address; `Host`, SNI and
the certificate check keep the name. A call is never repeated here: the engine does that, knowing whether the first may have
arrived. Spoken through httpcore2, the engine of httpx2: it takes our network as an argument, and has no cookies, redirects,
decompression or proxy variables that would have to be switched off. A private certificate authority is the operator's: OpenSSL
reads `SSL_CERT_FILE`.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

import httpcore2 as httpcore

from portal.core import addresses, db, metering
from portal.core.addresses import Address, EgressRefused, Policy, Target, check_url, read_policy
from portal.core.config import Settings, current_settings
from portal.core.words import lazy_gettext as _l

__all__ = [
    "Answer",
    "Credentials",
    "EgressError",
    "EgressRefused",
    "Policy",
    "Target",
    "Timeouts",
    "check_url",
    "operator_policy",
    "reach",
    "send",
]

# At DEBUG the engine writes down the heads of answers, and answers may repeat the secrets that they were sent.
logging.getLogger("httpcore2").setLevel(logging.WARNING)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
MAX_ANSWERS = 16
MAX_LOOKUPS = 32
MAX_TRIED = 3
MAX_REQUEST = 256 * 1024
MAX_BODY = 16 * 1024
MAX_KEPT = 21 * 1024 * 1024  # the largest file of a workflow (20 MB), and what stands around it
MAX_HEAD = 16 * 1024
MAX_OWN_HEADERS = 20
MAX_OWN_HEADER_BYTES = 4 * 1024
# An inner address and a name that does not exist must not be told apart by the clock.
BLOCKED_S = 0.25
TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
HOP_BY_HOP = ("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect")
REFUSED_HEADERS = frozenset({*HOP_BY_HOP, "host", "cookie", "forwarded", "metadata-flavor", "accept-encoding", "user-agent"})
REFUSED_PREFIXES = ("content-", "webhook-", "x-forwarded-", "x-amz", "x-goog", "x-azure", "x-ms-", "x-aws-", "proxy-")
# The kind of body is the author's to say (a form, XML); its length and coding are ours.
ALLOWED_CONTENT = frozenset({"content-type", "content-language"})
# What may travel without TLS: nothing that could be a secret.
PLAIN_HEADERS = frozenset({"content-type", "content-language", "idempotency-key", "accept", "accept-language"})


class EgressError(Exception):
    """A call that did not give an answer.

    Args:
        code: dns, blocked, bound, connect, tls, timeout, too_large or protocol.
        message: what may be shown; never an inner address or what a server said of itself.
            `bound` means that a secret would have gone to a host that it does not belong to.
        reason: for `blocked`, the rule that was broken: a code of EgressRefused.
        sent: False when it is proven that the request did not arrive; True when something came back; None when nobody can know.
    """

    def __init__(self, code: str, message: str = "", *, sent: bool | None = False, reason: str = "") -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message
        self.sent = sent
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a call may take, in seconds; `total_s` is wall-clock time, however slowly bytes drip."""

    resolve_s: float = 3.0
    connect_s: float = 5.0
    tls_s: float = 5.0
    read_s: float = 10.0
    total_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: header names in lower case, the beginning of the body (16 kB unless asked otherwise)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    took_ms: int

    @property
    def location(self) -> str | None:
        """Where a redirect points; it is never followed."""
        return self.headers.get("location") if 300 <= self.status < 400 else None


@dataclass(frozen=True, slots=True)
class Credentials:
    """Secrets that go along with a call, and the only servers that may see them.

    A call to any other server is refused before anything is resolved or sent, and no redirect is followed, so a secret never
    reaches a server that it was not given for.

    Args:
        hosts: authorities (`api.example.com`, `api.example.com:8443`), as `Target.authority` writes them.
        headers: added to the call's own; may be names that the call itself may not set.
        query: added to the end of the address.
    """

    hosts: frozenset[str]
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Credentials({sorted(self.hosts)})"


def send(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    policy: Policy | None = None,
    timeouts: Timeouts | None = None,
    max_body: int = MAX_BODY,
    max_request: int = MAX_REQUEST,
    credentials: Credentials | None = None,
) -> Answer:
    """Make one call and return the answer, whatever its status; a redirect is an answer.

    Args:
        policy: what the operator opened; the settings' when None.
        max_body: how many bytes of the answer are kept; at most 21 MB.
        max_request: how many bytes the body may have; at most 21 MB.
        credentials: secrets of a connection; sent only to the servers that they are bound to, never without TLS.

    Raises:
        EgressError: no answer; `.sent` says whether the request may have arrived.
    """
    if db.trial() is not None:
        raise db.OnlyTried(is_whole=False)  # a form that is only checked calls nobody
    rules = policy if policy is not None else operator_policy()
    trip = _Trip(timeouts or Timeouts())
    try:
        if method not in METHODS:
            raise EgressRefused("method", _l("This method may not be used."))
        target = check_url(url, policy=rules)
        own = _checked_headers(headers or {}, target)
        if credentials is not None:
            target, own = _with_credentials(target, own, credentials)
    except EgressRefused as refused:
        code = "bound" if refused.code == "bound" else "blocked"
        raise EgressError(code, str(refused.message), reason=refused.code) from None
    if body is not None and len(body) > min(max_request, MAX_KEPT):
        raise EgressError("too_large", "the request is too large")
    with _explained(trip), _counted(trip):
        reachable = _judged(target, rules, trip)
        return _call(_request(method, target, own, body), reachable, trip, min(max_body, MAX_KEPT))


def reach(host: str, port: int, *, policy: Policy | None = None, timeouts: Timeouts | None = None) -> str:
    """Resolve the name of a server that speaks something else than HTTP once, and return the judged address to connect to.

    Raises:
        EgressError: `blocked` or `dns`; nothing was sent.
    """
    rules = policy if policy is not None else operator_policy()
    trip = _Trip(timeouts or Timeouts())
    with _explained(trip):
        return str(_judged(addresses.check_server(host, port, policy=rules), rules, trip)[0])


def operator_policy() -> Policy:
    """Return what the operator opened.

    Raises:
        ValueError: EGRESS_ALLOW is malformed, or opens what is never opened.
    """
    return _policy_of(current_settings())


@lru_cache(maxsize=1)
def _policy_of(settings: Settings) -> Policy:
    own = urlsplit(settings.public_url).hostname or ""
    return read_policy(
        settings.openings,
        http=settings.egress_allow_http,
        production=settings.is_production,
        own_names=[own],
        own_addresses=_own_addresses(),
    )


class _Slow(OSError):
    """The call's time is up, or the time of one of its parts."""


class _NoSuchName(OSError):
    """The name did not resolve."""


class _TooLarge(OSError):
    """The head of the answer is larger than 16 kB."""


class _Trip:
    """What one call knows of itself: when it must be over, and how far it came."""

    def __init__(self, timeouts: Timeouts) -> None:
        self.began = time.monotonic()
        self.timeouts = timeouts
        self.wrote = False
        self.written = 0
        self.received = 0
        self.has_head = False

    def left(self, limit_s: float) -> float:
        left_s = self.began + self.timeouts.total_s - time.monotonic()
        if left_s <= 0:
            raise _Slow
        return min(left_s, limit_s)

    @property
    def sent(self) -> bool | None:
        return True if self.received else None if self.wrote else False


@contextlib.contextmanager
def _explained(trip: _Trip) -> Iterator[None]:
    """Turn a library's error into a class that may be shown, and say whether the request may have arrived."""
    try:
        yield
    except EgressRefused as refused:
        _wait_until(trip.began + BLOCKED_S)
        raise EgressError("blocked", str(refused.message), reason=refused.code) from None
    except _NoSuchName:
        _wait_until(trip.began + BLOCKED_S)
        raise EgressError("dns") from None
    except _TooLarge:
        raise EgressError("too_large", "the head of the answer is larger than 16 kB", sent=trip.sent) from None
    except (_Slow, TimeoutError):
        raise EgressError("timeout", sent=trip.sent) from None
    except ssl.SSLError:
        raise EgressError("tls", sent=trip.sent) from None
    except OSError:
        raise EgressError("connect" if not trip.wrote else "protocol", sent=trip.sent) from None
    except (httpcore.ProtocolError, httpcore.NetworkError):
        raise EgressError("protocol", sent=trip.sent) from None


@contextlib.contextmanager
def _counted(trip: _Trip) -> Iterator[None]:
    """Count a call and its bytes, however it ended; one that came to no line is none."""
    try:
        yield
    finally:
        metering.count(calls=int(trip.wrote), sent=trip.written, received=trip.received)


def _wait_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _checked_headers(headers: Mapping[str, str], target: Target) -> list[tuple[bytes, bytes]]:
    if len(headers) > MAX_OWN_HEADERS or sum(len(name) + len(value) for name, value in headers.items()) > MAX_OWN_HEADER_BYTES:
        raise EgressRefused("header", _l("There are too many headers, or they are too long."))
    in_the_clear = target.scheme == "http" and target.address is None
    seen = set()
    for name, value in headers.items():
        low = name.lower()
        if not low or not set(low) <= TOKEN or not value.isascii() or (value and not value.isprintable()) or value != value.strip():
            raise EgressRefused("header", _l("A header has characters that no header has."))
        if low in seen or low in REFUSED_HEADERS or (low.startswith(REFUSED_PREFIXES) and low not in ALLOWED_CONTENT):
            raise EgressRefused("header", _l("The header %(name)s may not be set.", name=name))
        if in_the_clear and low not in PLAIN_HEADERS:
            raise EgressRefused("header", _l("The header %(name)s may not travel without TLS.", name=name))
        seen.add(low)
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _with_credentials(target: Target, own: list[tuple[bytes, bytes]], credentials: Credentials) -> tuple[Target, list[tuple[bytes, bytes]]]:
    """Add a connection's secrets to a call, if it goes to a server that they belong to."""
    if target.authority not in credentials.hosts or (target.scheme == "http" and target.address is None):
        raise EgressRefused("bound", _l("The secret of the connection may not be sent to %(host)s.", host=target.authority))
    taken = {name.decode().lower() for name, _value in own}
    for name, value in credentials.headers.items():
        if not set(name.lower()) <= TOKEN or not value.isascii() or not value.isprintable() or name.lower() in taken:
            raise EgressRefused("header", _l("The connection sets a header that the step sets, too, or that no header may be."))
    added = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in credentials.query.items())
    path = f"{target.path}{'&' if '?' in target.path else '?'}{added}" if added else target.path
    return replace(target, path=path), [*own, *((name.encode(), value.encode()) for name, value in credentials.headers.items())]


def _request(method: str, target: Target, own: list[tuple[bytes, bytes]], body: bytes | None) -> httpcore.Request:
    head = [
        (b"Host", target.host_header.encode()),
        (b"User-Agent", b"Nasij/1"),
        (b"Accept-Encoding", b"identity"),
        (b"Connection", b"close"),
    ]
    if body is not None or method in ("POST", "PUT", "PATCH"):
        head.append((b"Content-Length", str(len(body or b"")).encode()))
    url = httpcore.URL(scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode())
    return httpcore.Request(method.encode(), url, headers=head + own, content=body or b"")


def _call(request: httpcore.Request, reachable: list[Address], trip: _Trip, max_body: int) -> Answer:
    network = _CheckedNetwork(reachable, trip)
    with contextlib.closing(httpcore.HTTPConnection(request.url.origin, ssl_context=_tls(), network_backend=network)) as connection:
        answer = connection.handle_request(request)
        trip.has_head = True
        body = bytearray()
        for chunk in answer.iter_stream():
            body += chunk
            if len(body) > max_body:
                break
    # latin-1 reads any byte; PostgreSQL keeps no NUL, and h11 lets none through.
    given = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
    took_ms = round((time.monotonic() - trip.began) * 1000)
    return Answer(answer.status, given, bytes(body[:max_body]), len(body) > max_body, took_ms)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _CheckedNetwork(httpcore.NetworkBackend):
    """Connects to judged addresses only, whatever name it is asked for."""

    def __init__(self, reachable: list[Address], trip: _Trip) -> None:
        self._reachable = reachable
        self._trip = trip

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first judged address that answers; nothing has been sent until one does."""
        ends_at = time.monotonic() + self._trip.timeouts.connect_s
        *others, last = self._reachable[:MAX_TRIED]
        for address in others:
            with contextlib.suppress(OSError):
                return self._connect(address, port, ends_at)
        return self._connect(last, port, ends_at)

    def _connect(self, address: Address, port: int, ends_at: float) -> httpcore.NetworkStream:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        line = socket.socket(family, socket.SOCK_STREAM)
        try:
            line.settimeout(self._trip.left(max(ends_at - time.monotonic(), 0.001)))
            line.connect((str(address), port))
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if ipaddress.ip_address(line.getpeername()[0]) != address:
                raise EgressRefused("address", _l("The name leads to an address that may not be called."))
        except BaseException:
            line.close()
            raise
        return _Line(line, self._trip)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        """Refuse: sockets of this machine are not outside."""
        raise EgressRefused("address", _l("The name leads to an address that may not be called."))


class _Line(httpcore.NetworkStream):
    """A connection whose every wait ends with the call's total time; remembers what was written and received."""

    def __init__(self, line: socket.socket, trip: _Trip) -> None:
        self._line = line
        self._trip = trip

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        trip = self._trip
        if not trip.has_head:
            # Also ends a server that sends `100 Continue` for ever.
            max_bytes = min(max_bytes, MAX_HEAD - trip.received)
            if max_bytes <= 0:
                raise _TooLarge
        self._line.settimeout(trip.left(trip.timeouts.read_s))
        chunk = self._line.recv(max_bytes)
        trip.received += len(chunk)
        return chunk

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        while view:
            # One send at a time: a receiver that takes a byte now and then must not outlast the total time.
            self._line.settimeout(self._trip.left(self._trip.timeouts.read_s))
            self._trip.wrote = True
            try:
                sent = self._line.send(view)
                self._trip.written += sent
                view = view[sent:]
            except (BrokenPipeError, ConnectionResetError) as broken:
                # httpcore reads on: a server may answer (413, say) and close before it has read everything.
                raise httpcore.WriteError from broken

    def close(self) -> None:
        self._line.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self._line.settimeout(self._trip.left(self._trip.timeouts.tls_s))
        try:
            return _Line(ssl_context.wrap_socket(self._line, server_hostname=server_hostname), self._trip)
        except BaseException:
            self._line.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        return {"client_addr": self._line.getsockname, "server_addr": self._line.getpeername, "socket": lambda: self._line}.get(
            info, lambda: None
        )()


def _judged(target: Target, policy: Policy, trip: _Trip) -> list[Address]:
    """Resolve a name once and return its addresses, IPv4 first: many hosts have no way out over IPv6.

    Raises:
        EgressRefused: any of them may not be called.
        _NoSuchName: there is none, or there are too many.
    """
    if target.address is not None:
        return [target.address]
    found = list(dict.fromkeys(_lookup(target.host, target.port, trip.left(trip.timeouts.resolve_s))))
    if not 1 <= len(found) <= MAX_ANSWERS:
        raise _NoSuchName(target.host)
    is_server = target.scheme == "tcp"
    judged = (addresses.check_address(each, target.port, policy=policy, is_server=is_server) for each in found)
    return sorted(judged, key=lambda address: address.version)


_lookups = threading.BoundedSemaphore(MAX_LOOKUPS)


def _lookup(host: str, port: int, limit_s: float) -> list[str]:
    """Ask the system's resolver in a thread of its own: it has no time limit that we could set."""
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()
    slots = _lookups

    def ask() -> None:
        try:
            answers.put(_resolve(host, port))
        except (OSError, UnicodeError) as broken:
            answers.put(_NoSuchName(str(broken)))
        finally:
            slots.release()

    # A resolver that hangs keeps its threads; they must not become as many as there are calls.
    if not slots.acquire(timeout=limit_s):
        raise _NoSuchName(host)
    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=limit_s)
    except queue.Empty:
        raise _NoSuchName(host) from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _resolve(host: str, port: int) -> list[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _own_addresses() -> set[str]:
    """Return the addresses that this machine calls from; asking for the way sends nothing."""
    found = set()
    for family, outside in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((outside, 9))
            found.add(asked.getsockname()[0].partition("%")[0])
    return found
