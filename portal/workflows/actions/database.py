"""Work on the tenant's own data tables, in the transaction that ends the step: exactly once."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.core import metering
from portal.core.errors import Invalid, NotFound
from portal.datatables import service as tables
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Done, Failed, Outcome, whole
from portal.workflows.definition import Field

WRITES = ("insert", "update", "upsert")
LOOKS = ("find", "count", "update", "upsert", "delete")


class Database:
    kind: ClassVar[str] = "database"
    icon: ClassVar[str] = "database"
    label: ClassVar[Any] = _l("Database")
    description: ClassVar[Any] = _l("Add, find, count, change or delete rows of a data table")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("table", "table", _l("Data table"), required=True),
        Field(
            "operation",
            "choice",
            _l("Do"),
            choices=(
                ("insert", _l("Add a row")),
                ("find", _l("Find rows")),
                ("count", _l("Count rows")),
                ("update", _l("Change rows")),
                ("upsert", _l("Change a row, or add it")),
                ("delete", _l("Delete rows")),
            ),
            default="insert",
        ),
        Field(
            "filters",
            "pairs",
            _l("Where"),
            _l("Column and the value it must have; or compare: amount >=, status !=, name contains"),
            default=(),
            show_when=("operation", LOOKS),
        ),
        Field("values", "pairs", _l("Values"), _l("Column and its value"), required=True, default=(), show_when=("operation", WRITES)),
        Field("order", "text", _l("In the order of"), _l("A column; -amount has the largest first"), show_when=("operation", ("find",))),
        Field("limit", "number", _l("At most how many rows"), _l("100 at most"), default=20, show_when=("operation", ("find",))),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (
        ("id", _l("Id of the added row")),
        ("count", _l("How many rows")),
        ("rows", _l("The rows found")),
        ("first", _l("The first row")),
    )

    def effect(self, config: dict[str, Any]) -> str:
        return "db"

    def perform(self, call: Call) -> Outcome:
        try:
            output = self._apply(call)
        except NotFound:
            return Failed("table_not_found", detail=str(call.config["table"]))
        except Invalid as wrong:
            return Failed("row_invalid", detail="; ".join(f"{column}: {text}" for column, text in wrong.problems.items()))
        if call.config["operation"] != "count":
            metering.count(rows=output["count"])
        return Done(output)

    def _apply(self, call: Call) -> dict[str, Any]:
        config, table = call.config, str(call.config["table"])
        values, filters = _pairs(config.get("values")), _pairs(config.get("filters"))
        if config["operation"] == "insert":
            return {"id": str(tables.insert_row(call.tenant_id, table, values)), "count": 1}
        if config["operation"] == "find":
            limit = whole(config["limit"], 20, least=1, most=tables.MAX_FOUND)
            rows = tables.find_rows(call.tenant_id, table, filters, limit=limit, order=str(config.get("order") or ""))
            return {"rows": rows, "count": len(rows), "first": rows[0] if rows else None}
        if config["operation"] == "count":
            return {"count": tables.count_rows(call.tenant_id, table, filters)}
        # A filter left empty by mistake must not change or delete the whole table.
        if not filters:
            raise Invalid({"filters": "no filter"})
        if config["operation"] == "update":
            return {"count": tables.update_rows(call.tenant_id, table, filters, values)}
        if config["operation"] == "upsert":
            count, is_new = tables.upsert_row(call.tenant_id, table, filters, values)
            return {"count": count, "added": is_new}
        return {"count": tables.delete_rows(call.tenant_id, table, filters)}


def _pairs(given: Any) -> dict[str, Any]:
    return {str(pair["name"]): pair["value"] for pair in given or () if pair.get("name")}
