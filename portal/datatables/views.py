"""Pages of data tables."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core import paging
from portal.core.access import Permission, access, requires
from portal.core.checks import checkable
from portal.core.errors import Invalid
from portal.core.paging import Page
from portal.core.render import render, see_other
from portal.datatables import queries, service
from portal.datatables.columns import TYPES, keyed
from portal.i18n import names
from portal.i18n.search import ascii_digits
from portal.i18n.words import gettext as _

bp = Blueprint("datatables", __name__)
FORM_COLUMNS = 8


@bp.get("/tables")
@requires(Permission.TABLE_READ)
def listing() -> Response:
    here = access()
    return render("datatables/list.html", tables=queries.list_tables(here.tenant_id), can_edit=here.can(Permission.TABLE_EDIT))


@bp.get("/tables/new")
@requires(Permission.TABLE_EDIT)
def new() -> Response:
    return _form({"columns": [_empty() for _unused in range(FORM_COLUMNS)]})


@bp.post("/tables/new")
@requires(Permission.TABLE_EDIT)
@checkable
def create() -> Response:
    here = access()
    given = _read_form()
    problems = {name: wrong for name in ("name", "name_ar") if (wrong := names.problem(given[name]))}
    if not given["name"]:
        problems["name"] = _("Give the data table a name.")
    places = [number for number, column in enumerate(given["columns"]) if any(column[name] for name in ("key", "label", "label_ar"))]
    columns = keyed([given["columns"][number] for number in places])
    try:
        if problems:
            raise Invalid(problems)
        table_id = service.create_table(
            here.tenant_id, given["slug"], name=given["name"], name_ar=given["name_ar"], columns=columns, by=here.actor
        )
    except Invalid as wrong:
        return _form(given, problems=_in_the_form(wrong.problems, places), status=422)
    return see_other(url_for("datatables.detail", table_id=table_id))


@bp.get("/tables/<uuid:table_id>")
@requires(Permission.TABLE_READ)
def detail(table_id: UUID) -> Response:
    here = access()
    table = queries.get_table(here.tenant_id, table_id)
    rows = queries.list_rows(here.tenant_id, table_id, Page(after=paging.read_cursor(request.args.get("after"))))
    return render("datatables/detail.html", table=table, listing=rows, types=dict(TYPES))


def _in_the_form(problems: dict[str, str], places: list[int]) -> dict[str, str]:
    """Name each column's problem by its row in the form, where rows may have been left empty."""
    named = {}
    for name, text in problems.items():
        what, _dash, rest = name.partition("-")
        number, _dash, part = rest.partition("-")
        named[f"column-{places[int(number)]}-{part}" if what == "column" else name] = text
    return named


def _form(given: dict[str, Any], *, problems: dict[str, str] | None = None, status: int = 200) -> Response:
    texts = {"slug": _("Use a–z, 0–9 and _, beginning with a letter."), "taken": _("Another data table has this short name.")}
    shown = {name: texts.get(str(text), text) for name, text in (problems or {}).items()}
    return render("datatables/new.html", status=status, given=given, problems=shown, types=TYPES)


def _empty() -> dict[str, Any]:
    return {"key": "", "type": "text", "label": "", "label_ar": "", "required": False}


def _read_form() -> dict[str, Any]:
    form = request.form
    columns = []
    for number in range(FORM_COLUMNS):
        read = {name: names.tidy(form.get(f"column-{number}-{name}", "")) for name in ("key", "type", "label", "label_ar")}
        columns.append({**read, "key": ascii_digits(read["key"]).lower(), "required": f"column-{number}-required" in form})
    name, name_ar = (names.tidy(form.get(each, ""))[:120] for each in ("name", "name_ar"))
    slug = ascii_digits(form.get("slug", "").strip().lower())
    return {"name": name, "name_ar": name_ar, "slug": slug, "columns": columns}
