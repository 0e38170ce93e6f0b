"""Every SELECT of signals and of the steps that wait for them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from portal.core import db


def open_wait(tenant_id: UUID, run_id: UUID, node_key: str) -> Row[Any] | None:
    """Return step_id, name and corr_key of the signal that a step of a run waits for; None if it waits for none."""
    return (
        db.session()
        .execute(
            text(
                "select w.step_id, w.name, w.corr_key from workflow_waits w join workflow_steps s on s.tenant_id = w.tenant_id and s.id = w.step_id"
                " where w.tenant_id = :tenant and w.execution_id = :run and s.node_key = :node and w.ended_at is null"
            ),
            {"tenant": tenant_id, "run": run_id, "node": node_key},
        )
        .first()
    )


def open_waits(tenant_id: UUID, run_id: UUID) -> dict[UUID, Row[Any]]:
    """Return name and corr_key of every signal that steps of a run wait for, by step."""
    rows = db.session().execute(
        text("select step_id, name, corr_key from workflow_waits where tenant_id = :tenant and execution_id = :run and ended_at is null"),
        {"tenant": tenant_id, "run": run_id},
    )
    return {row.step_id: row for row in rows}


def may_answer(tenant_id: UUID, run_id: UUID, idem_key: str) -> bool:
    """Say whether a step of a run may still take the answer of another system: the run goes on, and the step waits or has yet to begin."""
    return bool(
        db.session().scalar(
            text(
                """
                select exists (
                  select 1 from workflow_executions e where e.tenant_id = :tenant and e.id = :run and e.cancel_at is null
                    and e.status not in ('succeeded', 'failed', 'cancelled', 'timed_out', 'compensated')
                    and not exists (select 1 from workflow_steps s where s.tenant_id = e.tenant_id and s.execution_id = e.id
                                    and s.idem_key = :key and s.state in ('succeeded', 'failed', 'skipped', 'cancelled')))
                """
            ),
            {"tenant": tenant_id, "run": run_id, "key": idem_key},
        )
    )
