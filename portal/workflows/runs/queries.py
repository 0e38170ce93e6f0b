"""Every SELECT that only the pages of one run need; the tenant comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from portal.core import db
from portal.workflows.runs.spans import PATIENT

LOGGED = 200
LOOKED_AT = 50_000
TWINS = 10
STEP = """
select s.*, case when s.state = 'leased' then s.hard_until - make_interval(secs => s.timeout_s) end as leased_at
from workflow_steps s where s.tenant_id = :tenant and s.execution_id = :run and s.node_key = :key
"""
# In doubt or failed stands first, then what lives: that is what somebody looks for among many.
WORST_FIRST = """
case state when 'in_doubt' then 0 when 'failed' then 1 when 'leased' then 2 when 'waiting' then 3 when 'ready' then 4 else 5 end
"""


def step_of(tenant_id: UUID, run_id: UUID, node_key: str, *, scope: str | None = None) -> Row[Any] | None:
    """Return the step of a node as it stands: of a frame, or one that needs a decision, else the newest; None before it has begun."""
    where = " and s.scope_path = :scope order by s.gen desc" if scope is not None else (
        " order by (s.state = 'in_doubt') desc, s.created_at desc, s.id desc"
    )  # fmt: skip
    return (
        db.session().execute(text(f"{STEP}{where} limit 1"), {"tenant": tenant_id, "run": run_id, "key": node_key, "scope": scope}).first()
    )


def twins_of(tenant_id: UUID, run_id: UUID, node_key: str) -> Sequence[Row[Any]]:
    """Return scope_path, gen, state of some of the times that a node ran: those that need somebody first, then the newest."""
    return (
        db.session()
        .execute(
            text(
                "select scope_path, gen, state from workflow_steps where tenant_id = :tenant and execution_id = :run and node_key = :key"
                f" order by {WORST_FIRST}, created_at desc, id desc limit :limit"
            ),
            {"tenant": tenant_id, "run": run_id, "key": node_key, "limit": TWINS},
        )
        .all()
    )


def attempts_of(tenant_id: UUID, step_ids: Sequence[UUID]) -> dict[UUID, list[Row[Any]]]:
    """Return the attempts of steps in order, by step: number, worker, started_at, ended_at, outcome, error_code."""
    rows = db.session().execute(
        text(
            "select step_id, number, worker, started_at, ended_at, outcome, error_code from workflow_attempts"
            " where tenant_id = :tenant and step_id = any(:steps) order by step_id, epoch"
        ),
        {"tenant": tenant_id, "steps": list(step_ids)},
    )
    found: dict[UUID, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.step_id, []).append(row)
    return found


def events_of(tenant_id: UUID, run_id: UUID, node_key: str, scope: str, *, up_to: int) -> Sequence[Row[Any]]:
    """Return what is recorded of a step in one frame, oldest first: the last 200 events.

    Args:
        up_to: the number of the last event to look at; those more than 50,000 before it are not, because a loop may have millions.
    """
    rows = (
        db.session()
        .execute(
            text(
                "select seq, at, kind, actor, data from workflow_events where tenant_id = :tenant and execution_id = :run"
                " and seq > :least and seq <= :most and node_key = :key and coalesce(data ->> 'scope', '') = :scope"
                " order by seq desc limit :limit"
            ),
            {
                "tenant": tenant_id,
                "run": run_id,
                "key": node_key,
                "scope": scope,
                "least": up_to - LOOKED_AT,
                "most": up_to,
                "limit": LOGGED,
            },
        )
        .all()
    )
    return rows[::-1]


def outline(tenant_id: UUID, run_id: UUID) -> Sequence[Row[Any]]:
    """Return, for each node and state, how many of its steps stand there, from when to when they ran, one of them as a row, and what they
    used together (`usage.of_run`): a run may have a hundred thousand steps, and its page reads them once.
    """
    return (
        db.session()
        .execute(
            text(
                """
                select node_key, state, count(*) as runs, min(least(created_at, coalesce(started_at, created_at))) as begins,
                       max(finished_at) as ends, (array_agg(id))[1] as id, min(kind) as kind, min(created_at) as created_at,
                       min(started_at) as started_at, max(finished_at) as finished_at,
                       min(case when state = 'leased' then hard_until - make_interval(secs => timeout_s) end) as leased_at,
                       sum((used ->> 'calls')::bigint) as calls, sum((used ->> 'sent')::bigint) as sent, sum((used ->> 'received')::bigint) as received,
                       sum((used ->> 'mails')::bigint) as mails, sum((used ->> 'rows')::bigint) as rows, sum(crash_count) as lost,
                       sum(case when effect_class not in ('pure', 'db') then (used ->> 'busy_ms')::bigint
                                when kind <> all(:patient) then extract(epoch from finished_at - started_at) * 1000 end) as busy_ms,
                       bool_or(used is null and effect_at is not null and state <> 'leased' and effect_class not in ('pure', 'db')) as unknown
                from workflow_steps where tenant_id = :tenant and execution_id = :run group by node_key, state order by node_key, state
                """
            ),
            {"tenant": tenant_id, "run": run_id, "patient": sorted(PATIENT)},
        )
        .all()
    )


def called_runs(tenant_id: UUID, step_id: UUID) -> Sequence[Row[Any]]:
    """Return id and status of the runs that a step called."""
    return (
        db.session()
        .execute(
            text(
                "select id, status from workflow_executions where tenant_id = :tenant and parent_step_id = :step order by created_at limit 20"
            ),
            {"tenant": tenant_id, "step": step_id},
        )
        .all()
    )


def sent_signals(tenant_id: UUID, step_id: UUID) -> Sequence[Row[Any]]:
    """Return who answered a step that waited for a signal: source, sent_by, created_at."""
    return (
        db.session()
        .execute(
            text(
                "select source, sent_by, created_at from workflow_signals where tenant_id = :tenant and consumed_by = :step order by created_at"
            ),
            {"tenant": tenant_id, "step": step_id},
        )
        .all()
    )


def siblings(tenant_id: UUID, run_id: UUID, workflow_id: UUID, *, limit: int = 25) -> Sequence[Row[Any]]:
    """Return other runs of a workflow to compare with, newest first: id, status, created_at, completed_at, executed_by, version."""
    return (
        db.session()
        .execute(
            text(
                """
                select e.id, e.status, e.created_at, e.started_at, e.completed_at, e.executed_by, v.number as version
                from workflow_executions e join workflow_versions v on v.tenant_id = e.tenant_id and v.id = e.version_id
                where e.tenant_id = :tenant and e.workflow_id = :workflow and e.id <> :run order by e.created_at desc, e.id desc limit :limit
                """
            ),
            {"tenant": tenant_id, "workflow": workflow_id, "run": run_id, "limit": limit},
        )
        .all()
    )


def neighbours(tenant_id: UUID, run: Any) -> dict[str, UUID]:
    """Return the runs that somebody most often wants beside this one: `previous`, and `succeeded`, the last that went well."""
    before = (
        "(select id from workflow_executions where tenant_id = :tenant and workflow_id = :workflow and id <> :run"
        " and (created_at, id) < (:at, :run){} order by created_at desc, id desc limit 1)"
    )
    previous, succeeded = before.format(""), before.format(" and status = 'succeeded'")
    row = (
        db.session()
        .execute(
            text(f"select {previous} as previous, {succeeded} as succeeded"),
            {"tenant": tenant_id, "workflow": run.workflow_id, "run": run.id, "at": run.created_at},
        )
        .one()
    )
    return {name: run_id for name, run_id in row._mapping.items() if run_id is not None}
