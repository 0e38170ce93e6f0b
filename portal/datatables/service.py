"""The verbs of data tables. The row verbs run in the caller's transaction: the engine ends a step with them, exactly once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text

from portal.audit import service as audit
from portal.core import db
from portal.core.access import Actor
from portal.core.errors import Invalid, NotFound
from portal.core.ids import new_id
from portal.datatables import queries
from portal.datatables.columns import KEY, check_columns, read_values
from portal.datatables.models import DataTable

MAX_FOUND = 100
MAX_CHANGED = 1_000


def create_table(tenant_id: UUID, slug: str, *, name: str, name_ar: str | None, columns: list[dict[str, Any]], by: Actor) -> UUID:
    """Make a data table and return its id.

    Raises:
        Invalid: `.problems` names the field or column that is wrong.
    """
    problems = check_columns(columns)
    if not KEY.match(slug):
        problems["slug"] = "slug"
    with db.transaction() as session:
        if queries.table_of_slug(tenant_id, slug) is not None:
            problems["slug"] = "taken"
        if problems:
            raise Invalid(problems)
        table = DataTable(tenant_id=tenant_id, slug=slug, name=name, name_ar=name_ar or None, columns=columns)
        session.add(table)
        session.flush()
        audit.record(tenant_id, by, "data_table.created", table.id, slug=slug)
    return table.id


def ensure_table(tenant_id: UUID, slug: str, *, name: str, name_ar: str | None, columns: list[dict[str, Any]]) -> str:
    """Make the data table of a sample unless it is there; returns its short name."""
    with db.transaction() as session:
        if queries.table_of_slug(tenant_id, slug) is None:
            session.add(DataTable(tenant_id=tenant_id, slug=slug, name=name, name_ar=name_ar, columns=columns))
            session.flush()
    return slug


def names(tenant_id: UUID) -> dict[str, tuple[str, str | None]]:
    """Return short name → (name, Arabic name) of every data table."""
    return {row.slug: (row.name, row.name_ar) for row in queries.slugs(tenant_id)}


def insert_row(tenant_id: UUID, slug: str, given: dict[str, Any]) -> UUID:
    """Add a row and return its id.

    Raises:
        NotFound: no such table.
        Invalid: `.problems` names the columns that are wrong.
    """
    table = _table(tenant_id, slug)
    values = read_values(table.columns, given, whole=True)
    row_id = new_id()
    db.session().execute(
        text("insert into data_rows (id, tenant_id, table_id, values) values (:id, :tenant, :table, cast(:values as jsonb))"),
        {"id": row_id, "tenant": tenant_id, "table": table.id, "values": db.to_json(values)},
    )
    return row_id


def find_rows(tenant_id: UUID, slug: str, filters: dict[str, Any], *, limit: int = 20) -> list[dict[str, Any]]:
    """Return the rows whose columns have these values, newest first, 100 at most; each with its id as `_id`.

    Raises:
        NotFound, Invalid: as `insert_row`.
    """
    table = _table(tenant_id, slug)
    rows = db.session().execute(
        text(
            "select id, values from data_rows where tenant_id = :tenant and table_id = :table and values @> cast(:wanted as jsonb)"
            " order by created_at desc, id desc limit :limit"
        ),
        {**_filter(table, filters), "limit": max(1, min(limit, MAX_FOUND))},
    )
    return [{**row.values, "_id": str(row.id)} for row in rows]


def update_rows(tenant_id: UUID, slug: str, filters: dict[str, Any], given: dict[str, Any]) -> int:
    """Change the rows whose columns have these values, 1,000 at most; returns how many.

    Raises:
        NotFound, Invalid: as `insert_row`.
    """
    table = _table(tenant_id, slug)
    changes = read_values(table.columns, given, whole=False)
    done = db.session().execute(
        text(
            "update data_rows set values = values || cast(:changes as jsonb), updated_at = clock_timestamp() where id in ("
            "select id from data_rows where tenant_id = :tenant and table_id = :table and values @> cast(:wanted as jsonb)"
            " order by id limit :limit for update) and tenant_id = :tenant returning id"
        ),
        {**_filter(table, filters), "changes": db.to_json(changes), "limit": MAX_CHANGED},
    )
    return len(done.all())


def delete_rows(tenant_id: UUID, slug: str, filters: dict[str, Any]) -> int:
    """Delete the rows whose columns have these values, 1,000 at most; returns how many.

    Raises:
        NotFound, Invalid: as `insert_row`.
    """
    table = _table(tenant_id, slug)
    done = db.session().execute(
        text(
            "delete from data_rows where tenant_id = :tenant and id in ("
            "select id from data_rows where tenant_id = :tenant and table_id = :table and values @> cast(:wanted as jsonb)"
            " order by id limit :limit for update) returning id"
        ),
        {**_filter(table, filters), "limit": MAX_CHANGED},
    )
    return len(done.all())


def _table(tenant_id: UUID, slug: str) -> Any:
    # Kept for the unit of work: a run that writes ten rows asks once what the table looks like.
    known = db.session().info.setdefault("data_tables", {})
    if slug not in known:
        known[slug] = queries.columns_of(tenant_id, slug)
    if known[slug] is None:
        del known[slug]
        raise NotFound
    return known[slug]


def _filter(table: Any, filters: dict[str, Any]) -> dict[str, Any]:
    wanted = read_values(table.columns, filters, whole=False)
    return {"tenant": table.tenant_id, "table": table.id, "wanted": db.to_json(wanted)}
