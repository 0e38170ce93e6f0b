"""Whether a domain's DNS says that an organisation speaks for it. Knows no table."""

from __future__ import annotations

from enum import StrEnum

import dns.exception
import dns.resolver
import idna

from portal.core.config import current_settings
from portal.core.errors import Invalid
from portal.i18n.words import gettext as _

PREFIX = "nasij-domain="
LIFETIME_S = 4.0
MAX_DOMAIN = 253


class Seen(StrEnum):
    """What a look into the DNS found."""

    THERE = "there"
    MISSING = "missing"
    UNKNOWN = "unknown"  # no answer: says nothing about the record


def tidy(written: str) -> str:
    """Return a domain as it is compared: lower case, A-labels, no dot at its end.

    Raises:
        Invalid: it is no name of a domain.
    """
    text = written.strip().rstrip(".").lower().removeprefix("@")
    try:
        label = idna.encode(text, uts46=True, strict=True, std3_rules=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        label = ""
    if "." not in label or len(label) > MAX_DOMAIN or label.rpartition(".")[2].isdigit():
        raise Invalid({"domain": _("Enter a domain, for example nasij.example.")})
    return label


def domain_of(email: str) -> str:
    """Return the folded domain of an address, or an empty text."""
    local, at, domain = email.strip().rpartition("@")
    if not at or not local:
        return ""
    try:
        return tidy(domain)
    except Invalid:
        return ""


def record_name(domain: str) -> str:
    """Return where the record must be."""
    return f"_nasij.{domain}"


def record_text(challenge: str) -> str:
    """Return what the record must say."""
    return f"{PREFIX}{challenge}"


def look(domain: str, challenge: str) -> Seen:
    """Ask the DNS for the record; takes four seconds at most."""
    try:
        answers = _resolver().resolve(record_name(domain), "TXT", search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Seen.MISSING
    except (dns.exception.DNSException, OSError):
        return Seen.UNKNOWN
    texts = [b"".join(record.strings).decode("utf-8", "replace").strip() for record in answers]
    return Seen.THERE if record_text(challenge) in texts else Seen.MISSING


def _resolver() -> dns.resolver.Resolver:
    """Return the resolver of the settings (`ip` or `ip:port`), else the system's."""
    chosen = current_settings().dns_resolver
    resolver = dns.resolver.Resolver(configure=not chosen)
    if chosen:
        host, colon, port = chosen.rpartition(":")
        resolver.nameservers = [host.strip("[]") if colon else chosen]
        resolver.port = int(port) if colon else 53
    resolver.lifetime = LIFETIME_S
    return resolver
