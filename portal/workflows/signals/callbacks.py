"""Addresses to which other systems answer: each names one step of one run and carries a signature, so that nothing need be kept."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from uuid import UUID

from portal.core.config import current_settings
from portal.core.secrets import is_signed, sign

PATH = "/api/v1/callbacks/"
PURPOSE = "callback"
LONGEST = 400
# No signal of people may be called so: `@` begins no name.
SIGNAL = "@callback"


@dataclass(frozen=True, slots=True)
class Place:
    """The step that an address answers to; `idem_key`, its own in every lane, item and round, is the key of its answer."""

    tenant_id: UUID
    run_id: UUID
    idem_key: str
    node_key: str


def url(tenant_id: UUID, run_id: UUID, node_key: str, idem_key: str) -> str:
    """Return the address to which another system answers a step; always the same for the same step."""
    body = tenant_id.bytes + run_id.bytes + bytes.fromhex(idem_key) + node_key.encode()
    token = urlsafe_b64encode(sign(body, purpose=PURPOSE) + body).decode().rstrip("=")
    return f"{current_settings().public_url.rstrip('/')}{PATH}{token}"


def read(token: str) -> Place | None:
    """Return the step that a token of such an address names; None for one that we did not make."""
    if len(token) > LONGEST or not token.isascii():
        return None
    try:
        plain = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    signature, body = plain[:16], plain[16:]
    if len(body) < 53 or not is_signed(body, signature, purpose=PURPOSE):
        return None
    return Place(UUID(bytes=body[:16]), UUID(bytes=body[16:32]), body[32:52].hex(), body[52:].decode())
