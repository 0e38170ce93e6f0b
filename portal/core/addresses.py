"""Which addresses a call may leave for. Pure: nothing here resolves or connects."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import idna

from portal.core.words import lazy_gettext as _l

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL = 2_048
HTTPS_PORT = 443
PORTS = frozenset({HTTPS_PORT, 8443})
HTTP_PORTS = frozenset({80, 8080})
# Databases listen on many ports; below this one are the services that a portal must never be made to speak with.
MIN_SERVER_PORT, MAX_PORT = 1_024, 65_535
INNER_NAMES = ("localhost", "local", "internal", "localdomain", "home.arpa", "onion")
PRIVATE = tuple(ipaddress.ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
# Where clouds keep the keys of a machine; inside the private networks, and never opened with them.
METADATA = frozenset(
    ipaddress.ip_address(each) for each in ("169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254")
)
REFUSED_4 = tuple(
    ipaddress.ip_network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",
    )
)  # fmt: skip
ALLOWED_6 = ipaddress.ip_network("2000::/3")
REFUSED_6 = tuple(ipaddress.ip_network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
# What the system's resolver would read as a number: 127.1, 2130706433, 0x7f.1. The last part decides.
NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z", re.IGNORECASE)
NOT_IN_A_URL = re.compile(r"[\s\\]")


class EgressRefused(Exception):
    """The address may not be called.

    Args:
        code: url, scheme, port, user, fragment, host, address, header or method.
        message: a translated sentence for whoever wrote the address; names no inner address.
    """

    def __init__(self, code: str, message: Any) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator opened, and what is the operator's own.

    Args:
        pairs: exact addresses and ports, also for `http://` and without a name; never in production.
        networks: private networks that names may lead to.
        http: whether public addresses may be called without TLS.
        own_names: names of this instance, which may not call itself.
        own_addresses: addresses of this machine.
    """

    pairs: frozenset[tuple[Address, int]] = frozenset()
    networks: tuple[Network, ...] = ()
    http: bool = False
    own_names: frozenset[str] = frozenset()
    own_addresses: frozenset[Address] = frozenset()


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL, split once; the call is made from these parts.

    Args:
        host: an A-label, or an opened address as the URL wrote it.
        path: percent-encoded, with the query.
        address: where to connect without asking for the name: an opened address; None for names.
    """

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None = None

    @property
    def authority(self) -> str:
        """Host and port as secrets are bound to them: the port is left out where it is the usual one of https."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.scheme == "https" and self.port == HTTPS_PORT else f"{host}:{self.port}"

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


def read_policy(
    openings: Iterable[str], *, http: bool, production: bool, own_names: Iterable[str] = (), own_addresses: Iterable[str] = ()
) -> Policy:
    """Read an operator's openings: `ip:port` pairs and private networks (CIDR).

    In production only private networks can be opened: an exact pair may lead to loopback, where the instance's own servers are.

    Raises:
        ValueError: an opening is malformed or never allowed; the text names it.
    """
    pairs, networks = set(), []
    for each in openings:
        if "/" in each:
            networks.append(_private_network(each))
            continue
        if production:
            raise ValueError(f"EGRESS_ALLOW: {each}: single addresses are for development; open a private network")
        pairs.add(_pair(each))
    own = frozenset(ipaddress.ip_address(each) for each in own_addresses)
    return Policy(frozenset(pairs), tuple(networks), http and not production, frozenset(own_names), own)


def check_url(url: str, *, policy: Policy) -> Target:
    """Split and judge a URL; the same at save, at test and at each call. The addresses behind a name are judged at the call.

    Raises:
        EgressRefused: it breaks a rule.
    """
    if len(url.encode("utf-8", "replace")) > MAX_URL or not url.isprintable() or NOT_IN_A_URL.search(url):
        raise EgressRefused("url", _l("The address is too long, or has characters that no address has."))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise EgressRefused("url", _l("The address is not written correctly.")) from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise EgressRefused("scheme", _l("The address must begin with https://."))
    if "@" in parts.netloc:
        raise EgressRefused("user", _l("The address may not hold a user name or password."))
    if "#" in url:
        raise EgressRefused("fragment", _l("The address may not hold a “#”."))
    port = (443 if parts.scheme == "https" else 80) if port is None else port
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (f"?{quote(parts.query, safe=_QUERY)}" if parts.query else "")
    if opened := _opened(parts.hostname, port, policy):
        return Target(parts.scheme, parts.hostname, port, path, opened)
    if parts.scheme == "http" and not policy.http:
        raise EgressRefused("scheme", _l("The address must begin with https://."))
    if port not in (PORTS if parts.scheme == "https" else HTTP_PORTS) | {opened for _address, opened in policy.pairs}:
        raise EgressRefused("port", _l("This port may not be called."))
    return Target(parts.scheme, check_host(parts.hostname, policy=policy), port, path)


_QUERY = "/%:@!$&'()*+,;=~-._?[]{}|^`\"<>"


def check_server(host: str, port: int, *, policy: Policy) -> Target:
    """Judge the name of a server that speaks something else than HTTP (a database); the addresses behind it are judged at the call.

    Raises:
        EgressRefused: it breaks a rule.
    """
    if opened := _opened(host, port, policy):
        return Target("tcp", host, port, "", opened)
    if not MIN_SERVER_PORT <= port <= MAX_PORT:
        raise EgressRefused("port", _l("This port may not be called."))
    return Target("tcp", check_host(host, policy=policy), port, "")


def check_host(host: str, *, policy: Policy) -> str:
    """Return a host name as an A-label.

    Raises:
        EgressRefused: a number instead of a name, a name of the inside, one of our own, or no valid name.
    """
    name = host.lower().removesuffix(".")
    if ":" in name or "%" in name or NUMBER.match(name.rpartition(".")[2]):
        raise EgressRefused("host", _l("The address must use a name, not a number."))
    try:
        label = idna.encode(name, uts46=False, strict=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        label = ""
    if not label or label.endswith("."):
        raise EgressRefused("host", _l("The name in the address is not valid."))
    if NUMBER.match(label.rpartition(".")[2]):
        raise EgressRefused("host", _l("The address must use a name, not a number."))
    inner = "." not in label or any(label == each or label.endswith(f".{each}") for each in INNER_NAMES)
    if inner or label in policy.own_names:
        raise EgressRefused("host", _l("Names of this portal or of the inside may not be called."))
    return label


def check_address(text: str, port: int, *, policy: Policy, is_server: bool = False) -> Address:
    """Judge an address that a name resolved to.

    Args:
        is_server: it speaks something else than HTTP, on a port that `check_server` judged.

    Raises:
        EgressRefused: it is not a public address, and the operator has not opened it.
    """
    refused = EgressRefused("address", _l("The name leads to an address that may not be called."))
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise refused from None
    if (address, port) in policy.pairs:
        return address
    if (port not in PORTS | HTTP_PORTS and not is_server) or address in METADATA or address in policy.own_addresses or _has_zone(address):
        raise refused
    if any(address.version == network.version and address in network for network in policy.networks):
        return address
    if isinstance(address, ipaddress.IPv4Address):
        allowed = not any(address in network for network in REFUSED_4)
    else:
        allowed = address in ALLOWED_6 and not any(address in network for network in REFUSED_6)
    if not allowed:
        raise refused
    return address


def _has_zone(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None


def _opened(host: str, port: int, policy: Policy) -> Address | None:
    """Return the opened address that a URL names by its number, or by `localhost`."""
    if host == "localhost":
        return next((address for address, opened in sorted(policy.pairs, key=str) if address.is_loopback and opened == port), None)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return address if (address, port) in policy.pairs else None


def _private_network(text: str) -> Network:
    network = ipaddress.ip_network(text)
    if not any(network.version == outer.version and network.subnet_of(outer) for outer in PRIVATE):  # type: ignore[arg-type]
        raise ValueError(f"EGRESS_ALLOW: {text} is not inside a private network")
    return network


def _pair(text: str) -> tuple[Address, int]:
    host, _colon, port = text.rpartition(":")
    try:
        address, number = ipaddress.ip_address(host.strip("[]")), int(port)
    except ValueError:
        raise ValueError(f"EGRESS_ALLOW: {text} is neither ip:port nor a network") from None
    if not 1 <= number <= 65_535 or address in METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
        raise ValueError(f"EGRESS_ALLOW: {text} is never allowed")
    return address, number
