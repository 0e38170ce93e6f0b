"""The only way out: one HTTP call to a checked address, with caps on everything and no redirects.

The URL is split once, the name is resolved once, every answer is judged, and the call goes to a judged address (`lines`); `Host`, SNI
and the certificate check keep the name. A call is never repeated here: the engine does that, knowing whether the first may have
arrived. Spoken through httpcore2, the engine of httpx2: it takes our network as an argument, and has no cookies, redirects,
decompression or proxy variables that would have to be switched off. A private certificate authority is the operator's: OpenSSL
reads `SSL_CERT_FILE`.
"""

from __future__ import annotations

import contextlib
import logging
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from urllib.parse import quote, urlsplit

import httpcore2 as httpcore

from portal.core import addresses, db, metering
from portal.core.addresses import Address, EgressRefused, Policy, Target, check_url, read_policy
from portal.core.config import Settings, current_settings
from portal.core.lines import CheckedNetwork, NoSuchName, Slow, Timeouts, TooLarge, Trip, judged, own_addresses
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
MAX_REQUEST = 256 * 1024
MAX_BODY = 16 * 1024
MAX_KEPT = 21 * 1024 * 1024  # the largest file of a workflow (20 MB), and what stands around it
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
    trip = Trip(timeouts or Timeouts())
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
        reachable = judged(target, rules, trip)
        return _call(_request(method, target, own, body), reachable, trip, min(max_body, MAX_KEPT))


def reach(host: str, port: int, *, policy: Policy | None = None, timeouts: Timeouts | None = None) -> str:
    """Resolve the name of a server that speaks something else than HTTP once, and return the judged address to connect to.

    Raises:
        EgressError: `blocked` or `dns`; nothing was sent.
    """
    rules = policy if policy is not None else operator_policy()
    trip = Trip(timeouts or Timeouts())
    with _explained(trip):
        return str(judged(addresses.check_server(host, port, policy=rules), rules, trip)[0])


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
        own_addresses=own_addresses(),
    )


@contextlib.contextmanager
def _explained(trip: Trip) -> Iterator[None]:
    """Turn a library's error into a class that may be shown, and say whether the request may have arrived."""
    try:
        yield
    except EgressRefused as refused:
        _wait_until(trip.began + BLOCKED_S)
        raise EgressError("blocked", str(refused.message), reason=refused.code) from None
    except NoSuchName:
        _wait_until(trip.began + BLOCKED_S)
        raise EgressError("dns") from None
    except TooLarge:
        raise EgressError("too_large", "the head of the answer is larger than 16 kB", sent=trip.sent) from None
    except (Slow, TimeoutError):
        raise EgressError("timeout", sent=trip.sent) from None
    except ssl.SSLError:
        raise EgressError("tls", sent=trip.sent) from None
    except OSError:
        raise EgressError("connect" if not trip.wrote else "protocol", sent=trip.sent) from None
    except (httpcore.ProtocolError, httpcore.NetworkError):
        raise EgressError("protocol", sent=trip.sent) from None


@contextlib.contextmanager
def _counted(trip: Trip) -> Iterator[None]:
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


def _call(request: httpcore.Request, reachable: list[Address], trip: Trip, max_body: int) -> Answer:
    network = CheckedNetwork(reachable, trip)
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
