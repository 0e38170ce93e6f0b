"""Lines out of the house: a name is resolved once, every answer is judged, and a line goes to a judged address only, with a limit on each wait.

What may be sent over one, and to whom, is `egress`.
"""

from __future__ import annotations

import contextlib
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpcore2 as httpcore

from portal.core import addresses
from portal.core.addresses import Address, EgressRefused, Policy, Target
from portal.core.words import lazy_gettext as _l

MAX_ANSWERS = 16
MAX_LOOKUPS = 32
MAX_TRIED = 3
MAX_HEAD = 16 * 1024


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a call may take, in seconds; `total_s` is wall-clock time, however slowly bytes drip."""

    resolve_s: float = 3.0
    connect_s: float = 5.0
    tls_s: float = 5.0
    read_s: float = 10.0
    total_s: float = 15.0


class Slow(OSError):
    """The call's time is up, or the time of one of its parts."""


class NoSuchName(OSError):
    """The name did not resolve."""


class TooLarge(OSError):
    """The head of the answer is larger than 16 kB."""


class Trip:
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
            raise Slow
        return min(left_s, limit_s)

    @property
    def sent(self) -> bool | None:
        return True if self.received else None if self.wrote else False


class CheckedNetwork(httpcore.NetworkBackend):
    """Connects to judged addresses only, whatever name it is asked for."""

    def __init__(self, reachable: list[Address], trip: Trip) -> None:
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

    def __init__(self, line: socket.socket, trip: Trip) -> None:
        self._line = line
        self._trip = trip

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        trip = self._trip
        if not trip.has_head:
            # Also ends a server that sends `100 Continue` for ever.
            max_bytes = min(max_bytes, MAX_HEAD - trip.received)
            if max_bytes <= 0:
                raise TooLarge
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


def judged(target: Target, policy: Policy, trip: Trip) -> list[Address]:
    """Resolve a name once and return its addresses, IPv4 first: many hosts have no way out over IPv6.

    Raises:
        EgressRefused: any of them may not be called.
        NoSuchName: there is none, or there are too many.
    """
    if target.address is not None:
        return [target.address]
    found = list(dict.fromkeys(_lookup(target.host, target.port, trip.left(trip.timeouts.resolve_s))))
    if not 1 <= len(found) <= MAX_ANSWERS:
        raise NoSuchName(target.host)
    is_server = target.scheme == "tcp"
    allowed = (addresses.check_address(each, target.port, policy=policy, is_server=is_server) for each in found)
    return sorted(allowed, key=lambda address: address.version)


_lookups = threading.BoundedSemaphore(MAX_LOOKUPS)


def _lookup(host: str, port: int, limit_s: float) -> list[str]:
    """Ask the system's resolver in a thread of its own: it has no time limit that we could set."""
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()
    slots = _lookups

    def ask() -> None:
        try:
            answers.put(_resolve(host, port))
        except (OSError, UnicodeError) as broken:
            answers.put(NoSuchName(str(broken)))
        finally:
            slots.release()

    # A resolver that hangs keeps its threads; they must not become as many as there are calls.
    if not slots.acquire(timeout=limit_s):
        raise NoSuchName(host)
    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=limit_s)
    except queue.Empty:
        raise NoSuchName(host) from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _resolve(host: str, port: int) -> list[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def own_addresses() -> set[str]:
    """Return the addresses that this machine calls from; asking for the way sends nothing."""
    found = set()
    for family, outside in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asked:
            asked.connect((outside, 9))
            found.add(asked.getsockname()[0].partition("%")[0])
    return found
