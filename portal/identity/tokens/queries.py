"""Every SELECT of tokens and clients; the tenant comes first, except where a secret is all that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text, tuple_

from portal.core import db
from portal.core.errors import NotFound
from portal.core.paging import Listing, Page, write_cursor
from portal.identity.models import Membership, Person
from portal.identity.tokens.models import ApiClient, ApiToken, RefreshToken

# Who a live secret speaks for, in the shape of the query that finds a session. `enter_membership` names the tenant for the transaction.
WHO = """
    select k.*, k.last_used_at is null or k.last_used_at < clock_timestamp() - interval '1 minute' as stale,
           p.name as person_name, p.name_ar as person_name_ar, t.name as tenant_name, t.name_ar as tenant_name_ar,
           t.timezone, t.preferences as tenant_preferences, p.preferences, m.role, m.permissions
    from ({secrets}) k
    join people p on p.id = k.person_id and p.is_active
    join tenants t on t.id = k.tenant_id and t.status = 'active'
    left join lateral enter_membership(t.id, p.id) m on true
"""
BY_TOKEN = text(
    WHO.format(
        secrets="""
        select 'api_tokens' as source, tenant_id, id, person_id, scopes, networks, last_used_at, expires_at from api_tokens
        where tenant_id = :tenant and id = :id and revoked_at is null and expires_at > clock_timestamp()
        """
    )
)
BY_ACCESS = text(
    WHO.format(
        secrets="""
        select 'api_clients' as source, c.tenant_id, c.id, c.person_id, c.scopes, '[]'::jsonb as networks, c.last_used_at,
               r.access_expires_at as expires_at
        from refresh_tokens r join api_clients c on c.tenant_id = r.tenant_id and c.id = r.client_id and c.family_id = r.family_id
        where r.tenant_id = :tenant and r.id = :id and r.access_expires_at > clock_timestamp()
          and c.signed_out_at is null and c.removed_at is null
        """
    )
)


@dataclass(frozen=True, slots=True)
class Known:
    """What a secret is: kind `token`, `access`, `refresh` or `client`, and the row that it opens."""

    kind: str
    tenant_id: UUID
    id: UUID


def find_secret(digest: bytes) -> Known | None:
    """Return what a secret with this SHA-256 opens, in whichever tenant; dead ones too."""
    row = db.session().execute(text("select kind, tenant_id, id from find_secret(:digest)"), {"digest": digest}).first()
    return Known(row.kind, row.tenant_id, row.id) if row else None


def bearer_row(known: Known) -> Row[Any] | None:
    """Return who a live token speaks for; None for a dead one. The open unit must have the token's tenant."""
    wanted = {"token": BY_TOKEN, "access": BY_ACCESS}.get(known.kind)
    row = db.session().execute(wanted, {"tenant": known.tenant_id, "id": known.id}).first() if wanted is not None else None
    return row if row is not None and row.role is not None else None


def own_tokens(tenant_id: UUID, person_id: UUID) -> Sequence[ApiToken]:
    """Return a person's tokens, newest first: live ones, and those that ended in the last 90 days."""
    mine = select(ApiToken).where(ApiToken.tenant_id == tenant_id, ApiToken.person_id == person_id)
    return db.session().scalars(mine.order_by(ApiToken.created_at.desc(), ApiToken.id.desc()).limit(200)).all()


def all_tokens(tenant_id: UUID, page: Page) -> Listing[ApiToken]:
    """Return the tokens of everybody in the tenant, newest first."""
    rows = select(ApiToken).where(ApiToken.tenant_id == tenant_id)
    if page.after is not None:
        rows = rows.where(tuple_(ApiToken.created_at, ApiToken.id) < page.after)
    found = db.session().scalars(rows.order_by(ApiToken.created_at.desc(), ApiToken.id.desc()).limit(page.limit + 1)).all()
    shown = list(found[: page.limit])
    return Listing(shown, write_cursor(shown[-1].created_at, shown[-1].id) if len(found) > page.limit else None)


def get_token(tenant_id: UUID, token_id: UUID, *, person_id: UUID | None, lock: bool = False) -> ApiToken:
    """Return a token.

    Args:
        person_id: whose it must be; None for anybody's.

    Raises:
        NotFound: no such token in this tenant, or it is somebody else's.
    """
    wanted = select(ApiToken).where(ApiToken.tenant_id == tenant_id, ApiToken.id == token_id)
    found = db.session().scalar(wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted)
    if found is None or person_id not in (None, found.person_id):
        raise NotFound
    return found


def token_of_request(tenant_id: UUID, person_id: UUID, request_key: UUID) -> ApiToken | None:
    """Return the token that a form has made already."""
    return db.session().scalar(
        select(ApiToken).where(ApiToken.tenant_id == tenant_id, ApiToken.person_id == person_id, ApiToken.request_key == request_key)
    )


def own_clients(tenant_id: UUID, person_id: UUID) -> Sequence[ApiClient]:
    """Return a person's clients that are not removed, newest first."""
    mine = select(ApiClient).where(ApiClient.tenant_id == tenant_id, ApiClient.person_id == person_id, ApiClient.removed_at.is_(None))
    return db.session().scalars(mine.order_by(ApiClient.created_at.desc(), ApiClient.id.desc()).limit(200)).all()


def all_clients(tenant_id: UUID) -> Sequence[ApiClient]:
    """Return the clients of everybody in the tenant that are not removed, newest first, 200 at most."""
    ours = select(ApiClient).where(ApiClient.tenant_id == tenant_id, ApiClient.removed_at.is_(None))
    return db.session().scalars(ours.order_by(ApiClient.created_at.desc(), ApiClient.id.desc()).limit(200)).all()


def get_client(tenant_id: UUID, client_id: UUID, *, person_id: UUID | None, lock: bool = False) -> ApiClient:
    """Return a client; arguments and errors as for `get_token`."""
    wanted = select(ApiClient).where(ApiClient.tenant_id == tenant_id, ApiClient.id == client_id, ApiClient.removed_at.is_(None))
    found = db.session().scalar(wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted)
    if found is None or person_id not in (None, found.person_id):
        raise NotFound
    return found


def client_of_request(tenant_id: UUID, person_id: UUID, request_key: UUID) -> ApiClient | None:
    """Return the client that a form has made already."""
    return db.session().scalar(
        select(ApiClient).where(ApiClient.tenant_id == tenant_id, ApiClient.person_id == person_id, ApiClient.request_key == request_key)
    )


def latest_expiries(tenant_id: UUID, clients: Sequence[ApiClient]) -> dict[UUID, datetime]:
    """Return by client until when the newest refresh token of its present sign-in is good."""
    mine = select(RefreshToken.client_id, func.max(RefreshToken.expires_at)).where(
        RefreshToken.tenant_id == tenant_id,
        RefreshToken.family_id.in_([each.family_id for each in clients]),
        RefreshToken.used_at.is_(None),
    )
    return {row[0]: row[1] for row in db.session().execute(mine.group_by(RefreshToken.client_id))}


def get_refresh(tenant_id: UUID, refresh_id: UUID) -> RefreshToken:
    """Return a refresh token as it is now; call it with its client locked."""
    wanted = select(RefreshToken).where(RefreshToken.tenant_id == tenant_id, RefreshToken.id == refresh_id)
    return db.session().scalars(wanted.execution_options(populate_existing=True)).one()


def child_is_used(tenant_id: UUID, refresh_id: UUID) -> bool:
    """Say whether the refresh token that this one was exchanged for has been exchanged itself."""
    used = select(RefreshToken.used_at).where(RefreshToken.tenant_id == tenant_id, RefreshToken.parent_id == refresh_id)
    return db.session().scalar(used) is not None


def locked_client(tenant_id: UUID, client_id: UUID) -> ApiClient | None:
    """Return a client, locked; None when it was removed."""
    wanted = select(ApiClient).where(ApiClient.tenant_id == tenant_id, ApiClient.id == client_id, ApiClient.removed_at.is_(None))
    return db.session().scalar(wanted.with_for_update().execution_options(populate_existing=True))


def locked_client_of(tenant_id: UUID, refresh_id: UUID) -> ApiClient | None:
    """Return the client of a refresh token, locked; None when it was removed."""
    client_id = db.session().scalar(
        select(RefreshToken.client_id).where(RefreshToken.tenant_id == tenant_id, RefreshToken.id == refresh_id)
    )
    return locked_client(tenant_id, client_id) if client_id else None


def lock_member(tenant_id: UUID, person_id: UUID) -> None:
    """Let one verb at a time count what a member has.

    Raises:
        NotFound: this person is no member.
    """
    mine = select(Membership.person_id).where(Membership.tenant_id == tenant_id, Membership.person_id == person_id)
    if db.session().scalar(mine.with_for_update()) is None:
        raise NotFound


def live_count(tenant_id: UUID, person_id: UUID) -> int:
    """Return how many tokens of a person are good."""
    mine = select(func.count()).where(ApiToken.tenant_id == tenant_id, ApiToken.person_id == person_id, ApiToken.revoked_at.is_(None))
    return db.session().scalar(mine.where(ApiToken.expires_at > func.clock_timestamp())) or 0


def expiring(days: int) -> list[Row[Any]]:
    """Return id and tenant of the tokens that end within so many days, of every tenant; only for the system role.

    Those whose owner has been told of this or a later day are left out, and those that another token follows.
    """
    return list(
        db.session().execute(
            text(
                "select tenant_id, id from api_tokens where revoked_at is null and rotated_to is null"
                " and expires_at > clock_timestamp() and expires_at <= clock_timestamp() + make_interval(days => :days)"
                " and (noticed_days is null or noticed_days > :days) order by expires_at limit 1000"
            ),
            {"days": days},
        )
    )


def addressees(tenant_id: UUID, person_ids: Sequence[UUID]) -> list[Row[Any]]:
    """Return address and language of the active members among these people."""
    people = select(Person.email, Person.locale).join(Membership, Membership.person_id == Person.id)
    return list(db.session().execute(people.where(Membership.tenant_id == tenant_id, Person.id.in_(person_ids), Person.is_active)))
