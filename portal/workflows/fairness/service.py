"""Shares of the lanes as they were, and what staff set for a tenant: its weight, and how many of its steps may be in hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from portal import events
from portal.core import bus, db
from portal.core.errors import Invalid
from portal.i18n.words import gettext as _
from portal.workflows.engine.lanes import LANES
from portal.workflows.fairness import figures, queries
from portal.workflows.fairness.figures import Line, Share
from portal.workflows.fairness.wording import LANE_LABELS, spans_of

__all__ = ["LANE_LABELS", "Place", "places_of", "set_places", "shares", "spans_of", "sweep"]

MOST_TENANTS = 50
MOST_WEIGHT = 100
MOST_CAP = 10_000
KEPT_DAYS = 7


@dataclass(frozen=True, slots=True)
class Place:
    """What holds for a tenant in a lane."""

    weight: int = 1
    cap: int | None = None


def shares(hours: int, *, of: UUID | None = None) -> list[tuple[Line, list[Share]]]:
    """Return each lane that was used, with what each tenant got of it; only of one tenant, if one is named."""
    rows = queries.used(hours)
    lines = figures.lines_of(rows)
    shown = [row for row in rows if of in (None, row.tenant_id)]
    ids = list(dict.fromkeys(row.tenant_id for row in shown))[:MOST_TENANTS]
    bins = queries.bins_of(ids, hours)
    return [
        (line, found)
        for lane, line in lines.items()
        if (found := [figures.share_of(row, line, bins) for row in shown if row.lane == lane and row.tenant_id in ids])
    ]


def places_of(tenant_id: UUID) -> dict[str, Place]:
    """Return what holds for a tenant in each lane."""
    set_ = queries.lines_of(tenant_id)
    return {lane: Place(set_[lane].weight, set_[lane].cap) if lane in set_ else Place() for lane in LANES}


def set_places(tenant_id: UUID, wanted: Mapping[str, Place]) -> dict[str, Place]:
    """Set what holds for a tenant from the next claim on; joins the open transaction of the system role. Returns what changed.

    Raises:
        Invalid: a weight or a limit is out of its bounds.
    """
    problems: dict[str, str] = {}
    for lane, place in wanted.items():
        if not 1 <= place.weight <= MOST_WEIGHT:
            problems[f"weight-{lane}"] = _("A weight is a whole number between 1 and %(num)d.", num=MOST_WEIGHT)
        if place.cap is not None and not 1 <= place.cap <= MOST_CAP:
            problems[f"cap-{lane}"] = _("A limit is a whole number between 1 and %(num)d; empty means none.", num=MOST_CAP)
    if problems:
        raise Invalid(problems)
    before = places_of(tenant_id)
    changed = {lane: place for lane, place in wanted.items() if place != before[lane]}
    for lane, place in changed.items():
        db.session().execute(
            text(
                "insert into workflow_lanes (lane, tenant_id, weight, cap) values (:lane, :tenant, :weight, :cap)"
                " on conflict (lane, tenant_id) do update set weight = excluded.weight, cap = excluded.cap"
            ),
            {"lane": lane, "tenant": tenant_id, "weight": place.weight, "cap": place.cap},
        )
        bus.announce(events.LaneLimitChanged(tenant_id, lane, place.weight, place.cap))
    return changed


def sweep() -> int:
    """Forget shares that are older than seven days."""
    with db.transaction(system=True) as session:
        gone = session.execute(
            text("delete from workflow_shares where minute < clock_timestamp() - make_interval(days => :days)"), {"days": KEPT_DAYS}
        )
    return db.touched(gone)
