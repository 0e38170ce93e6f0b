"""Make a file of a list: CSV, XLSX or PDF, kept with the run, to be fetched, mailed or sent on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from portal.core import db, metering
from portal.i18n.words import lazy_gettext as _l
from portal.tenants import service as tenants
from portal.workflows import stored
from portal.workflows.actions import documents
from portal.workflows.actions.base import Call, Done, Failed, Outcome
from portal.workflows.actions.documents import DocumentRefused, Page
from portal.workflows.definition import Field
from portal.workflows.expressions import as_text
from portal.workflows.stored import FileRefused

PDF = ("pdf",)


class Document:
    kind: ClassVar[str] = "document"
    icon: ClassVar[str] = "file-text"
    label: ClassVar[Any] = _l("Document")
    description: ClassVar[Any] = _l("Make a CSV, Excel or PDF file, in Arabic from right to left")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("format", "choice", _l("Kind of file"), choices=(("pdf", "PDF"), ("xlsx", "Excel (XLSX)"), ("csv", "CSV")), default="pdf"),
        Field("name", "text", _l("Name of the file"), _l("Without the ending"), required=True, default="document"),
        Field("language", "choice", _l("Language"), choices=(("ar", "العربية"), ("en", "English")), default="ar"),
        Field("title", "text", _l("Title"), show_when=("format", PDF)),
        Field("text", "long_text", _l("Text above the table"), show_when=("format", PDF)),
        Field("rows", "expression", _l("Rows"), _l("A list, e.g. steps.orders.rows; empty for a document without a table")),
        Field("columns", "pairs", _l("Columns"), _l("Key in the rows, and what stands over the column; empty for all"), default=()),
        Field("landscape", "boolean", _l("On its side"), _l("For wide tables"), default=False, show_when=("format", PDF)),
        Field("letterhead", "boolean", _l("With letterhead"), _l("Logo or name, colour and last lines of the organisation's theme"), default=True, show_when=("format", PDF)),
    )  # fmt: skip
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("file", _l("The file")), ("rows", _l("How many rows")))

    def effect(self, config: dict[str, Any]) -> str:
        # Made outside of the engine's transaction; a second attempt puts its file in the place of the first.
        return "idempotent"

    def perform(self, call: Call) -> Outcome:
        config = call.config
        file_format, locale = config["format"], config["language"]
        columns = [(str(pair["name"]), as_text(pair["value"])) for pair in config.get("columns") or () if pair["name"]]
        try:
            sheet = documents.sheet_of(config.get("rows"), columns, file_format=file_format)
            page = Page(locale, as_text(config.get("title")), as_text(config.get("text")), bool(config.get("landscape")))
            if config.get("letterhead"):
                page = _with_letterhead(page, call)
            content = documents.write(file_format, sheet, page)
            name = f"{stored.safe_name(as_text(config['name']).removesuffix(f'.{file_format}'))}.{file_format}"
            media_type = documents.MEDIA_TYPES[file_format].partition(";")[0]
            file = stored.keep_file(
                call.tenant_id, call.run_id, call.node_key, call.idem_key, name=name, media_type=media_type, content=content
            )
        except DocumentRefused as refused:
            return Failed(f"document_{refused.args[0]}", detail=" ".join(refused.args[1:]))
        except FileRefused as refused:
            return Failed(f"file_{refused.args[0]}")
        metering.count(rows=len(sheet.rows))
        return Done({"file": file, "rows": len(sheet.rows)})


def _with_letterhead(page: Page, call: Call) -> Page:
    with db.transaction(call.tenant_id):
        house = tenants.get(call.tenant_id)
        name = (house.name_ar if page.locale == "ar" else "") or house.name
    return replace(page, letterhead=tenants.letterhead(call.tenant_id), organisation=name)
