"""Every SELECT of data tables."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text, tuple_

from portal.core import db
from portal.core.errors import NotFound
from portal.core.paging import Listing, Page, write_cursor
from portal.datatables.models import DataRow, DataTable
from portal.i18n.search import holds_words

_COLUMNS_OF = text("select tenant_id, id, slug, columns, updated_at from data_tables where tenant_id = :tenant and slug = :slug")


def get_table(tenant_id: UUID, table_id: UUID) -> DataTable:
    """Return a data table.

    Raises:
        NotFound: no such table in this tenant.
    """
    found = db.session().scalar(select(DataTable).where(DataTable.tenant_id == tenant_id, DataTable.id == table_id))
    if found is None:
        raise NotFound
    return found


def table_of_slug(tenant_id: UUID, slug: str) -> DataTable | None:
    """Return the data table with this short name."""
    return db.session().scalar(select(DataTable).where(DataTable.tenant_id == tenant_id, DataTable.slug == slug))


def columns_of(tenant_id: UUID, slug: str) -> Row[Any] | None:
    """Return what a row needs to know of the data table with this short name, without the weight of the ORM."""
    return db.session().execute(_COLUMNS_OF, {"tenant": tenant_id, "slug": slug}).first()


def list_tables(tenant_id: UUID) -> list[Row[Any]]:
    """Return every data table with the number of its rows, by name."""
    return list(
        db.session().execute(
            text(
                """
                select t.id, t.slug, t.name, t.name_ar, jsonb_array_length(t.columns) as columns, t.updated_at,
                       (select count(*) from data_rows r where r.tenant_id = t.tenant_id and r.table_id = t.id) as rows
                from data_tables t where t.tenant_id = :tenant order by t.name, t.id limit 500
                """
            ),
            {"tenant": tenant_id},
        )
    )


def slugs(tenant_id: UUID) -> list[Row[Any]]:
    """Return short name and names of every data table."""
    return list(
        db.session().execute(
            select(DataTable.slug, DataTable.name, DataTable.name_ar).where(DataTable.tenant_id == tenant_id).order_by(DataTable.name)
        )
    )


def find_tables(tenant_id: UUID, words: str, *, limit: int) -> list[Row[Any]]:
    """Return id, short name and names of the data tables that hold each word of a folded text."""
    columns = DataTable.id, DataTable.slug, DataTable.name, DataTable.name_ar
    named = holds_words(words, DataTable.search_key)
    return list(db.session().execute(select(*columns).where(DataTable.tenant_id == tenant_id, named).order_by(DataTable.name).limit(limit)))


def list_rows(tenant_id: UUID, table_id: UUID, page: Page) -> Listing[DataRow]:
    """Return the rows of a data table, newest first, and how many there are."""
    of_table = (DataRow.tenant_id == tenant_id) & (DataRow.table_id == table_id)
    rows = select(DataRow).where(of_table).order_by(DataRow.created_at.desc(), DataRow.id.desc()).limit(page.limit + 1)
    if page.after is not None:
        rows = rows.where(tuple_(DataRow.created_at, DataRow.id) < page.after)
    found = list(db.session().scalars(rows))
    total = db.session().scalar(select(func.count()).select_from(DataRow).where(of_table))
    more = len(found) > page.limit
    found = found[: page.limit]
    return Listing(found, write_cursor(found[-1].created_at, found[-1].id) if more else None, total)
