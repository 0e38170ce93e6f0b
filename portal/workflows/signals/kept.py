"""Signals as rows, kept until somebody waits for them; `engine/store` hands them over."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from portal import events
from portal.core import bus, db
from portal.core.ids import new_id

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}\Z")
LONGEST_KEY = 200
MAX_PAYLOAD_BYTES = 200_000
KEPT_S = 30 * 86_400  # as long as the longest run
PASSING_S = 10  # a signal that only who waits now may take: long enough to be handed over


def keep(
    tenant_id: UUID,
    name: str,
    *,
    key: str,
    payload: Any,
    source: str,
    dedup_key: str | None = None,
    sent_by: UUID | None = None,
    run_id: UUID | None = None,
    kept_s: int = KEPT_S,
) -> tuple[UUID, bool]:
    """Keep a signal in the open transaction; it is handed over after the commit, or as soon as somebody waits for it.

    Args:
        source: api, run, page or callback.
        dedup_key: the same key under the same name is the same signal, also at once and after a restart.
        run_id: the only run that may take it.
        kept_s: how long it waits for somebody who takes it.

    Returns:
        The signal's id, and False if the key had been used before.
    """
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        db.commits("signal")
        signal_id = new_id()
        made = connection.exec_driver_sql(
            """
            insert into workflow_signals (id, tenant_id, name, corr_key, dedup_key, payload, source, sent_by, execution_id, expires_at)
            values (%(id)s, %(tenant)s, %(name)s, %(key)s, %(dedup)s, %(payload)s::jsonb, %(source)s, %(by)s, %(run)s,
                    clock_timestamp() + make_interval(secs => %(kept_s)s))
            on conflict (tenant_id, name, dedup_key) do nothing returning id
            """,
            {
                "id": signal_id, "tenant": tenant_id, "name": name, "key": key, "dedup": dedup_key, "payload": db.to_json(payload),
                "source": source, "by": sent_by, "run": run_id, "kept_s": kept_s,
            },
        ).first()  # fmt: skip
        if made is None:
            before = find(tenant_id, name, dedup_key or "")
            assert before is not None
            return before, False
        bus.announce(events.SignalSent(tenant_id, signal_id, name, source))
        return signal_id, True


def is_awaited(tenant_id: UUID, name: str, key: str) -> bool:
    """Say whether a step waits for this signal now."""
    with db.transaction(tenant_id) as session:
        found = session.connection().exec_driver_sql(
            "select 1 from workflow_waits where tenant_id = %s and name = %s and corr_key = %s and ended_at is null limit 1",
            (tenant_id, name, key),
        )
        return found.first() is not None


def find(tenant_id: UUID, name: str, dedup_key: str) -> UUID | None:
    """Return the signal that was kept under a dedup key, None if none was."""
    with db.transaction(tenant_id) as session:
        found: UUID | None = (
            session.connection()
            .exec_driver_sql(
                "select id from workflow_signals where tenant_id = %s and name = %s and dedup_key = %s", (tenant_id, name, dedup_key)
            )
            .scalar()
        )
    return found


def sweep() -> int:
    """Delete signals that nobody took in their time; those that were taken stay with their runs. For the dispatcher."""
    with db.transaction(system=True) as session:
        gone = session.connection().exec_driver_sql(
            "delete from workflow_signals s where consumed_at is null and expires_at < clock_timestamp()"
            " and not exists (select from tenants o where o.id = s.tenant_id and o.status = 'suspended')"
        )
        return gone.rowcount
