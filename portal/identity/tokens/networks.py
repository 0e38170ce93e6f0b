"""The networks from which a token is good, as people write them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from portal.core.digits import ascii_digits

APART = re.compile(r"[\s,;،؛]+")
LONGEST = 64


def read(text: str) -> tuple[list[str], list[str]]:
    """Return the networks of a text in their plain form, each once, and the words that are none.

    A single address is the network that holds it alone. `10.1.2.3/8` is refused: it may mean the one computer or the whole network.
    """
    kept, wrong = [], []
    for word in filter(None, APART.split(text)):
        try:
            kept.append(str(_plain(ip_network(ascii_digits(word[: LONGEST + 1])))))
        except ValueError:
            wrong.append(word[:LONGEST])
    return list(dict.fromkeys(kept)), list(dict.fromkeys(wrong))


def holds(networks: Iterable[str], address: str) -> bool:
    """Say whether an address stands in one of the networks; no networks means everywhere."""
    listed = list(networks)
    if not listed:
        return True
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(known, IPv6Address) and known.ipv4_mapped:
        known = known.ipv4_mapped
    return any(known in ip_network(each) for each in listed)


def _plain(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """Return an IPv4 network for one that is written inside IPv6: addresses are compared as IPv4."""
    inner = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    return IPv4Network((inner, network.prefixlen - 96)) if inner is not None and network.prefixlen >= 96 else network
