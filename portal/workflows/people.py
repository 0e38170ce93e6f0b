"""Who may decide a task: people, roles and groups by name, as they are at the moment that is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from portal.core import db
from portal.identity import service as identity
from portal.workflows.errors import NobodyNamed

WHO = re.compile(r"(person|role|group):[A-Za-z0-9_-]{1,40}\Z")
MOST_NAMED = 50


def named(tenant_id: UUID, who: Iterable[str]) -> set[UUID]:
    """Return the active members that are meant by `person:<id>`, `role:<name or id>` and `group:<id>`."""
    with db.transaction(tenant_id):
        return set(identity.people_named(tenant_id, list(who)))


def names_for(tenant_id: UUID, person_id: UUID) -> list[str]:
    """Return every name by which a member can be meant."""
    return identity.designations_of(tenant_id, person_id)


def choices(tenant_id: UUID) -> list[tuple[str, Any]]:
    """Return every role, group and (where they are few enough to choose from) member, by the words of the reader."""
    return identity.designations(tenant_id)


def barred(tenant_id: UUID, run_id: UUID, *, starter: bool, deciders: bool, but_task: UUID | None = None) -> set[UUID]:
    """Return who may not decide by the rule of four eyes: who started the run, who decided another of its tasks."""
    with db.transaction(tenant_id) as session:
        connection = session.connection()
        found: set[UUID] = set()
        if starter:
            row = connection.exec_driver_sql(
                "select executed_by from workflow_executions where tenant_id = %s and id = %s", (tenant_id, run_id)
            ).first()
            found |= {row.executed_by} if row and row.executed_by else set()
        if deciders:
            rows = connection.exec_driver_sql(
                "select v.person_id from workflow_votes v join workflow_tasks t on t.tenant_id = v.tenant_id and t.id = v.task_id"
                " where t.tenant_id = %s and t.execution_id = %s and t.id is distinct from %s",
                (tenant_id, run_id, but_task),
            )
            found |= {row.person_id for row in rows}
    return found


def check_enough(tenant_id: UUID, run_id: UUID, who: list[str], *, need: int, starter: bool, deciders: bool) -> None:
    """Refuse a question that nobody can answer.

    Raises:
        NobodyNamed: fewer people may decide than must.
    """
    able = named(tenant_id, who) - barred(tenant_id, run_id, starter=starter, deciders=deciders)
    if len(able) < need:
        raise NobodyNamed(len(able), need)
