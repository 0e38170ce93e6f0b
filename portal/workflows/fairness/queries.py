"""Every SELECT of the fairness of lanes. They run as the system role: a share is measured against what all others got."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from portal.core import db

BINS = 48
USED = """
select h.tenant_id, t.name, t.name_ar, h.lane, sum(h.claims)::int as claims, sum(h.served_s)::float8 as served_s,
       coalesce(l.weight, 1) as weight, least(l.cap, l.own_cap) as cap, array(select distinct w from workflow_shares s, unnest(s.workers) w
         where s.tenant_id = h.tenant_id and s.lane = h.lane and s.minute > clock_timestamp() - make_interval(hours => :hours)) as workers
from workflow_shares h
join tenants t on t.id = h.tenant_id
left join workflow_lanes l on l.lane = h.lane and l.tenant_id = h.tenant_id
where h.minute > clock_timestamp() - make_interval(hours => :hours)
group by h.tenant_id, t.name, t.name_ar, h.lane, l.weight, l.cap, l.own_cap
order by array_position(array['fast','io','ai','bulk'], h.lane), served_s desc, h.tenant_id
"""
WAITS = """
select h.tenant_id, h.lane, u.k, sum(u.waited)::int as waits, sum(u.passed)::int as turns
from workflow_shares h, unnest(h.waits, h.turns) with ordinality u(waited, passed, k)
where h.tenant_id = any(:tenants) and h.minute > clock_timestamp() - make_interval(hours => :hours)
group by 1, 2, 3
"""


def used(hours: int) -> Sequence[Row[Any]]:
    """Return what each tenant got of each lane in the last hours, lane by lane, who got most first."""
    return _all(USED, {"hours": hours})


def bins_of(tenant_ids: Sequence[UUID], hours: int) -> dict[tuple[UUID, str], tuple[list[int], list[int]]]:
    """Return the waits of tenants in a lane, counted in bins: all of them, and only for others."""
    found: dict[tuple[UUID, str], tuple[list[int], list[int]]] = defaultdict(lambda: ([0] * BINS, [0] * BINS))
    for row in _all(WAITS, {"tenants": list(tenant_ids), "hours": hours}):
        waits, turns = found[row.tenant_id, row.lane]
        waits[row.k - 1], turns[row.k - 1] = row.waits or 0, row.turns or 0
    return found


def lines_of(tenant_id: UUID) -> dict[str, Row[Any]]:
    """Return weight and limits of a tenant in the lanes where it has some."""
    rows = _all("select lane, weight, cap, own_cap from workflow_lanes where tenant_id = :tenant", {"tenant": tenant_id})
    return {row.lane: row for row in rows}


def _all(statement: str, values: dict[str, Any]) -> Sequence[Row[Any]]:
    with db.unit_of_work(system=True) as session:
        return session.execute(text(statement), values).all()
