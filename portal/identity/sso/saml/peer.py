"""A SAML provider as it is kept: where people are sent, whom we believe, and who we are for it. Knows no table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


@dataclass(frozen=True, slots=True)
class Terms:
    """What is kept of a provider in its row.

    Args:
        certificates: base64 of DER, those whose signatures count; several while the provider changes its key.
        slo_url: where we say that somebody signed out here; the provider's own requests are answered at `slo_response_url`, or there.
        vouches: the organisation says that nobody can change their own address there, so it connects people to accounts that are here.
        own_certificate: of our key for this provider, base64 of DER.
    """

    sso_url: str
    certificates: tuple[str, ...]
    own_certificate: str
    slo_url: str = ""
    slo_response_url: str = ""
    metadata_url: str = ""
    email_attribute: str = ""
    name_attribute: str = ""
    signs_requests: bool = False
    vouches: bool = False

    @property
    def answers_at(self) -> str:
        """Where our answer to a logout request goes; empty for a provider that wants none."""
        return self.slo_response_url or self.slo_url

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "certificates": list(self.certificates)}

    @staticmethod
    def of(kept: Mapping[str, Any]) -> Terms:
        return Terms(**{**kept, "certificates": tuple(kept["certificates"])})


@dataclass(frozen=True, slots=True)
class Peer:
    """Both sides of one connection: the provider by its entity id, and we by the addresses that are only for it."""

    issuer: str
    terms: Terms
    entity_id: str
    acs: str
    slo: str
    private_key: str = field(default="", repr=False)
