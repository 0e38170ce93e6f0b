"""The page on which a tenant sees its share of the workers, what it waited for it, and the bound that was kept."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for

from portal.core.access import Permission, access, requires
from portal.core.digits import whole_or
from portal.core.errors import Invalid
from portal.core.render import render, see_other, toast
from portal.i18n.words import gettext as _
from portal.workflows.fairness import service
from portal.workflows.fairness.wording import LANE_LABELS, spans_of

bp = Blueprint("fairness", __name__)


@bp.get("/settings/fairness")
@requires(Permission.TENANT_EDIT)
def show() -> Response:
    return _show()


@bp.post("/settings/fairness")
@requires(Permission.TENANT_EDIT)
def save() -> Response:
    here = access()
    wanted = {lane: whole_or(request.form.get(f"cap-{lane}", ""), usual=None) for lane in LANE_LABELS}
    try:
        service.set_own_caps(here.tenant_id, wanted, by=here.actor)
    except Invalid as refused:
        return _show(problems=refused.problems, status=422)
    toast(_("It counts from the next step on."))
    return see_other(url_for("fairness.show"))


def _show(*, problems: dict[str, Any] | None = None, status: int = 200) -> Response:
    here = access()
    hours, spans = spans_of(request.args.get("span", ""), lambda span: url_for("fairness.show", span=span))
    standing = service.places_of(here.tenant_id)
    return render(
        "workflows/fairness.html",
        status=status,
        lanes=service.shares(hours, of=here.tenant_id),
        standing=standing,
        labels=LANE_LABELS,
        spans=spans,
        given={**{f"cap-{lane}": place.own_cap or "" for lane, place in standing.items()}, **request.form},
        problems=problems or {},
    )
