"""Values of a run that are too large for their rows: kept apart, once for each tenant, and named by their hash.

A row of a step, a frame or a run holds `{"$payload": "<sha-256>", "size": <bytes>}` in the place of such a value. `Apart` writes it,
`read` gives the value again. Below 32 KB nothing of this happens.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from portal.core import db
from portal.core.errors import NotFound
from portal.workflows import redaction
from portal.workflows.redaction import Secrets

INLINE_BYTES = 32 * 1024
MAX_VALUE_BYTES = 4 * 1024 * 1024
MARK = "$payload"
SHA = re.compile(r"[0-9a-f]{64}\Z")
SHOWN = 2_000  # characters of a large value that a page shows

# Whoever uses a value that is there already moves its end away first, so that it is not swept at this moment.
KEEP = """
with given as (
  select decode(r.sha, 'hex') as sha, r.size, r.body from jsonb_to_recordset(%(values)s::jsonb) as r(sha text, size int, body jsonb)),
kept as (
  insert into workflow_payloads as p (tenant_id, sha256, size, body, expires_at)
  select %(tenant)s, sha, size, body, clock_timestamp() + interval '1 day' from given order by sha
  on conflict (tenant_id, sha256) do update set expires_at = greatest(p.expires_at, excluded.expires_at))
insert into workflow_payload_uses (tenant_id, execution_id, sha256) select %(tenant)s, %(run)s, sha from given
on conflict do nothing
"""


@dataclass(slots=True)
class Apart:
    """Values on their way into rows of a run; `keep` writes the large ones among them."""

    tenant_id: UUID
    secrets: Secrets | None = None  # of the run: what holds one of them is sealed
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    def text_of(self, value: Any) -> str | None:
        """Return the JSON of what a row holds for a value; None for None."""
        if value is None:
            return None
        text = db.to_json(value)
        if self.secrets and self.secrets.stands_in(text):
            value = self.secrets.hide(self.tenant_id, value)
            text = db.to_json(value)
        # A character has four bytes at most, so most values are not even counted.
        if len(text) * 4 <= INLINE_BYTES and not looks_kept(value):
            return text
        return db.to_json(self._stored(value, text))

    def rows(self, rows: list[dict[str, Any]], names: tuple[str, ...]) -> str:
        """Return the JSON of rows, whose columns `names` hold values; in all others secrets become dots."""
        text = db.to_json(rows)
        if self.secrets and self.secrets.stands_in(text):
            rows = [{name: self._hidden(name, each, names) for name, each in row.items()} for row in rows]
            text = db.to_json(rows)
        if len(text) * 4 <= INLINE_BYTES and not any(looks_kept(row.get(name)) for row in rows for name in names):
            return text
        return db.to_json([{**row, **{name: self._stored(row[name]) for name in names if row.get(name) is not None}} for row in rows])

    def keep(self, connection: Connection, run_id: UUID) -> None:
        """Write the large values, in the transaction that writes the rows; the run's own row must be there."""
        if self.entries:
            values = db.to_json(list(self.entries.values()))
            connection.exec_driver_sql(KEEP, {"tenant": self.tenant_id, "run": run_id, "values": values})

    def masked(self, value: Any) -> Any:
        """Return a value with dots in the place of secrets."""
        return self.secrets.masked(value) if self.secrets else value

    def _hidden(self, name: str, value: Any, names: tuple[str, ...]) -> Any:
        assert self.secrets is not None
        return self.secrets.hide(self.tenant_id, value) if name in (*names, "items") else self.secrets.masked(value)

    def _stored(self, value: Any, text: str | None = None) -> Any:
        body = (text or db.to_json(value)).encode()
        if len(body) <= INLINE_BYTES and not looks_kept(value):
            return value
        sha = hashlib.sha256(body).hexdigest()
        self.entries[sha] = {"sha": sha, "size": len(body), "body": value}
        return {MARK: sha, "size": len(body)}


def looks_kept(value: Any) -> bool:
    """Say whether a value is what stands in a row for a large one. A value of somebody that looks so is kept apart as well."""
    return isinstance(value, dict) and len(value) == 2 and MARK in value and SHA.match(str(value[MARK])) is not None


def read(connection: Connection, tenant_id: UUID, values: Iterable[Any]) -> list[Any]:
    """Return what rows hold as the values that they stand for."""
    given = list(values)
    wanted = {value[MARK] for value in given if looks_kept(value)}
    if not wanted:
        return given
    rows = connection.exec_driver_sql(
        "select encode(sha256, 'hex') as sha, body from workflow_payloads where tenant_id = %s and sha256 = any(%s)",
        (tenant_id, [bytes.fromhex(sha) for sha in wanted]),
    )
    found = {row.sha: row.body for row in rows}
    return [found.get(value[MARK]) if looks_kept(value) else value for value in given]


def read_one(tenant_id: UUID, value: Any) -> Any:
    """Do what `read` does for one value, in the open unit of work."""
    return read(db.session().connection(), tenant_id, [value])[0] if looks_kept(value) else value


def beginning(tenant_id: UUID, value: Any) -> str:
    """Return the first characters of a large value as text."""
    found = (
        db.session()
        .connection()
        .exec_driver_sql(
            "select left(body::text, %s) from workflow_payloads where tenant_id = %s and sha256 = %s",
            (SHOWN, tenant_id, bytes.fromhex(value[MARK])),
        )
        .scalar()
    )
    return redaction.shown_text(str(found or ""))


def of_run(tenant_id: UUID, run_id: UUID, sha: str) -> str:
    """Return a large value of a run as JSON text.

    Raises:
        NotFound: this run uses no such value.
    """
    found = None
    if SHA.match(sha):
        found = (
            db.session()
            .connection()
            .exec_driver_sql(
                "select p.body::text from workflow_payloads p join workflow_payload_uses u on u.tenant_id = p.tenant_id and u.sha256 = p.sha256"
                " where p.tenant_id = %s and u.execution_id = %s and p.sha256 = %s",
                (tenant_id, run_id, bytes.fromhex(sha)),
            )
            .scalar()
        )
    if found is None:
        raise NotFound
    return redaction.shown_text(str(found))
