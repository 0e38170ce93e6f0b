"""Ask or change a database outside through a connection: one statement, every value bound apart from its text."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.connections import service as connections
from portal.connections.errors import Unusable
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions import connected
from portal.workflows.actions.base import Call, Done, Failed, Outcome, whole
from portal.workflows.definition import Field


class Sql:
    kind: ClassVar[str] = "sql"
    icon: ClassVar[str] = "database-zap"
    label: ClassVar[Any] = _l("SQL query")
    description: ClassVar[Any] = _l("Ask or change a PostgreSQL or MySQL database outside")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("connection", "connection", _l("Connection"), required=True, choices=(("postgresql", ""), ("mysql", ""))),
        Field("does", "choice", _l("The statement"), choices=(("read", _l("only reads")), ("write", _l("changes something"))), default="read"),
        Field(
            "statement", "code", _l("SQL statement"), _l("One statement; write values as :name, e.g. select * from orders where city = :city"), required=True
        ),
        Field("values", "pairs", _l("Values"), _l("Name without the colon, and its value"), default=()),
        Field("limit", "number", _l("At most how many rows"), _l("1,000 at most"), default=100),
        Field(
            "if_cut_off",
            "choice",
            _l("If the call is cut off"),
            choices=(("ask", _l("Ask a person: it may have happened")), ("repeat", _l("Repeat it: doing it twice does no harm"))),
            default="ask",
            show_when=("does", ("write",)),
        ),
    )  # fmt: skip
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (
        ("rows", _l("The rows")),
        ("first", _l("The first row")),
        ("count", _l("How many rows")),
    )

    def effect(self, config: dict[str, Any]) -> str:
        if config.get("does", "read") == "read":
            return "idempotent"
        return "at_least_once" if config.get("if_cut_off") == "repeat" else "unsafe"

    def perform(self, call: Call) -> Outcome:
        config = call.config
        try:
            connection = connected.open_for(call, ("postgresql", "mysql"), self.kind)
            if connection is None:
                return Failed("connection_gone")
            if config["does"] == "read":
                connection.settings["read_only"] = True
            values = {str(pair["name"]).lstrip(":"): pair["value"] for pair in config.get("values") or () if pair["name"]}
            limit = whole(config.get("limit"), 100, least=1, most=1_000)
            result = connections.run_statement(connection, str(config["statement"]), values, limit=limit, timeout_s=call.timeout_s)
        except Unusable as wrong:
            return connected.failed(wrong, "db")
        rows = connection.mask.value(result.rows)
        output = {"rows": rows, "first": rows[0] if rows else None, "count": result.count}
        return Done({**output, "truncated": True} if result.truncated else output)
