"""The page on which a tenant sees its share of the workers, what it waited for it, and the bound that was kept."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for

from portal.core.access import Permission, access, requires
from portal.core.render import render
from portal.workflows.fairness import service
from portal.workflows.fairness.wording import LANE_LABELS, spans_of

bp = Blueprint("fairness", __name__)


@bp.get("/settings/fairness")
@requires(Permission.TENANT_EDIT)
def show() -> Response:
    here = access()
    hours, spans = spans_of(request.args.get("span", ""), lambda span: url_for("fairness.show", span=span))
    return render(
        "workflows/fairness.html",
        lanes=service.shares(hours, of=here.tenant_id),
        standing=service.places_of(here.tenant_id),
        labels=LANE_LABELS,
        spans=spans,
    )
