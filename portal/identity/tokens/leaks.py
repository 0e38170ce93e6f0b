"""Tokens that were found where they should not be: whoever finds one tells us, and it ends."""

from __future__ import annotations

from collections.abc import Iterable

from portal import events
from portal.audit import service as audit
from portal.core import bus, clock, db
from portal.core.access import SYSTEM
from portal.core.errors import NotFound
from portal.core.secrets import token_hash
from portal.identity import service as identity
from portal.identity import throttle
from portal.identity.origin import Origin
from portal.identity.tokens import queries, spelling
from portal.identity.tokens.clients import end_family
from portal.identity.tokens.errors import TooManyReports
from portal.identity.tokens.letters import write_to
from portal.identity.tokens.queries import Known

MOST = 100


def report_leak(texts: Iterable[str], *, address: str) -> None:
    """End every token, client secret, refresh and access token that stands in these texts, and tell owners and admins.

    Who reports learns nothing: the call is the same for found and unknown ones. Of many, a hundred are looked at.

    Raises:
        TooManyReports: this network has reported too often in the last hour.
    """
    origin = Origin(address)
    if not throttle.begin("leak", origin.network, origin).is_allowed:
        raise TooManyReports
    found = list(dict.fromkeys(secret for each in texts for secret in spelling.find(each)))[:MOST]
    for secret in found:
        known = queries.find_secret(token_hash(secret))
        if known is not None:
            # A unit of its own: whoever reports may be signed in to another tenant.
            with db.unit_of_work(known.tenant_id):
                _end(known)


def _end(known: Known) -> None:
    with db.transaction():
        if known.kind == "token":
            _end_token(known)
        else:
            client = (
                queries.locked_client(known.tenant_id, known.id)
                if known.kind == "client"
                else queries.locked_client_of(known.tenant_id, known.id)
            )
            # Of a chain that has ended before, nothing is left to be used.
            if client is not None and (
                known.kind == "client" or queries.get_refresh(known.tenant_id, known.id).family_id == client.family_id
            ):
                end_family(client, "leak", by=SYSTEM)


def _end_token(known: Known) -> None:
    tenant_id = known.tenant_id
    try:
        token = queries.get_token(tenant_id, known.id, person_id=None, lock=True)
    except NotFound:  # its owner has left in this moment
        return
    if token.revoked_at is not None or token.expires_at <= clock.now():
        return
    token.revoked_at, token.revoked_because = clock.now(), "leak"
    audit.record(tenant_id, SYSTEM, "token.leaked", token.id, of=token.person_id)
    bus.announce(events.TokenRevoked(tenant_id, token.id, token.person_id, token.name, "leak"))
    admins = identity.member_ids(tenant_id, roles=("owner", "admin"))
    write_to(tenant_id, [token.person_id, *admins], "token_leaked", link="/settings/tokens", name=token.name, shown=token.shown)
