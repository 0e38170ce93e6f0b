"""The verbs of API tokens; the door to those of clients, bearers and leaks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from portal import events
from portal.audit import service as audit
from portal.core import bus, clock, db
from portal.core.access import SYSTEM, Actor
from portal.core.config import current_settings
from portal.core.errors import Conflict, Invalid
from portal.core.ids import new_id
from portal.core.secrets import token_hash
from portal.i18n import formats
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.identity.tokens import networks as places
from portal.identity.tokens import queries, scopes, spelling
from portal.identity.tokens.bearer import open_bearer
from portal.identity.tokens.clients import Grant, exchange
from portal.identity.tokens.leaks import report_leak
from portal.identity.tokens.letters import write_to
from portal.identity.tokens.models import ApiToken

__all__ = [
    "Grant",
    "Made",
    "create_token",
    "exchange",
    "give_notices",
    "open_bearer",
    "report_leak",
    "revoke_token",
    "rotate_token",
    "sweep",
]

USUAL_DAYS = 90
LONGEST_DAYS = 365
MOST_TOKENS = 50
MOST_NETWORKS = 20
LONGEST_OVERLAP_H = 24
# So many days before its end the owner of a token hears of it.
NOTICES = (30, 14, 7, 1)
KEPT_DAYS = 90


@dataclass(frozen=True, slots=True)
class Made:
    """A new token: `secret` is said here and never again."""

    id: UUID
    secret: str


def create_token(
    tenant_id: UUID,
    person_id: UUID,
    *,
    name: str,
    wanted: list[str],
    days: int,
    networks: str = "",
    request_key: UUID | None = None,
    by: Actor,
) -> Made:
    """Make a token with which a program acts for the person.

    Args:
        wanted: permissions, some of those that the person has now; at each use it counts what they have then.
        days: 1 to 365.
        networks: from which it is good, as typed; empty means everywhere.
        request_key: of the form; the same one makes one token.

    Raises:
        Invalid: `.problems` by field.
        Conflict: the form was sent twice, or the person has fifty live tokens.
    """
    with db.transaction(tenant_id):
        listed, problems = _check(identity.permissions_of(tenant_id, person_id), name=name, wanted=wanted, networks=networks)
        if not 1 <= days <= LONGEST_DAYS:
            problems["days"] = _("Choose how long the token is good: 365 days at most.")
        if problems:
            raise Invalid(problems)
        queries.lock_member(tenant_id, person_id)
        if request_key is not None and queries.token_of_request(tenant_id, person_id, request_key) is not None:
            raise Conflict(_("This token was made already. A token is shown only once; if you did not keep it, rotate it."))
        if queries.live_count(tenant_id, person_id) >= MOST_TOKENS:
            raise Conflict(_("You have 50 tokens already. Revoke one that you do not need."))
        made, token = _new(
            tenant_id,
            person_id,
            name=name,
            scopes=sorted(set(wanted)),
            networks=listed,
            lifetime=timedelta(days=days),
            request_key=request_key,
        )
        audit.record(tenant_id, by, "token.created", token.id, scopes=token.scopes, networks=listed, days=days)
        bus.announce(events.TokenCreated(tenant_id, token.id, person_id))
    return made


def rotate_token(tenant_id: UUID, person_id: UUID, token_id: UUID, *, overlap_h: int, by: Actor) -> Made:
    """Make a token that takes the place of one's own; the old one is good for some hours more.

    The new one has the old one's name, permissions, networks and length of life, counted from now.

    Args:
        overlap_h: 0 to 24; 0 ends the old one at once.

    Raises:
        NotFound: this person has no such token.
        Invalid: the overlap is longer than a day.
        Conflict: it has ended, or another one follows it already.
    """
    if not 0 <= overlap_h <= LONGEST_OVERLAP_H:
        raise Invalid({"overlap": _("Choose 24 hours at most.")})
    with db.transaction(tenant_id) as session:
        old = queries.get_token(tenant_id, token_id, person_id=person_id, lock=True)
        now = clock.now()
        if old.revoked_at is not None or old.expires_at <= now or old.rotated_to is not None:
            raise Conflict(_("This token has ended or was rotated already. Nothing was changed."))
        lifetime = min(old.expires_at - old.created_at, timedelta(days=LONGEST_DAYS))
        made, new = _new(tenant_id, person_id, name=old.name, scopes=old.scopes, networks=old.networks, lifetime=lifetime)
        session.flush()
        old.rotated_to = new.id
        if overlap_h:
            old.expires_at = min(old.expires_at, now + timedelta(hours=overlap_h))
        else:
            old.revoked_at, old.revoked_because = now, "rotated"
        audit.record(tenant_id, by, "token.rotated", token_id, to=new.id, overlap_hours=overlap_h)
        bus.announce(events.TokenCreated(tenant_id, new.id, person_id))
    return made


def revoke_token(tenant_id: UUID, token_id: UUID, *, person_id: UUID | None, by: Actor) -> None:
    """End a token at once. Safe to repeat.

    Args:
        person_id: whose it must be; None where the caller may revoke everybody's.

    Raises:
        NotFound: no such token, or it is somebody else's.
    """
    with db.transaction(tenant_id):
        token = queries.get_token(tenant_id, token_id, person_id=person_id, lock=True)
        if token.revoked_at is not None:
            return
        is_own = by.id == token.person_id
        token.revoked_at, token.revoked_because = clock.now(), "person" if is_own else "admin"
        audit.record(tenant_id, by, "token.revoked", token_id, of=token.person_id)
        bus.announce(events.TokenRevoked(tenant_id, token_id, token.person_id, token.name, token.revoked_because))
        if not is_own:
            write_to(tenant_id, [token.person_id], "token_revoked", link="/settings/tokens", name=token.name, shown=token.shown)


def give_notices() -> int:
    """Tell the owners of tokens that are about to end, once for each of 30, 14, 7 and 1 days; returns how many. For the dispatcher.

    Safe when two do it at once: the row says which notice was given, and changes in the transaction that gives it.
    """
    given = 0
    for days in sorted(NOTICES):
        with db.transaction(system=True):
            due = queries.expiring(days)
        for row in due:
            given += _give_notice(row.tenant_id, row.id, days)
    return given


def _give_notice(tenant_id: UUID, token_id: UUID, days: int) -> bool:
    with db.transaction(tenant_id) as session:
        row = session.execute(
            text(
                "update api_tokens set noticed_days = :days where tenant_id = :tenant and id = :id and revoked_at is null and rotated_to is null"
                " and expires_at > clock_timestamp() and (noticed_days is null or noticed_days > :days)"
                " returning person_id, name, shown, expires_at"
            ),
            {"days": days, "tenant": tenant_id, "id": token_id},
        ).first()
        if row is None:
            return False
        left = days_until(row.expires_at)
        bus.announce(events.TokenExpiring(tenant_id, token_id, row.person_id, row.name, left))
        facts = {"name": row.name, "shown": row.shown, "days": left}
        write_to(tenant_id, [row.person_id], "token_expiring", link=f"/settings/tokens/{token_id}", **facts)
        audit.record(tenant_id, SYSTEM, "token.expiry_noticed", token_id, days=left)
    return True


def days_until(moment: datetime) -> int:
    """Return how many days are left, a begun one counted whole."""
    return max(0, math.ceil((moment - clock.now()) / timedelta(days=1)))


def sweep() -> int:
    """Delete what nobody can use or wants to see any more; returns how many rows. For the dispatcher."""
    statements = (
        f"delete from api_tokens where coalesce(revoked_at, expires_at) < clock_timestamp() - interval '{KEPT_DAYS} days'",
        f"delete from api_clients where removed_at < clock_timestamp() - interval '{KEPT_DAYS} days'",
        "delete from refresh_tokens where created_at < clock_timestamp() - interval '31 days'",
    )
    with db.transaction(system=True) as session:
        return sum(db.touched(session.execute(text(each))) for each in statements)


def _check(permissions: frozenset[str], *, name: str, wanted: list[str], networks: str) -> tuple[list[str], dict[str, Any]]:
    listed, wrong = places.read(networks)
    problems = scopes.problems_of(permissions, name=name, wanted=wanted)
    if wrong:
        named = " · ".join(formats.isolate(word) for word in wrong[:5])
        example = _(
            "Write networks like %(one)s or %(other)s, or single addresses.",
            one=formats.isolate("192.0.2.0/24"),
            other=formats.isolate("2001:db8::/32"),
        )
        problems["networks"] = " ".join([_("Not a network: %(words)s.", words=named), example])
    elif len(listed) > MOST_NETWORKS:
        problems["networks"] = _("Name 20 networks at most.")
    return listed, problems


def _new(
    tenant_id: UUID,
    person_id: UUID,
    *,
    name: str,
    scopes: list[str],
    networks: list[str],
    lifetime: timedelta,
    request_key: UUID | None = None,
) -> tuple[Made, ApiToken]:
    secret, now = spelling.new(spelling.PERSONAL, current_settings().environment), clock.now()
    token = ApiToken(
        id=new_id(),
        tenant_id=tenant_id,
        person_id=person_id,
        name=name,
        hash=token_hash(secret),
        shown=spelling.shown(secret),
        scopes=scopes,
        networks=networks,
        created_at=now,
        expires_at=now + lifetime,
        noticed_days=_noticed_already(lifetime),
        request_key=request_key,
    )
    db.session().add(token)
    return Made(token.id, secret), token


def _noticed_already(lifetime: timedelta) -> int | None:
    """Return the last notice that a token of this length needs no more: who makes one for a week knows that it ends in a week."""
    return min((days for days in NOTICES if timedelta(days=days) >= lifetime), default=None)
