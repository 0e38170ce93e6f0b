"""The verbs of connections, and the door for the steps that use them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, text

from portal import events
from portal.audit import service as audit
from portal.connections import chat, databases, outgoing, queries, tokens, vault
from portal.connections.chat import Message, say
from portal.connections.checking import TOKEN_HOST, Given
from portal.connections.databases import Result
from portal.connections.databases import run as run_statement
from portal.connections.errors import InUse, NothingToBringBack, Unusable
from portal.connections.kinds import KINDS, Kind
from portal.connections.masking import MASK, forms_of
from portal.connections.models import Connection
from portal.connections.outgoing import send
from portal.connections.queries import gap_s
from portal.connections.statements import StatementRefused, names_in
from portal.connections.vault import Opened, is_in_scope, open_connection, place, shut
from portal.connections.wording import offer_scopes
from portal.core import bus, clock, db
from portal.core.access import Actor
from portal.core.errors import Invalid
from portal.core.secrets import SecretLost, current_key, is_wrapped_with_current, rewrap
from portal.i18n.locale import plain_name
from portal.i18n.words import gettext as _

__all__ = [
    "KINDS",
    "MASK",
    "Kind",
    "Message",
    "Opened",
    "Result",
    "StatementRefused",
    "Unusable",
    "Use",
    "add_connection",
    "bring_back",
    "change_connection",
    "choices",
    "delete_connection",
    "forms_of",
    "gap_s",
    "get_connection",
    "is_in_scope",
    "know_uses",
    "limit_rate",
    "list_connections",
    "names_in",
    "offer_scopes",
    "open_connection",
    "reseal",
    "reseal_once",
    "rotate",
    "run_statement",
    "say",
    "send",
    "sweep",
    "test_connection",
    "uses_of",
]

log = logging.getLogger(__name__)
KEPT_HOURS = (0, 1, 24, 168)
RATE_PER = ("second", "minute")
MOST_CALLS = 10_000
SECRET_COLUMNS = (("sealed", "secret"), ("sealed_before", "secret"), ("token", "token"))


@dataclass(frozen=True, slots=True)
class Use:
    """One workflow that uses a connection: its names, its page, its steps, and whether its live version or a run does."""

    id: UUID
    name: str
    name_ar: str | None
    url: str
    steps: tuple[str, ...]
    is_live: bool


get_connection = queries.get_connection
list_connections = queries.list_connections


def add_connection(tenant_id: UUID, kind: str, given: Given, *, by: Actor) -> UUID:
    """Add a connection with its sealed secrets, and return its id.

    Raises:
        Invalid: `.problems` names the field.
    """
    with db.transaction() as session:
        _refuse(tenant_id, given)
        row = Connection(tenant_id=tenant_id, kind=kind, sealed=b"", created_by=by.id, **_facts(given))
        session.add(row)
        session.flush()
        row.sealed = shut(tenant_id, row.id, given.secrets)
        session.flush()
        _tell(row, "added", by)
    return row.id


def change_connection(tenant_id: UUID, connection_id: UUID, given: Given, *, by: Actor) -> None:
    """Change a connection; secrets that were typed replace the ones that are kept.

    Raises:
        NotFound: no such connection in this tenant.
        Invalid: `.problems` names the field.
        Unusable: `lost`, when a kept secret cannot be read any more.
    """
    with db.transaction():
        row = queries.get_connection(tenant_id, connection_id, lock=True)
        _refuse(tenant_id, given, but=connection_id)
        for name, value in _facts(given).items():
            setattr(row, name, value)
        if given.secrets:
            kept = vault.opened(row).secrets if len(given.secrets) < len(KINDS[row.kind].secrets) else {}
            row.sealed = shut(tenant_id, connection_id, {**kept, **given.secrets})
            row.sealed_before = row.before_until = None
        row.token = row.token_until = row.tested_at = row.test_code = None
        _tell(row, "changed", by, secret=bool(given.secrets))


def limit_rate(tenant_id: UUID, connection_id: UUID, count: int | None, per: str, *, by: Actor) -> None:
    """Let so many calls of steps leave through a connection in each second or minute, evenly spread; None: as many as come.

    Raises:
        NotFound: no such connection in this tenant.
        Invalid: `.problems` names the field.
    """
    if per not in RATE_PER or (count is not None and not 1 <= count <= MOST_CALLS):
        raise Invalid({"rate": _("Enter a whole number between 1 and %(num)d, or nothing for no limit.", num=MOST_CALLS)})
    with db.transaction():
        row = queries.get_connection(tenant_id, connection_id, lock=True)
        row.rate_count, row.rate_per = count, per if count else None
        _tell(row, "limited", by, count=count, per=row.rate_per)


def rotate(tenant_id: UUID, connection_id: UUID, secrets: dict[str, str], *, keep_hours: int, by: Actor) -> None:
    """Put new secrets in the place of the old, which are kept beside them for a while and can be brought back.

    Raises:
        NotFound: no such connection in this tenant.
    """
    with db.transaction() as session:
        row = queries.get_connection(tenant_id, connection_id, lock=True)
        row.sealed_before = row.sealed if keep_hours else None
        row.before_until = session.scalar(func.clock_timestamp()) + timedelta(hours=keep_hours) if keep_hours else None
        row.sealed = shut(tenant_id, connection_id, secrets)
        row.rotated_at = session.scalar(func.clock_timestamp())
        row.token = row.token_until = row.tested_at = row.test_code = None
        _tell(row, "rotated", by, keep_hours=keep_hours)


def bring_back(tenant_id: UUID, connection_id: UUID, *, by: Actor) -> None:
    """Take back the last rotation: the secrets before it count again, the new ones are gone.

    Raises:
        NotFound: no such connection in this tenant.
        NothingToBringBack: they are not kept any more.
    """
    with db.transaction():
        row = queries.get_connection(tenant_id, connection_id, lock=True)
        if row.sealed_before is None or row.before_until is None or row.before_until <= clock.now():
            raise NothingToBringBack
        row.sealed, row.sealed_before, row.before_until = row.sealed_before, None, None
        row.token = row.token_until = row.tested_at = row.test_code = None
        _tell(row, "rotated", by, brought_back=True)


def delete_connection(tenant_id: UUID, connection_id: UUID, *, by: Actor) -> None:
    """Delete a connection and its secrets for good.

    Raises:
        NotFound: no such connection in this tenant.
        InUse: a workflow uses it.
    """
    with db.transaction() as session:
        row = queries.get_connection(tenant_id, connection_id, lock=True)
        if uses_of(tenant_id, connection_id):
            raise InUse(_("Workflows use this connection. Take it out of them first."))
        _tell(row, "deleted", by, name=row.name)
        session.delete(row)


def test_connection(tenant_id: UUID, connection_id: UUID, *, by: Actor) -> str:
    """Try a connection for real, and return `ok` or the code of what is wrong; the row keeps it.

    Raises:
        NotFound: no such connection in this tenant.
    """
    with db.transaction():
        row = queries.get_connection(tenant_id, connection_id)
        family, until = KINDS[row.kind].family, (row.updated_at, row.rotated_at)
    # The transaction of the reads has ended: a slow system must not hold a connection of ours.
    try:
        tried = open_connection(tenant_id, connection_id, families=(family,), workflow_id=None, step_kind="")
        code = _tried(tried)
    except Unusable as wrong:
        code = wrong.code
    with db.transaction() as session:
        row = queries.get_connection(tenant_id, connection_id, lock=True)
        if (row.updated_at, row.rotated_at) == until:
            row.tested_at, row.test_code = session.scalar(func.clock_timestamp()), code
        audit.record(tenant_id, by, "connection.tested", connection_id, result=code)
    return code


def _tried(connection: Opened) -> str:
    if connection.family in ("postgresql", "mysql"):
        databases.check(connection)
        return "ok"
    if connection.family in ("slack", "teams"):
        chat.check(connection)
        return "ok"
    if connection.kind == "http_oauth2":
        tokens.forget_token(connection.tenant_id, connection.id)
        tokens.access_token(connection)
    url = connection.settings.get("test_url") or ""
    if not url:
        return "ok" if connection.kind == "http_oauth2" else "no_test"
    answer = outgoing.send(connection, "GET", url, headers={"Accept": "*/*"}, body=None, message_id="test")
    if answer.status in (401, 403):
        return "refused"
    return "ok" if answer.status < 400 else "status"


_finds_uses: list[Callable[[UUID], Mapping[UUID, Sequence[Use]]]] = []


def know_uses(find: Callable[[UUID], Mapping[UUID, Sequence[Use]]]) -> None:
    """Let `find` say what uses the connections of a tenant, for the package above; called once, from its wiring."""
    _finds_uses[:] = [find]


def all_uses(tenant_id: UUID) -> Mapping[UUID, Sequence[Use]]:
    """Return connection → the workflows that use it."""
    return _finds_uses[0](tenant_id) if _finds_uses else {}


def uses_of(tenant_id: UUID, connection_id: UUID) -> Sequence[Use]:
    """Return every workflow that uses a connection."""
    return all_uses(tenant_id).get(connection_id, ())


def choices(tenant_id: UUID, families: Sequence[str], *, workflow_id: UUID, step_kind: str) -> list[tuple[str, str]]:
    """Return id and name of the connections that a step can choose."""
    rows = queries.list_connections(tenant_id)
    return [
        (str(row.id), plain_name(row))
        for row in rows
        if row.kind in KINDS and KINDS[row.kind].family in families and is_in_scope(row, workflow_id, step_kind)
    ]


_resealed: list[bytes] = []


def reseal_once() -> int:
    """Do `reseal` once for the ring that this process has; for the dispatcher, which starts anew with every new ring."""
    if _resealed == [current_key()]:
        return 0
    done = reseal()
    _resealed[:] = [current_key()]
    return done


def reseal() -> int:
    """Seal anew what was sealed with an older key of the ring, of every tenant; returns how many. Safe to repeat, and to interrupt.

    The operator puts a new key first, keeps the old ones, runs `portal reseal` until it says 0, then drops them.
    """
    done = 0
    with db.transaction(system=True) as session:
        rows = session.execute(text("select tenant_id, id from connections")).all()
    for row in rows:
        with db.transaction(row.tenant_id):
            found = queries.find_connection(row.tenant_id, row.id, lock=True)
            done += bool(found and _rewrapped(found))
    return done


def _rewrapped(row: Connection) -> bool:
    changed = False
    for column, what in SECRET_COLUMNS:
        kept = getattr(row, column)
        if kept is None or is_wrapped_with_current(bytes(kept)):
            continue
        try:
            setattr(row, column, rewrap(bytes(kept), where=place(row.tenant_id, row.id, what)))
            changed = True
        except SecretLost:
            log.error("a secret of a connection cannot be read: its key has left the ring", extra={"connection": str(row.id)})
    return changed


def sweep() -> int:
    """Forget secrets before a rotation whose time is over, of every tenant; returns how many. For the dispatcher."""
    with db.transaction(system=True) as session:
        gone = session.execute(
            text("update connections set sealed_before = null, before_until = null where before_until < clock_timestamp()")
        )
    return db.touched(gone)


def _facts(given: Given) -> dict[str, Any]:
    # Without a typed address of a webhook nothing says where it goes, and what is kept goes where it went.
    hosts = {"hosts": [each for each in given.hosts if not each.startswith(TOKEN_HOST)]} if given.hosts else {}
    return {
        **hosts,
        "name": given.name,
        "name_ar": given.name_ar or None,
        "settings": given.settings,
        "scope": given.scope,
        "scope_items": given.scope_items if given.scope != "tenant" else [],
    }


def _refuse(tenant_id: UUID, given: Given, *, but: UUID | None = None) -> None:
    problems: Mapping[str, str] = given.problems
    if queries.is_name_taken(tenant_id, given.name, but=but):
        problems = {**problems, "name": _("Another connection has this name.")}
    if problems:
        raise Invalid(dict(problems))


def _tell(row: Connection, change: str, by: Actor, **details: Any) -> None:
    audit.record(row.tenant_id, by, f"connection.{change}", row.id, kind=row.kind, **details)
    bus.announce(events.ConnectionChanged(row.tenant_id, row.id, row.kind, change))
