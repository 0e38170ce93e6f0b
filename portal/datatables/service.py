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
from portal.datatables.columns import KEY, NO_SUCH_COLUMN, Condition, check_columns, read_filters, read_values
from portal.datatables.models import DataTable

# A table that is no longer as it was known has no id here, and no row goes without one.
INSERT = """
insert into data_rows (id, tenant_id, values, table_id) values (%(id)s, %(tenant)s, %(values)s::jsonb,
  (select id from data_tables where tenant_id = %(tenant)s and slug = %(slug)s and updated_at = %(known)s))
"""
MAX_SEEN = 500
# What this process saw last of a table, by (tenant, short name).
_seen: dict[tuple[UUID, str], Any] = {}
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
    connection, facts = (
        db.session().connection(),
        {"id": row_id, "tenant": tenant_id, "slug": slug, "known": table.updated_at, "values": db.to_json(values)},
    )
    if db.is_optimistic():
        db.write_later(connection, INSERT, facts)
    else:
        connection.exec_driver_sql(INSERT, facts)
    return row_id


def find_rows(tenant_id: UUID, slug: str, filters: dict[str, Any], *, limit: int = 20, order: str = "") -> list[dict[str, Any]]:
    """Return the rows that the filters fit, newest first or by a column (`-amount` for the largest first), 100 at most.

    Each has its id as `_id`. A filter may compare: `{"amount >=": 5, "name contains": "سا"}`.

    Raises:
        NotFound, Invalid: as `insert_row`.
    """
    table = _table(tenant_id, slug)
    where, facts = _filter(table, filters)
    rows = db.session().execute(
        text(f"select id, values from data_rows where {where} order by {_ordered(table, order)}created_at desc, id desc limit :limit"),
        {**facts, "limit": max(1, min(limit, MAX_FOUND))},
    )
    return [{**row.values, "_id": str(row.id)} for row in rows]


def count_rows(tenant_id: UUID, slug: str, filters: dict[str, Any]) -> int:
    """Return how many rows the filters fit.

    Raises:
        NotFound, Invalid: as `insert_row`.
    """
    where, facts = _filter(_table(tenant_id, slug), filters)
    return db.session().scalar(text(f"select count(*) from data_rows where {where}"), facts) or 0


def upsert_row(tenant_id: UUID, slug: str, keys: dict[str, Any], given: dict[str, Any]) -> tuple[int, bool]:
    """Change the rows whose columns have exactly these values, or add one that has them; return how many, and whether it was added.

    Two runs that do the same at once do it one after the other, so no row is added twice.

    Raises:
        NotFound, Invalid: as `insert_row`.
    """
    table = _table(tenant_id, slug)
    plain = read_values(table.columns, keys, whole=False)
    lock = db.to_json([str(table.id), sorted(plain.items())])
    db.session().execute(text("select pg_advisory_xact_lock(hashtextextended(:lock, 25))"), {"lock": lock})
    if count := update_rows(tenant_id, slug, keys, given):
        return count, False
    insert_row(tenant_id, slug, {**keys, **given})
    return 1, True


def update_rows(tenant_id: UUID, slug: str, filters: dict[str, Any], given: dict[str, Any]) -> int:
    """Change the rows whose columns have these values, 1,000 at most; returns how many.

    Raises:
        NotFound, Invalid: as `insert_row`.
    """
    table = _table(tenant_id, slug)
    changes = read_values(table.columns, given, whole=False)
    where, facts = _filter(table, filters)
    done = db.session().execute(
        text(
            "update data_rows set values = values || cast(:changes as jsonb), updated_at = clock_timestamp() where id in ("
            f"select id from data_rows where {where} order by id limit :limit for update) and tenant_id = :tenant returning id"
        ),
        {**facts, "changes": db.to_json(changes), "limit": MAX_CHANGED},
    )
    return len(done.all())


def delete_rows(tenant_id: UUID, slug: str, filters: dict[str, Any]) -> int:
    """Delete the rows whose columns have these values, 1,000 at most; returns how many.

    Raises:
        NotFound, Invalid: as `insert_row`.
    """
    where, facts = _filter(_table(tenant_id, slug), filters)
    done = db.session().execute(
        text(
            "delete from data_rows where tenant_id = :tenant and id in ("
            f"select id from data_rows where {where} order by id limit :limit for update) returning id"
        ),
        {**facts, "limit": MAX_CHANGED},
    )
    return len(done.all())


def _table(tenant_id: UUID, slug: str) -> Any:
    # Kept for the unit of work: a run that writes ten rows asks once what the table looks like.
    known = db.session().info.setdefault("data_tables", {})
    if slug not in known:
        if db.is_optimistic() and (seen := _seen.get((tenant_id, slug))) is not None:
            return seen
        known[slug] = queries.columns_of(tenant_id, slug)
        if len(_seen) > MAX_SEEN:
            _seen.clear()
        _seen[tenant_id, slug] = known[slug]
    if known[slug] is None:
        del known[slug]
        raise NotFound
    return known[slug]


def _filter(table: Any, filters: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a condition in SQL, put together from constants of ours, and the values that it binds."""
    equal: dict[str, Any] = {}
    parts = ["tenant_id = :tenant", "table_id = :table"]
    facts: dict[str, Any] = {"tenant": table.tenant_id, "table": table.id}
    for number, condition in enumerate(read_filters(table.columns, filters)):
        key, value = f"key{number}", f"value{number}"
        if condition.operator == "=" and condition.value is not None:
            equal[condition.key] = condition.value
            continue
        facts |= {key: condition.key, value: db.to_json(condition.value) if condition.operator == "!=" else condition.value}
        parts.append(_compared(condition, key, value))
    if equal:
        parts.append("values @> cast(:wanted as jsonb)")  # the index answers this one
        facts["wanted"] = db.to_json(equal)
    return " and ".join(parts), {name: each for name, each in facts.items() if any(f":{name}" in part for part in parts)}


def _compared(condition: Condition, key: str, value: str) -> str:
    said = f"(values ->> :{key})"
    if condition.value is None:
        return f"{said} is {'not ' if condition.operator == '!=' else ''}null"
    if condition.operator == "contains":
        return f"strpos(lower({said}), lower(:{value})) > 0"
    if condition.operator == "!=":
        return f"{said} is distinct from cast(cast(:{value} as jsonb) #>> '{{}}' as text)"
    if condition.kind == "number":
        number = f"case when jsonb_typeof(values -> :{key}) = 'number' then cast({said} as numeric) end"
        return f"{number} {condition.operator} cast(:{value} as numeric)"
    return f"{said} {condition.operator} cast(:{value} as text)"


def _ordered(table: Any, order: str) -> str:
    """Return an order by a column; its name is one of the table's, so it is safe to stand in the text."""
    name = order.strip().lstrip("-")
    column = next((each for each in table.columns if each["key"] == name), None)
    if not name:
        return ""
    if column is None:
        raise Invalid({"order": str(NO_SUCH_COLUMN)})
    said = (
        f"values ->> '{name}'"
        if column["type"] != "number"
        else f"case when jsonb_typeof(values -> '{name}') = 'number' then (values ->> '{name}')::numeric end"
    )
    return f"{said} {'desc' if order.strip().startswith('-') else 'asc'} nulls last, "
