"""Every SELECT of the home page; the tenant comes first. Runs are counted by when they were accepted."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from portal.core import db
from portal.workflows.home.models import Onboarding
from portal.workflows.home.periods import Window

FAILED = "('failed', 'timed_out', 'compensated')"


def count_by_stretch(tenant_id: UUID, window: Window) -> list[Row[Any]]:
    """Return how many runs of each status lie in each bucket of `window.edges`: rows of (bucket, status, runs)."""
    return _rows(
        """
        select width_bucket(created_at, cast(:edges as timestamptz[])) as bucket, status, count(*) as runs
        from workflow_executions where tenant_id = :tenant and created_at >= :since and created_at <= :now group by 1, 2
        """,
        tenant=tenant_id,
        edges=window.edges,
        since=window.before_begin,
        now=window.now,
    )


def medians(tenant_id: UUID, window: Window) -> list[Row[Any]]:
    """Return the median seconds of succeeded runs: a row per bucket, and rows without one for the two whole periods."""
    return _rows(
        """
        select bucket, is_now, percentile_cont(0.5) within group (order by took_s) as took_s
        from (select width_bucket(created_at, cast(:edges as timestamptz[])) as bucket, created_at >= :begin as is_now,
                     extract(epoch from completed_at - coalesce(started_at, created_at))::float8 as took_s
              from workflow_executions
              where tenant_id = :tenant and status = 'succeeded' and created_at >= :since and created_at <= :now
                and (created_at < :before_end or created_at >= :begin)) ended
        group by grouping sets ((bucket), (is_now))
        """,
        tenant=tenant_id,
        edges=window.edges,
        since=window.before_begin,
        before_end=window.before_end,
        begin=window.begin,
        now=window.now,
    )


def count_by_workflow(tenant_id: UUID, window: Window) -> list[Row[Any]]:
    """Return each workflow that ran in the period: names, runs, failed runs, and those of them that timed out; most runs first."""
    return _rows(
        f"""
        select w.id, w.name, w.name_ar, r.runs, r.failed, r.timed_out
        from (select workflow_id, count(*) as runs, count(*) filter (where status in {FAILED}) as failed,
                     count(*) filter (where status = 'timed_out') as timed_out
              from workflow_executions where tenant_id = :tenant and created_at >= :begin and created_at <= :now group by 1) r
        join workflow_templates w on w.tenant_id = :tenant and w.id = r.workflow_id
        order by r.runs desc, w.name, w.id
        """,
        tenant=tenant_id,
        begin=window.begin,
        now=window.now,
    )


def count_by_hour(tenant_id: UUID, window: Window, zone: str) -> dict[tuple[int, int], int]:
    """Return how many runs were accepted in each hour of the week, by (weekday from Monday 0, hour) on the zone's clocks."""
    # By the quarter first: telling the local hour of every run took three times as long, and no zone is off by less.
    rows = _rows(
        """
        select extract(isodow from quarter at time zone :zone)::int - 1 as weekday,
               extract(hour from quarter at time zone :zone)::int as hour, sum(runs)::int as runs
        from (select date_bin('15 minutes', created_at, timestamptz 'epoch') as quarter, count(*) as runs
              from workflow_executions where tenant_id = :tenant and created_at >= :begin and created_at <= :now group by 1) counted
        group by 1, 2
        """,
        tenant=tenant_id,
        begin=window.begin,
        now=window.now,
        zone=zone,
    )
    return {(row.weekday, row.hour): row.runs for row in rows}


def failed_runs(tenant_id: UUID, *, since: datetime, person_id: UUID | None, limit: int) -> list[Row[Any]]:
    """Return failed runs that nobody has retried, newest first, of one starter or (None) of all; `total` counts them all."""
    return _rows(
        f"""
        select e.id, e.status, e.completed_at, e.error, w.name, w.name_ar, count(*) over () as total
        from workflow_executions e join workflow_templates w on w.tenant_id = e.tenant_id and w.id = e.workflow_id
        where e.tenant_id = :tenant and e.status in {FAILED} and e.created_at >= :since
          and (cast(:person as uuid) is null or e.executed_by = :person)
          and not exists (select 1 from workflow_executions r where r.tenant_id = e.tenant_id and r.workflow_id = e.workflow_id
                            and r.dedup_key = 'retry:' || e.id)
        order by e.created_at desc, e.id desc limit :limit
        """,
        tenant=tenant_id,
        since=since,
        person=person_id,
        limit=limit,
    )


def runs_in_doubt(tenant_id: UUID, *, person_id: UUID | None, limit: int) -> list[Row[Any]]:
    """Return runs with a step that waits for a decision, longest waiting first; `total` counts them all."""
    return _rows(
        """
        select e.id, w.name, w.name_ar, s.since, count(*) over () as total
        from (select execution_id, min(coalesce(started_at, created_at)) as since from workflow_steps
              where tenant_id = :tenant and state = 'in_doubt' group by 1) s
        join workflow_executions e on e.tenant_id = :tenant and e.id = s.execution_id
        join workflow_templates w on w.tenant_id = e.tenant_id and w.id = e.workflow_id
        where cast(:person as uuid) is null or e.executed_by = :person
        order by s.since, e.id limit :limit
        """,
        tenant=tenant_id,
        person=person_id,
        limit=limit,
    )


def tasks_of(tenant_id: UUID, names: list[str], person_id: UUID, *, limit: int) -> list[Row[Any]]:
    """Return open tasks that a person may decide and has not, due first; `total` counts them all.

    Args:
        names: every name by which they are meant.
    """
    return _rows(
        """
        select t.id, t.title, t.title_ar, t.due_at, t.created_at, w.name, w.name_ar, count(*) over () as total
        from workflow_tasks t
        join workflow_executions e on e.tenant_id = t.tenant_id and e.id = t.execution_id
        join workflow_templates w on w.tenant_id = e.tenant_id and w.id = e.workflow_id
        where t.tenant_id = :tenant and t.state = 'open' and t.kind <> 'doubt' and (t.claimed_by is null or t.claimed_by = :person)
          and exists (select 1 from workflow_task_candidates c where c.tenant_id = t.tenant_id and c.task_id = t.id and c.who = any(:names))
          and not exists (select 1 from workflow_task_candidates c where c.tenant_id = t.tenant_id and c.task_id = t.id and c.instead_of = :person)
          and not exists (select 1 from workflow_votes v where v.tenant_id = t.tenant_id and v.task_id = t.id and v.person_id = :person)
          and not (t.bars_starter and e.executed_by = :person)
          and not (t.bars_deciders and exists (select 1 from workflow_votes v join workflow_tasks o on o.tenant_id = v.tenant_id and o.id = v.task_id
                                               where o.tenant_id = t.tenant_id and o.execution_id = t.execution_id and o.id <> t.id and v.person_id = :person))
        order by t.due_at nulls last, t.created_at, t.id limit :limit
        """,
        tenant=tenant_id,
        names=names,
        person=person_id,
        limit=limit,
    )


def unpublished_drafts(tenant_id: UUID, *, limit: int) -> list[Row[Any]]:
    """Return active workflows whose draft is not what runs, last changed first; `total` counts them all."""
    return _rows(
        """
        select w.id, w.name, w.name_ar, w.updated_at, v.number, count(*) over () as total
        from workflow_templates w left join workflow_versions v on v.tenant_id = w.tenant_id and v.id = w.published_version_id
        where w.tenant_id = :tenant and w.is_active and (v.id is null or v.nodes <> w.nodes or v.settings <> w.settings)
        order by w.updated_at desc, w.id desc limit :limit
        """,
        tenant=tenant_id,
        limit=limit,
    )


def last_edited(tenant_id: UUID, *, limit: int) -> list[Row[Any]]:
    """Return the workflows that were changed last."""
    return _rows(
        """
        select id, name, name_ar, updated_at from workflow_templates
        where tenant_id = :tenant order by updated_at desc, id desc limit :limit
        """,
        tenant=tenant_id,
        limit=limit,
    )


def first_facts(tenant_id: UUID) -> Row[Any]:
    """Return what a new organisation has done already, and where each next step is to be taken."""
    return _rows(
        """
        select exists (select 1 from workflow_templates where tenant_id = :tenant) as has_workflow,
               exists (select 1 from workflow_templates where tenant_id = :tenant and published_version_id is not null) as has_published,
               exists (select 1 from workflow_executions where tenant_id = :tenant) as has_run,
               exists (select 1 from workflow_executions where tenant_id = :tenant and status = 'succeeded') as has_succeeded,
               (select id from workflow_templates where tenant_id = :tenant and published_version_id is null
                order by updated_at desc limit 1) as draft_id,
               (select id from workflow_templates where tenant_id = :tenant and published_version_id is not null and is_active
                order by updated_at desc limit 1) as published_id,
               (select id from workflow_executions where tenant_id = :tenant order by created_at desc, id desc limit 1) as run_id
        """,
        tenant=tenant_id,
    )[0]


def get_onboarding(tenant_id: UUID) -> Onboarding | None:
    """Return what the tenant decided about its first steps, None while nothing."""
    opened: Session = db.session()
    return opened.get(Onboarding, tenant_id)


def _rows(statement: str, **values: object) -> list[Row[Any]]:
    return list(db.session().execute(text(statement), values))
