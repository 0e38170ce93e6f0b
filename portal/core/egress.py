"""The only way out: one HTTP call to a checked address, with caps on everything and no redirects.

The name is resolved once, every answer is judged, and the call goes to the judged address; `Host`, SNI and the certificate
check keep the name. A call is never repeated here: the engine does that, knowing whether the first may have arrived.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpcore2 as httpcore
import httpx2 as httpx

from portal.core import addresses
from portal.core.addresses import Openings, Refused
from portal.core.config import current_settings

CONNECT_S = 5.0
READ_S = 10.0
TOTAL_S = 15.0
RESOLVE_S = 3.0
MAX_ANSWERS = 16
MAX_REQUEST = 256 * 1024
MAX_BODY = 16 * 1024
MAX_HEADERS = 16 * 1024
MAX_OWN_HEADERS = 20
MAX_OWN_HEADER_BYTES = 4 * 1024
HOP_BY_HOP = ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade")
REFUSED_HEADERS = frozenset({*HOP_BY_HOP, "host", "cookie", "forwarded", "metadata-flavor", "content-length", "content-encoding"})
REFUSED_PREFIXES = ("webhook-", "x-forwarded-", "x-amz", "x-goog", "x-azure", "x-ms-", "proxy-")


class EgressError(Exception):
    """A call that did not give an answer.

    Args:
        code: dns, blocked, connect, tls, timeout, too_large or protocol.
        sent: False when it is proven that the request did not leave; None when it may have.
    """

    def __init__(self, code: str, message: str = "", *, sent: bool | None = False) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: header names in lower case, the first 16 kB of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    took_ms: int


@dataclass(slots=True)
class _Trip:
    """What one call knows of itself: when it must be over, and whether it has begun to write."""

    ends_at: float
    openings: Openings
    sent: bool = False

    def left(self, limit_s: float | None) -> float:
        left_s = self.ends_at - time.monotonic()
        if left_s <= 0:
            raise httpcore.ReadTimeout("the whole call took too long")
        return min(left_s, limit_s) if limit_s else left_s


_trip: ContextVar[_Trip | None] = ContextVar("egress_trip", default=None)


def send(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None, openings: Openings | None = None
) -> Answer:
    """Make one call and return the answer, whatever its status; a redirect is an answer.

    Raises:
        EgressError: no answer; `.sent` says whether the request may have arrived.
    """
    opened = openings if openings is not None else operator_openings()
    trip = _Trip(time.monotonic() + TOTAL_S, opened)
    try:
        target = addresses.check_url(url, opened)
        own = _checked_headers(headers or {})
    except Refused as refused:
        raise EgressError("blocked", str(refused)) from None
    if body is not None and len(body) > MAX_REQUEST:
        raise EgressError("too_large", "the request is larger than 256 kB")
    own |= {"Host": target.host_header, "Accept-Encoding": "identity", "User-Agent": "Nasij/1", "Connection": "close"}
    token = _trip.set(trip)
    try:
        return _call(method, f"{target.scheme}://{target.host}:{target.port}{target.path}", own, body)
    except httpx.HTTPError as broken:
        raise _explained(broken, trip) from None
    except (Refused, TimeoutError, OSError) as broken:
        raise _explained(broken, trip) from None
    finally:
        _trip.reset(token)


@lru_cache(maxsize=1)
def operator_openings() -> Openings:
    """Return what the operator opened, read once."""
    settings = current_settings()
    return Openings.read(settings.openings, http=settings.egress_allow_http, production=settings.is_production)


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    if len(headers) > MAX_OWN_HEADERS or sum(len(name) + len(value) for name, value in headers.items()) > MAX_OWN_HEADER_BYTES:
        raise Refused("there are too many headers, or they are too long")
    for name, value in headers.items():
        low = name.lower()
        if low in REFUSED_HEADERS or low.startswith(REFUSED_PREFIXES):
            raise Refused(f"the header {name} may not be set")
        if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum() or not value.isascii() or not value.isprintable():
            raise Refused("a header has characters that no header has")
    return dict(headers)


def _call(method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
    began = time.monotonic()
    with _client().stream(method, url, headers=headers, content=body) as answer:
        given = {name.lower(): value for name, value in answer.headers.items()}
        if sum(len(name) + len(value) for name, value in given.items()) > MAX_HEADERS:
            raise httpx.RemoteProtocolError("the answer's headers are too large")
        chunks = bytearray()
        for chunk in answer.iter_raw(4096):
            chunks += chunk
            if len(chunks) > MAX_BODY:
                break
    took_ms = round((time.monotonic() - began) * 1000)
    return Answer(answer.status_code, given, bytes(chunks[:MAX_BODY]), len(chunks) > MAX_BODY, took_ms)


def _explained(broken: Exception, trip: _Trip) -> EgressError:
    """Turn a library's error into a class that may be shown, and say whether the request may have left."""
    sent: bool | None = None if trip.sent else False
    cause: BaseException | None = broken
    while cause is not None:
        if isinstance(cause, Refused):
            return EgressError("blocked", str(cause), sent=False)
        if isinstance(cause, _NoSuchName):
            return EgressError("dns", sent=False)
        if isinstance(cause, ssl.SSLError):
            return EgressError("tls", sent=sent)
        cause = cause.__cause__ or cause.__context__
    if isinstance(broken, httpx.TimeoutException | TimeoutError):
        return EgressError("timeout", sent=sent)
    if isinstance(broken, httpx.ConnectError | OSError) and not trip.sent:
        return EgressError("connect", sent=False)
    return EgressError("protocol" if isinstance(broken, httpx.ProtocolError) else "connect", sent=sent)


class _NoSuchName(OSError):
    """The name did not resolve."""


@lru_cache(maxsize=1)
def _client() -> httpx.Client:
    """Return this process's client: no connection is kept, so each call resolves and judges anew."""
    limits = httpx.Limits(max_connections=50, max_keepalive_connections=0)
    transport = httpx.HTTPTransport(verify=_tls(), limits=limits, retries=0, trust_env=False)
    # The one place that reaches into the library; tests/core/test_egress.py fails if it stops working.
    transport._pool._network_backend = _CheckedNetwork()
    timeout = httpx.Timeout(READ_S, connect=CONNECT_S)
    return httpx.Client(transport=transport, trust_env=False, follow_redirects=False, timeout=timeout, cookies=None)


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _CheckedNetwork(httpcore.SyncBackend):
    """Connects to judged addresses only, and keeps every wait inside the call's total time."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        trip = _trip.get()
        if trip is None:
            raise Refused("calls leave through egress.send only")
        chosen = judged_address(host, port, trip.openings)
        stream = super().connect_tcp(chosen, port, timeout=trip.left(timeout), local_address=local_address, socket_options=socket_options)
        reached = stream.get_extra_info("server_addr")
        if not reached or ipaddress.ip_address(reached[0]) != ipaddress.ip_address(chosen):
            stream.close()
            raise Refused("the connection went elsewhere")
        return _TimedStream(stream, trip)

    def connect_unix_socket(self, *_args: Any, **_options: Any) -> httpcore.NetworkStream:
        raise Refused("sockets of this machine may not be called")


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every wait ends with the call's total time; remembers that something was written."""

    def __init__(self, inner: httpcore.NetworkStream, trip: _Trip) -> None:
        self._inner, self._trip = inner, trip
        self._head = 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        read = self._inner.read(max_bytes, self._trip.left(timeout))
        self._head += len(read)
        return read

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._trip.sent = True
        self._inner.write(buffer, self._trip.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _TimedStream(self._inner.start_tls(ssl_context, server_hostname, self._trip.left(timeout or CONNECT_S)), self._trip)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def judged_address(host: str, port: int, openings: Openings) -> str:
    """Resolve a name once and return one address of it; refuse if any of its addresses is bad.

    Raises:
        Refused: an address may not be called.
        OSError: the name does not resolve within 3 s.
    """
    found = list(dict.fromkeys(_resolve(host, port)))
    if not found or len(found) > MAX_ANSWERS:
        raise _NoSuchName(host)
    judged = [addresses.check_address(each, port, openings) for each in found]
    judged.sort(key=lambda address: address.version)  # IPv4 first: many hosts have no way out over IPv6
    return str(judged[0])


def _resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver in a thread of its own: it has no time limit that we could set."""
    answers: queue.Queue[list[str] | OSError] = queue.Queue(1)

    def ask() -> None:
        try:
            answers.put([str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
        except (OSError, UnicodeError) as broken:
            answers.put(_NoSuchName(str(broken)))

    if addresses.DIGITS_ONLY.match(host) or ":" in host:
        return [host]
    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=RESOLVE_S)
    except queue.Empty:
        raise _NoSuchName(host) from None
    if isinstance(answer, OSError):
        raise answer
    return answer
