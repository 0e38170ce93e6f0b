"""The country that an address of a network belongs to, from a list that is installed with the portal: nobody outside is asked.

It is the country to which a registry gave the network: for nineteen IPv4 addresses in twenty also where somebody sits. Pages therefore
show the address beside it, and nothing is decided by it.
"""

from __future__ import annotations

import ipaddress

import iptocc
from babel import Locale

from portal.core.render import language
from portal.i18n.words import gettext as _

PRIVATE = "private"
# Between a provider and the homes of its customers (RFC 6598); `ipaddress` calls it neither global nor private.
CARRIERS = ipaddress.ip_network("100.64.0.0/10")


def country_of(address: str) -> str:
    """Return the code of a country, `PRIVATE` for an address that only counts inside a network, or an empty text where nothing is known."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped:
        known = known.ipv4_mapped
    if known.is_private or known in CARRIERS:
        return PRIVATE
    return iptocc.country_code(str(known)) or ""


def place_of(address: str) -> str:
    """Return the country of an address in the reader's language, or that it is private or unknown."""
    country = country_of(address)
    if country == PRIVATE:
        return _("A private network")
    return Locale.parse(language()).territories.get(country) or _("Unknown country")
