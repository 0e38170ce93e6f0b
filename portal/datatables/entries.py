"""What the palette finds of data tables: their page, a new one, and each by its names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask import url_for

from portal.core.access import Permission, access
from portal.core.errors import NotFound
from portal.core.palette import Entry, Kind, entry
from portal.datatables import queries
from portal.i18n.locale import bilingual
from portal.i18n.words import lazy_gettext as _l

LIMIT = 20


def find(text: str) -> Iterable[Entry]:
    """Give what the person may see of data tables for a folded text."""
    here = access()
    if not here.can(Permission.TABLE_READ):
        return
    yield entry(Kind.PAGE, _l("Data tables"), "table-2", url_for("datatables.listing"))
    if here.can(Permission.TABLE_EDIT):
        yield entry(Kind.ACTION, _l("New data table"), "plus", url_for("datatables.new"), also=_l("Add"))
    if text:
        yield from map(_table, queries.find_tables(here.tenant_id, text, limit=LIMIT))


def recall(table_id: UUID) -> Entry | None:
    """Give the entry of one data table."""
    here = access()
    try:
        return _table(queries.get_table(here.tenant_id, table_id)) if here.can(Permission.TABLE_READ) else None
    except NotFound:
        return None


def _table(table: Any) -> Entry:
    words = (table.name, table.name_ar or "", table.slug)
    return Entry(Kind.TABLE, bilingual(table), "table-2", url_for("datatables.detail", table_id=table.id), words=words)
