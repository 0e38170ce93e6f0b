"""API clients: programs that stay signed in with refresh tokens, each good for one exchange.

A client has one sign-in at a time, its family: a chain of refresh tokens, each the child of the one it was exchanged for. A link that is
shown again was copied by somebody, so the whole family ends. The one exception is a client whose answer got lost on the way: for ten
seconds, and as long as the child was not used, it gets the same child again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from sqlalchemy import func, select, text

from portal import events
from portal.audit import service as audit
from portal.core import bus, db, jobs
from portal.core.access import SYSTEM, Actor
from portal.core.config import current_settings
from portal.core.errors import Conflict, Invalid
from portal.core.ids import as_uuid, new_id
from portal.core.secrets import SecretLost, seal, token_hash, unseal
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.identity import throttle
from portal.identity.origin import Origin
from portal.identity.tokens import queries, scopes, spelling
from portal.identity.tokens.errors import SecretRefused, TooManyTries
from portal.identity.tokens.letters import write_to
from portal.identity.tokens.models import ApiClient, RefreshToken

ACCESS = timedelta(minutes=15)
IDLE = timedelta(days=7)
ABSOLUTE = timedelta(days=30)
RETRY = timedelta(seconds=10)
MOST_CLIENTS = 20
KINDS = ("confidential", "public")


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client and its first secrets, which are said here and never again; a public client has no secret of its own."""

    id: UUID
    secret: str | None
    refresh: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What a refresh token was exchanged for."""

    access: str
    refresh: str
    access_expires_at: datetime
    refresh_expires_at: datetime
    scopes: list[str]


def create_client(
    tenant_id: UUID, person_id: UUID, *, name: str, kind: str, wanted: list[str], request_key: UUID | None = None, by: Actor
) -> NewClient:
    """Register a program that acts for the person, and sign it in.

    Args:
        kind: `confidential` for one that can keep a secret (on a server), `public` for one that cannot (on many devices).
        wanted, request_key: as for a token.

    Raises:
        Invalid: `.problems` by field.
        Conflict: the form was sent twice, or the person has twenty clients.
    """
    with db.transaction(tenant_id) as session:
        problems = scopes.problems_of(identity.permissions_of(tenant_id, person_id), name=name, wanted=wanted)
        if kind not in KINDS:
            problems["kind"] = _("Choose one of the values.")
        if problems:
            raise Invalid(problems)
        queries.lock_member(tenant_id, person_id)
        if request_key is not None and queries.client_of_request(tenant_id, person_id, request_key) is not None:
            raise Conflict(_("This client was made already. Its secrets are shown only once; if you did not keep them, sign it in again."))
        if len(queries.own_clients(tenant_id, person_id)) >= MOST_CLIENTS:
            raise Conflict(_("You have 20 clients already. Remove one that you do not need."))
        secret = spelling.new(spelling.CLIENT_SECRET, current_settings().environment) if kind == "confidential" else None
        client = ApiClient(
            id=new_id(),
            tenant_id=tenant_id,
            person_id=person_id,
            name=name,
            kind=kind,
            secret_hash=token_hash(secret) if secret else None,
            scopes=sorted(set(wanted)),
            family_id=new_id(),
            request_key=request_key,
        )
        session.add(client)
        session.flush()
        refresh = _begin_family(client)
        audit.record(tenant_id, by, "client.created", client.id, kind=kind, scopes=client.scopes)
        bus.announce(events.ApiClientSignedIn(tenant_id, client.id, person_id))
    return NewClient(client.id, secret, refresh)


def renew_client(tenant_id: UUID, person_id: UUID, client_id: UUID, *, by: Actor) -> NewClient:
    """Sign a client in again: all that it had ends, a confidential one gets a new secret too.

    Raises:
        NotFound: this person has no such client.
    """
    with db.transaction(tenant_id):
        client = queries.get_client(tenant_id, client_id, person_id=person_id, lock=True)
        _forget_children(client)
        secret = spelling.new(spelling.CLIENT_SECRET, current_settings().environment) if client.kind == "confidential" else None
        client.secret_hash = token_hash(secret) if secret else None
        client.signed_out_at = client.signed_out_because = None
        client.family_id = new_id()
        refresh = _begin_family(client)
        audit.record(tenant_id, by, "client.signed_in", client_id)
        bus.announce(events.ApiClientSignedIn(tenant_id, client.id, person_id))
    return NewClient(client.id, secret, refresh)


def sign_out_client(tenant_id: UUID, client_id: UUID, *, person_id: UUID | None, by: Actor) -> None:
    """End all that a client has, at once; its registration stays. Safe to repeat.

    Raises:
        NotFound: no such client, or it is somebody else's (None for `person_id` allows everybody's).
    """
    with db.transaction(tenant_id):
        client = queries.get_client(tenant_id, client_id, person_id=person_id, lock=True)
        end_family(client, "person" if by.id == client.person_id else "admin", by=by)


def remove_client(tenant_id: UUID, client_id: UUID, *, person_id: UUID | None, by: Actor) -> None:
    """Sign a client out and take it off the list.

    Raises:
        NotFound: as for `sign_out_client`, or it was removed before.
    """
    with db.transaction(tenant_id):
        client = queries.get_client(tenant_id, client_id, person_id=person_id, lock=True)
        end_family(client, "person" if by.id == client.person_id else "admin", by=by)
        client.removed_at = _now()
        audit.record(tenant_id, by, "client.removed", client_id, of=client.person_id)


def exchange(refresh: str, *, client_id: str, client_secret: str | None, address: str) -> Grant:
    """Exchange a refresh token for an access token and the next refresh token. Enters the tenant of the token.

    Raises:
        SecretRefused: whatever is wrong; when the token was used before or came from another client, its family has ended.
        TooManyTries: too many wrong ones came from this network lately.
    """
    origin = Origin(address)
    attempt = throttle.begin("refresh", origin.network, origin)
    if not attempt.is_allowed:
        raise TooManyTries
    grant = _exchange(refresh, client_id=client_id, client_secret=client_secret, address=address)
    throttle.passed(attempt)
    return grant


def _exchange(refresh: str, *, client_id: str, client_secret: str | None, address: str) -> Grant:
    known = queries.find_secret(token_hash(refresh)) if spelling.is_spelled_right(refresh, spelling.REFRESH) else None
    if known is None or known.kind != "refresh":
        raise SecretRefused
    db.enter_tenant(known.tenant_id)
    with db.transaction():
        # The client first: its lock lets one exchange at a time look at the chain.
        client = queries.locked_client_of(known.tenant_id, known.id)
        grant = None
        if client is not None:
            token = queries.get_refresh(known.tenant_id, known.id)
            grant = _judge(client, token, client_id=client_id, client_secret=client_secret, address=address)
    # After the commit: what was ended stays ended.
    if grant is None:
        raise SecretRefused
    return grant


def _judge(client: ApiClient, token: RefreshToken, *, client_id: str, client_secret: str | None, address: str) -> Grant | None:
    now = _now()
    if client.signed_out_at is not None or client.family_id != token.family_id:
        return None
    if as_uuid(client_id) != client.id:
        end_family(client, "reuse", by=SYSTEM)
        return None
    if client.secret_hash is not None and not compare_digest(client.secret_hash, token_hash(_ascii(client_secret))):
        return None
    if token.used_at is not None:
        again = _same_child(client, token, now)
        if again is None:
            end_family(client, "reuse", by=SYSTEM)
        return again
    if token.expires_at <= now or not identity.permissions_of(client.tenant_id, client.person_id):
        return None
    return _give_child(client, token, now, address)


def _same_child(client: ApiClient, token: RefreshToken, now: datetime) -> Grant | None:
    """Return what the token was exchanged for, if the answer may have been lost on its way to the client."""
    assert token.used_at is not None
    if now - token.used_at > RETRY or token.sealed_child is None or queries.child_is_used(client.tenant_id, token.id):
        return None
    try:
        kept = json.loads(unseal(token.sealed_child, where=_place(token)))
    except SecretLost:
        return None
    child = queries.get_refresh(client.tenant_id, UUID(kept["id"]))
    assert child.access_expires_at is not None
    return Grant(kept["access"], kept["refresh"], child.access_expires_at, child.expires_at, client.scopes)


def _give_child(client: ApiClient, token: RefreshToken, now: datetime, address: str) -> Grant:
    environment, session = current_settings().environment, db.session()
    access, refresh = spelling.new(spelling.ACCESS, environment), spelling.new(spelling.REFRESH, environment)
    child = RefreshToken(
        id=new_id(),
        tenant_id=client.tenant_id,
        client_id=client.id,
        family_id=client.family_id,
        parent_id=token.id,
        hash=token_hash(refresh),
        access_hash=token_hash(access),
        access_expires_at=now + ACCESS,
        expires_at=min(now + IDLE, client.family_since + ABSOLUTE),
    )
    _forget_children(client)
    session.add(child)
    token.used_at = now
    token.sealed_child = seal(json.dumps({"id": str(child.id), "access": access, "refresh": refresh}), where=_place(token))
    client.last_used_at, client.last_used_from = now, address
    session.flush()
    jobs.enqueue("tokens.forget_child", client.tenant_id, token.id, delay_s=int(RETRY.total_seconds()) + 1)
    assert child.access_expires_at is not None
    return Grant(access, refresh, child.access_expires_at, child.expires_at, client.scopes)


def end_family(client: ApiClient, because: str, *, by: Actor) -> None:
    """Sign a client out in the open transaction, with the client locked, and tell who must know. Safe to repeat."""
    if client.signed_out_at is not None:
        return
    client.signed_out_at, client.signed_out_because = _now(), because
    _forget_children(client)
    tenant_id = client.tenant_id
    audit.record(tenant_id, by, "client.signed_out", client.id, because=because, of=client.person_id)
    bus.announce(events.ApiClientSignedOut(tenant_id, client.id, client.person_id, client.name, because))
    if because in ("reuse", "leak"):
        admins = identity.member_ids(tenant_id, roles=("owner", "admin"))
        write_to(tenant_id, [client.person_id, *admins], f"client_{because}", link="/settings/clients", name=client.name)


def forget_child(tenant_id: UUID, refresh_id: UUID) -> None:
    """Delete what a refresh token was exchanged for, once nobody may ask for it again. Safe to repeat; for the job."""
    with db.transaction(tenant_id) as session:
        session.execute(
            text("update refresh_tokens set sealed_child = null where tenant_id = :tenant and id = :id and sealed_child is not null"),
            {"tenant": tenant_id, "id": refresh_id},
        )


def _begin_family(client: ApiClient) -> str:
    refresh, now = spelling.new(spelling.REFRESH, current_settings().environment), _now()
    client.family_since = now
    token = RefreshToken(
        id=new_id(),
        tenant_id=client.tenant_id,
        client_id=client.id,
        family_id=client.family_id,
        hash=token_hash(refresh),
        expires_at=now + IDLE,
    )
    db.session().add(token)
    return refresh


def _forget_children(client: ApiClient) -> None:
    db.session().execute(
        text(
            "update refresh_tokens set sealed_child = null where tenant_id = :tenant and client_id = :client and sealed_child is not null"
        ),
        {"tenant": client.tenant_id, "client": client.id},
    )


def _place(token: RefreshToken) -> str:
    return f"refresh_tokens.sealed_child:{token.tenant_id}:{token.id}"


def _now() -> datetime:
    """The database's moment: the ten seconds are the same for every process."""
    moment: datetime = db.session().scalars(select(func.clock_timestamp())).one()
    return moment


def _ascii(text_: str | None) -> str:
    """Half surrogates, which JSON may hold, cannot be hashed; no secret of ours has any."""
    return (text_ or "").encode("ascii", "replace").decode()
