"""Search keys beside the names of a row, written whenever the row is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from portal.i18n import search


def keeps_key(model: type[Any], *fields: str) -> None:
    """Keep `search_key` of a model the key of these fields, at every insert and update through the session."""

    def write(_mapper: Any, _connection: Any, row: Any) -> None:
        row.search_key = search.key(*(getattr(row, field) for field in fields))

    event.listen(model, "before_insert", write)
    event.listen(model, "before_update", write)
