"""How much a trigger takes in one minute of the database's clock, counted in its row.

A busy process takes its share of a minute in blocks, so that not every request writes; a block that it does not use up is lost with
the minute. So a cap is never passed, and a small cap is counted one by one.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from portal.core import db
from portal.workflows.triggers.errors import TooMany

BLOCKS = 50
LARGEST_BLOCK = 100

TAKE = text(
    """
    with now as (select date_trunc('minute', clock_timestamp()) as minute,
                        60 - extract(epoch from clock_timestamp() - date_trunc('minute', clock_timestamp())) as left_s)
    update workflow_triggers t
    set rate_window_at = now.minute,
        rate_used = case when t.rate_window_at = now.minute then least(t.rate_used + :block, :cap) else least(:block, :cap) end
    from now, workflow_triggers old
    where t.tenant_id = :tenant and t.id = :id and old.tenant_id = t.tenant_id and old.id = t.id
    returning now.left_s, t.rate_used - case when old.rate_window_at = now.minute then old.rate_used else 0 end as taken
    """
)


@dataclass(slots=True)
class Block:
    """What this process may still let in before a moment of its own clock."""

    until: float
    left: int


_blocks: dict[tuple[UUID, int], Block] = {}
_lock = threading.Lock()


def take(tenant_id: UUID, trigger_id: UUID, *, per_minute: int) -> None:
    """Let one in, or say when to come back. Takes a transaction of its own, so it comes before the one that starts the run.

    Raises:
        TooMany: the minute is full.
    """
    key = (trigger_id, per_minute)
    with _lock:
        block = _blocks.get(key)
        if block is not None and time.monotonic() < block.until and block.left > 0:
            block.left -= 1
            return
    size = max(1, min(per_minute // BLOCKS, LARGEST_BLOCK))
    with db.transaction() as session:
        # Losing the count of a few requests in a crash of the server is no harm; waiting for the disk for each would be.
        session.execute(text("select set_config('synchronous_commit', 'off', true)"))
        session.execute(text("select 1 from workflow_triggers where tenant_id = :tenant and id = :id for no key update"),
                        {"tenant": tenant_id, "id": trigger_id})  # fmt: skip
        row = session.execute(TAKE, {"tenant": tenant_id, "id": trigger_id, "block": size, "cap": per_minute}).one()
    if row.taken <= 0:
        raise TooMany(int(row.left_s) + 1)
    if row.taken > 1:
        with _lock:
            if len(_blocks) > 10_000:
                _blocks.clear()
            _blocks[key] = Block(time.monotonic() + float(row.left_s), row.taken - 1)
