"""Shares of the lanes as they were, and what holds for a tenant: its weight and limit, set by staff, and the lower limit that it sets itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import Actor
from portal.core.errors import Invalid
from portal.i18n.words import gettext as _
from portal.workflows.engine.lanes import LANES
from portal.workflows.fairness import figures, queries
from portal.workflows.fairness.figures import Line, Share
from portal.workflows.fairness.wording import LANE_LABELS, spans_of

__all__ = ["LANE_LABELS", "Place", "places_of", "set_own_caps", "set_places", "shares", "spans_of", "sweep"]

MOST_TENANTS = 50
MOST_WEIGHT = 100
MOST_CAP = 10_000
KEPT_DAYS = 7


@dataclass(frozen=True, slots=True)
class Place:
    """What holds for a tenant in a lane."""

    weight: int = 1
    cap: int | None = None
    own_cap: int | None = None

    @property
    def limit(self) -> int | None:
        """How many steps may be in hand at once: the lower one of both limits; None: as many as there are workers."""
        return min((each for each in (self.cap, self.own_cap) if each is not None), default=None)


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
    return {lane: Place(set_[lane].weight, set_[lane].cap, set_[lane].own_cap) if lane in set_ else Place() for lane in LANES}


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
    changed = {lane: place for lane, place in wanted.items() if (place.weight, place.cap) != (before[lane].weight, before[lane].cap)}
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


def set_own_caps(tenant_id: UUID, wanted: Mapping[str, int | None], *, by: Actor) -> dict[str, int | None]:
    """Limit how many of a tenant's own steps may be in hand at once, from the next claim on; returns what changed.

    A limit of its own never raises what staff allow: the lower one counts, also when staff lower theirs later.

    Args:
        wanted: lane → limit; None takes the tenant's own away.

    Raises:
        Invalid: a limit is no sound number, or higher than what staff allow.
    """
    with db.transaction(tenant_id) as session:
        before, problems = places_of(tenant_id), {}
        for lane, cap in wanted.items():
            most = before[lane].cap or MOST_CAP
            if cap is not None and not 1 <= cap <= most:
                problems[f"cap-{lane}"] = _("A limit is a whole number between 1 and %(num)d; empty means none.", num=most)
        if problems:
            raise Invalid(problems)
        changed = {lane: cap for lane, cap in wanted.items() if cap != before[lane].own_cap}
        for lane, cap in changed.items():
            session.execute(
                text(
                    "insert into workflow_lanes (lane, tenant_id, own_cap) values (:lane, :tenant, :cap)"
                    " on conflict (lane, tenant_id) do update set own_cap = excluded.own_cap"
                ),
                {"lane": lane, "tenant": tenant_id, "cap": cap},
            )
            audit.record(tenant_id, by, "organisation.own_limit_set", tenant_id, lane=lane, limit=cap or "none")
            bus.announce(events.OwnLimitChanged(tenant_id, lane, cap))
    return changed


def sweep() -> int:
    """Forget shares that are older than seven days."""
    with db.transaction(system=True) as session:
        gone = session.execute(
            text("delete from workflow_shares where minute < clock_timestamp() - make_interval(days => :days)"), {"days": KEPT_DAYS}
        )
    return db.touched(gone)
