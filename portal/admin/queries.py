"""Every SELECT of the staff screens. Those across tenants run as the system role, in a unit of their own, and never read what tenants keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from portal.admin.models import Staff
from portal.core import db
from portal.i18n.search import fold

MOST_TENANTS = 50
MOST_RUNS = 50


def is_staff(person_id: UUID) -> bool:
    """Say whether the person works for the house."""
    return db.session().get(Staff, person_id) is not None


def find_tenants(words: str) -> list[Row[Any]]:
    """Return tenants whose name, slug or id matches, or with a member of this address; all, newest first, for an empty text."""
    return _all(
        """
        select t.id, t.slug, t.name, t.name_ar, t.status, t.created_at,
               (select count(*) from memberships m where m.tenant_id = t.id) as people,
               (select count(*) from workflow_executions e where e.tenant_id = t.id and e.created_at > clock_timestamp() - interval '1 day')
                 as runs
        from tenants t
        where not t.is_house and (:words = '' or t.search_key like '%' || :key || '%' or t.slug like '%' || :slug || '%'
           or t.id::text = :words
           or exists (select from memberships m join people p on p.id = m.person_id where m.tenant_id = t.id and p.email_key = :words))
        order by t.created_at desc, t.id limit :most
        """,
        {"words": words.strip().casefold(), "key": _escaped(fold(words)), "slug": _escaped(words.strip().casefold()), "most": MOST_TENANTS},
    )


def _escaped(text_: str) -> str:
    return text_.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def tenant(tenant_id: UUID) -> Row[Any] | None:
    """Return one tenant with figures of its last day."""
    rows = _all(
        """
        select t.id, t.slug, t.name, t.name_ar, t.status, t.status_reason, t.status_reason_ar, t.timezone, t.created_at,
               (select count(*) from memberships m where m.tenant_id = t.id) as people,
               (select count(*) from workflow_templates w where w.tenant_id = t.id) as workflows,
               count(e.id) as runs, count(e.id) filter (where e.status in ('failed','timed_out')) as failed,
               count(e.id) filter (where e.status in ('pending','running')) as open,
               (select max(s.seen_at) from sessions s where s.tenant_id = t.id) as seen_at
        from tenants t left join workflow_executions e on e.tenant_id = t.id and e.created_at > clock_timestamp() - interval '1 day'
        where t.id = :tenant and not t.is_house group by t.id
        """,
        {"tenant": tenant_id},
    )
    return rows[0] if rows else None


def people_of(tenant_id: UUID) -> list[Row[Any]]:
    """Return the members of a tenant with role and when they were last seen there."""
    return _all(
        """
        select p.id, p.name, p.name_ar, p.email, p.is_active, m.role, m.created_at,
               (select max(s.seen_at) from sessions s where s.person_id = p.id and s.tenant_id = m.tenant_id and s.staff_id is null) as seen_at
        from memberships m join people p on p.id = m.person_id where m.tenant_id = :tenant
        order by array_position(array['owner','admin','builder','member','auditor'], m.role), p.name, p.id limit 200
        """,
        {"tenant": tenant_id},
    )


def runs_of(tenant_id: UUID, *, first: str = "") -> list[Row[Any]]:
    """Return the newest runs of a tenant, one that is asked for before them: workflow, status, times, the code of an error; never what they
    carried."""
    return _all(
        """
        select e.id, e.status, e.created_at, e.completed_at, e.error ->> 'code' as error, e.error ->> 'step' as step, w.name, w.name_ar
        from workflow_executions e join workflow_templates w on w.tenant_id = e.tenant_id and w.id = e.workflow_id
        where e.tenant_id = :tenant order by e.id::text = :first desc, e.created_at desc, e.id desc limit :most
        """,
        {"tenant": tenant_id, "most": MOST_RUNS, "first": first},
    )


def consent_of(tenant_id: UUID) -> Any:
    """Return until when a tenant lets support look, or None."""
    rows = _all(
        "select max(until) as until from support_grants where tenant_id = :tenant and ended_at is null and until > clock_timestamp()",
        {"tenant": tenant_id},
    )
    return rows[0].until


def health() -> Row[Any]:
    """Return how the house stands: what waits, what is late, what has failed."""
    return _all(
        """
        select (select count(*) from outbox) as jobs_waiting,
               (select count(*) from outbox where attempts > 1) as jobs_failing,
               (select extract(epoch from clock_timestamp() - min(created_at)) from outbox) as oldest_job_s,
               (select count(*) from letters where state = 'failed') as letters_failed,
               (select count(*) from workflow_executions where status in ('pending','running')) as runs_open,
               (select count(*) from workflow_executions where status in ('failed','timed_out')
                  and created_at > clock_timestamp() - interval '1 hour') as runs_failed,
               (select count(*) from workflow_steps where state = 'in_doubt') as steps_in_doubt,
               (select count(*) from sessions where person_id is not null and seen_at > clock_timestamp() - interval '15 minutes') as people_here,
               (select count(*) from sign_in_alarms where last_at > clock_timestamp() - interval '1 day') as alarms,
               (select count(*) from proof_attempts where kind = 'password' and outcome <> 'passed'
                  and at > clock_timestamp() - interval '1 hour') as sign_ins_failed,
               (select count(*) from tenants where status = 'active' and not is_house) as tenants_active,
               (select extract(epoch from clock_timestamp() - max(until)) from workflow_leaders where name = 'dispatcher') as leader_late_s
        """,
        {},
    )[0]


def alarms() -> list[Row[Any]]:
    """Return the alarms about passwords that were tried at many accounts in the last seven days, newest first."""
    return _all(
        """
        select id, kind, network, accounts, tries, failures, at, last_at from sign_in_alarms
        where last_at > clock_timestamp() - interval '7 days' order by last_at desc, id limit 50
        """,
        {},
    )


def failing_jobs() -> list[Row[Any]]:
    """Return jobs that were tried more than once and still wait, oldest first."""
    return _all(
        """
        select id, name, attempts, created_at, available_at, taken_until > clock_timestamp() as is_taken from outbox where attempts > 1
        order by created_at, id limit 100
        """,
        {},
    )


def failed_letters() -> list[Row[Any]]:
    """Return mails of the house that no server took, newest first; not to whom, and not what they said."""
    return _all(
        """
        select l.id, l.message, l.error, l.created_at, t.name, t.name_ar from letters l left join tenants t on t.id = l.tenant_id
        where l.state = 'failed' order by l.created_at desc, l.id limit 50
        """,
        {},
    )


def announcements() -> list[Row[Any]]:
    """Return what was announced, newest first."""
    return _all(
        """
        select a.id, a.text, a.text_ar, a.tone, a.since, a.until, p.name as by_name, p.name_ar as by_name_ar,
               case when a.until <= clock_timestamp() then 'over' when a.since > clock_timestamp() then 'later' else 'now' end as state
        from announcements a join people p on p.id = a.created_by order by a.since desc, a.id limit 50
        """,
        {},
    )


# What everybody is told now, as one value: a part of the query of every page's frame.
ANNOUNCED_SQL = """select jsonb_agg(jsonb_build_object('id', a.id, 'text', a.text, 'text_ar', a.text_ar, 'tone', a.tone) order by a.since desc, a.id)
from (select id, text, text_ar, tone, since from announcements where since <= clock_timestamp() and until > clock_timestamp() order by since desc, id limit 3) a"""


def announced_ids() -> set[str]:
    """Return the ids of what everybody is told now."""
    return {each["id"] for each in db.session().scalar(text(ANNOUNCED_SQL)) or ()}


def flag_states() -> dict[str, Row[Any]]:
    """Return how each switch that was ever touched stands, with who touched it."""
    rows = _all("select f.name as flag, f.is_on, f.changed_at, p.name, p.name_ar from flags f join people p on p.id = f.changed_by", {})
    return {row.flag: row for row in rows}


def _all(statement: str, values: Mapping[str, Any]) -> list[Row[Any]]:
    with db.unit_of_work(system=True) as session:
        return list(session.execute(text(statement), values))
