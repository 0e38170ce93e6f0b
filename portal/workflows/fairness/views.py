"""The page on which a tenant sees its share of the workers, what it waited for it, and the bound that was kept."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for

from portal.core.access import Permission, access, requires
from portal.core.render import render
from portal.workflows.fairness import service
from portal.workflows.fairness.wording import LANE_LABELS, SPANS

Tab = tuple[Any, str, bool]
bp = Blueprint("fairness", __name__)


@bp.get("/settings/fairness")
@requires(Permission.TENANT_EDIT)
def show() -> Response:
    here = access()
    hours, spans = spans_of("fairness.show", request.args.get("span", ""))
    return render(
        "workflows/fairness.html",
        lanes=service.shares(hours, of=here.tenant_id),
        standing=service.places_of(here.tenant_id),
        labels=LANE_LABELS,
        spans=spans,
    )


def spans_of(endpoint: str, asked: str) -> tuple[int, list[Tab]]:
    """Return how many hours are shown, and the tabs that lead to the others."""
    chosen = asked if asked in SPANS else "hour"
    return SPANS[chosen][0], [(label, url_for(endpoint, span=name), name == chosen) for name, (_hours, label) in SPANS.items()]
