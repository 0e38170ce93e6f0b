"""Which addresses a call may leave for. Pure: nothing here resolves or connects."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import idna

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL = 2_048
PORTS = frozenset({443, 8443})
HTTP_PORTS = frozenset({80, 8080})
INNER_NAMES = ("localhost", "local", "internal", "localdomain", "home.arpa", "onion")
PRIVATE = tuple(ipaddress.ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
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
DIGITS_ONLY = re.compile(r"(0x[0-9a-f]+|[0-9.]+)\Z", re.IGNORECASE)


class Refused(Exception):
    """The address may not be called; the text is safe to show."""


@dataclass(frozen=True, slots=True)
class Openings:
    """What the operator opened: exact (ip, port) pairs, private networks, plain http."""

    pairs: frozenset[tuple[Address, int]] = frozenset()
    networks: tuple[Network, ...] = ()
    http: bool = False

    @classmethod
    def read(cls, texts: tuple[str, ...], *, http: bool, production: bool) -> Openings:
        """Read `ip:port` pairs and CIDRs. Production opens private networks only, never loopback or link-local.

        Raises:
            ValueError: an opening is malformed or never allowed; the text names it.
        """
        pairs, networks = set(), []
        for each in texts:
            if "/" in each:
                network = ipaddress.ip_network(each)
                if not any(network.version == outer.version and network.subnet_of(outer) for outer in PRIVATE):  # type: ignore[arg-type]
                    raise ValueError(f"EGRESS_ALLOW: {each} is not inside a private network")
                networks.append(network)
                continue
            host, _colon, port = each.rpartition(":")
            if production:
                raise ValueError(f"EGRESS_ALLOW: {each}: single addresses are for development; open a private network")
            pairs.add((ipaddress.ip_address(host.strip("[]")), int(port)))
        return cls(frozenset(pairs), tuple(networks), http)


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL, split once; `host` is an A-label or an opened address."""

    scheme: str
    host: str
    port: int
    path: str
    opened: bool

    @property
    def host_header(self) -> str:
        default = 443 if self.scheme == "https" else 80
        return self.host if self.port == default else f"{self.host}:{self.port}"


def check_url(url: str, openings: Openings) -> Target:
    """Split and judge a URL.

    Raises:
        Refused: with the rule that it breaks.
    """
    if len(url.encode()) > MAX_URL or not url.isprintable() or re.search(r"[\s\\]", url):
        raise Refused("the address is too long or has characters that no address has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("the address is malformed") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise Refused("the address must begin with https://")
    if parts.username is not None or parts.password is not None or parts.fragment or "#" in url:
        raise Refused("the address may hold neither a user name nor a #fragment")
    port = port or (443 if parts.scheme == "https" else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if _is_opened(parts.hostname, port, openings):
        return Target(parts.scheme, parts.hostname, port, path, opened=True)
    if parts.scheme == "http" and not openings.http:
        raise Refused("the address must begin with https://")
    if port not in (PORTS if parts.scheme == "https" else HTTP_PORTS):
        raise Refused("this port may not be called")
    return Target(parts.scheme, check_host(parts.hostname), port, path, opened=False)


def _is_opened(host: str, port: int, openings: Openings) -> bool:
    try:
        return (ipaddress.ip_address(host), port) in openings.pairs
    except ValueError:
        return False


def check_host(host: str) -> str:
    """Return the host name as an A-label.

    Raises:
        Refused: an address instead of a name, a name of the inside, or no valid name.
    """
    name = host.rstrip(".").lower()
    if ":" in name or DIGITS_ONLY.match(name):
        raise Refused("the address must use a name, not a number")
    try:
        label = idna.encode(name, uts46=False, strict=True).decode().lower() if not name.isascii() else name
        idna.encode(label, strict=True)
    except (idna.IDNAError, UnicodeError):
        raise Refused("the name in the address is not valid") from None
    if DIGITS_ONLY.match(label.rpartition(".")[2]):
        raise Refused("the address must use a name, not a number")
    if "." not in label or label in INNER_NAMES or any(label.endswith(f".{inner}") for inner in INNER_NAMES):
        raise Refused("names of the inside may not be called")
    return label


def check_address(text: str, port: int, openings: Openings) -> Address:
    """Judge an address that a name resolved to.

    Raises:
        Refused: it is not a public address, and the operator has not opened it.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise Refused("the name leads to an address that may not be called") from None
    if (address, port) in openings.pairs:
        return address
    if isinstance(address, ipaddress.IPv6Address) and (mapped := address.ipv4_mapped):
        address = mapped
    if any(address.version == network.version and address in network for network in openings.networks):
        return address
    if isinstance(address, ipaddress.IPv4Address):
        allowed = not any(address in network for network in REFUSED_4)
    else:
        allowed = address in ALLOWED_6 and not address.scope_id and not any(address in network for network in REFUSED_6)
    if not allowed:
        raise Refused("the name leads to an address that may not be called")
    return address
