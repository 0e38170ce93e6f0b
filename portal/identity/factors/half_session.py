"""What a browser's session holds between the two steps of signing in, and the challenges of passkeys: kept by the server, used once."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import session
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from portal.core import clock
from portal.core.ids import as_uuid
from portal.identity import sessions

DUE, CHALLENGE = "factor_due", "passkey_challenge"
HALF_S = 600
CHALLENGE_S = 300


@dataclass(frozen=True, slots=True)
class Due:
    """Whose password was right, where they will be, and the page they wanted."""

    person_id: UUID
    tenant_id: UUID | None  # None for who belongs to no active tenant
    next: str


def begin(person_id: UUID, tenant_id: UUID | None, *, next_address: str) -> None:
    """Give the browser a new session that is nobody's, and remember in it for ten minutes whose password was right."""
    session.clear()
    sessions.begin_nobodys(session)
    session[DUE] = {"person": str(person_id), "tenant": str(tenant_id or ""), "next": next_address, "at": _now()}


def due() -> Due | None:
    """Return who is between the two steps, or None: nobody, or it took too long."""
    kept = session.get(DUE)
    if not isinstance(kept, dict) or not 0 <= _now() - kept["at"] <= HALF_S:
        return None
    person_id, tenant_id = as_uuid(kept["person"]), as_uuid(kept["tenant"])
    return Due(person_id, tenant_id, kept["next"]) if person_id else None


def keep_challenge(challenge: bytes, purpose: str) -> None:
    """Remember the challenge that a browser got; one that it got before is void."""
    session[CHALLENGE] = {"value": bytes_to_base64url(challenge), "for": purpose, "at": _now()}


def take_challenge(purpose: str) -> bytes | None:
    """Return the challenge for this purpose and forget it, before anything is checked: no answer can be tried twice."""
    kept = session.pop(CHALLENGE, None)
    if not isinstance(kept, dict) or kept["for"] != purpose or not 0 <= _now() - kept["at"] <= CHALLENGE_S:
        return None
    return base64url_to_bytes(kept["value"])


def _now() -> int:
    return int(clock.now().timestamp())
