"""The page of runs that failed for good."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request, url_for

from portal.core import paging
from portal.core.access import Permission, access, requires
from portal.core.render import render
from portal.i18n.locale import bilingual
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.lists import service as lists
from portal.workflows.definition import ERROR_CLASSES
from portal.workflows.failures import queries
from portal.workflows.failures.lists import CLASS_NAMES, FAILURES, failure_filter, reason_of, step_name

bp = Blueprint("failures", __name__)


@bp.get("/runs/failed")
@requires(Permission.RUN_READ)
def listing() -> Response:
    here = access()
    shown = lists.open_list(FAILURES, request.args.to_dict(flat=False), here, url=url_for("failures.listing"))
    wanted = failure_filter(here.tenant_id, here.person_id, shown.state.filters)
    place = paging.read_place(shown.cursor, queries.sorts()[shown.state.sort_name].kind)
    found = queries.list_failures(here.tenant_id, wanted, sort=shown.state.sort, place=place)
    rows = paging.counted(found, lambda limit: queries.count_failures(here.tenant_id, wanted, limit=limit))
    kinds = queries.kinds_of(here.tenant_id)
    versions = {row.version_id for row in rows.items} | {UUID(row.version_id) for row in kinds}
    names = queries.step_names(here.tenant_id, list(versions))
    choices = {
        "workflow": {str(row.workflow_id): bilingual(row) for row in kinds},
        "step": {row.step: bilingual(names.get((UUID(row.version_id), row.step)) or {"name": row.step}) for row in kinds if row.step},
        "code": {row.code: reason_of(row.code) for row in kinds if row.code},
        "class": {each: CLASS_NAMES[each] for each in ERROR_CLASSES},
        "retried": {"too": _("Those that were taken up again, too")},
        "by": {"me": _("Me"), **{str(each): name for each, name in (identity.names_of_members(here.tenant_id) or {}).items()}},
    }
    return render(
        "failures/list.html", shown=shown, listing=rows, range=lists.range_of(rows), verbs=lists.verbs_for(FAILURES, here), choices=choices,
        deleted=lists.deleted_view(here, request.args.get("deleted")), steps={row.id: step_name(names, row) for row in rows.items},
        people=identity.names_of({row.executed_by for row in rows.items if row.executed_by}), reason_of=reason_of,
    )  # fmt: skip
