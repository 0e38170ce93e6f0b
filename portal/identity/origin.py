"""Where a request comes from: its network, its browser, its device cookie. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox/", "Firefox"), ("FxiOS", "Firefox"),
            ("CriOS", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))  # fmt: skip
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
           ("Macintosh", "macOS"), ("Linux", "Linux"))  # fmt: skip
LONGEST_AGENT = 300


@dataclass(frozen=True, slots=True)
class Origin:
    """Where somebody tries to come in from.

    Args:
        address: of the network, as the proxies we trust tell it.
        agent: what the browser says of itself.
        device: the token of the browser's device cookie, or None.
    """

    address: str
    agent: str = ""
    device: str | None = None

    @property
    def network(self) -> str:
        """The smallest network that one subscriber has: an IPv4 address, or the first 64 bits of an IPv6 one."""
        return network_of(self.address, v4=32, v6=64)

    @property
    def wide_network(self) -> str:
        """The network around it: 24 bits of IPv4, 48 of IPv6."""
        return network_of(self.address, v4=24, v6=48)


def network_of(address: str, *, v4: int, v6: int) -> str:
    """Return the network of an address; what is no address is a network of its own."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped:
        known = known.ipv4_mapped
    return str(ipaddress.ip_network((known, v4 if known.version == 4 else v6), strict=False))


def browser_of(agent: str) -> tuple[str, str]:
    """Return the names of browser and system that a browser gives itself; empty where it gives none that is known."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return browser, system
