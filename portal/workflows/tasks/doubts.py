"""A step that was cut off is a question to people: a task for who started the run and for those who look after runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_babel import force_locale
from sqlalchemy import text

from portal import events
from portal.core import bus, db
from portal.core.access import Permission
from portal.core.ids import new_id
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.identity import service as identity
from portal.workflows.engine.store.opening import add_candidates

WAYS = (
    ("done", _l("It happened, go on"), "success"),
    ("repeat", _l("It did not, do it again"), "neutral"),
    ("fail", _l("Stop here as failed"), "danger"),
)
# A step that comes into doubt again after it was repeated is asked about again: the same task, another round of it.
ASK = """
insert into workflow_tasks (id, tenant_id, execution_id, step_id, node_key, kind, gen, title, title_ar, outcomes, quorum)
values (:id, :tenant, :run, :step, :node, 'doubt', 0, :title, :title_ar, cast(:outcomes as jsonb), 'any')
on conflict (tenant_id, step_id) do update
set state = 'open', gen = workflow_tasks.gen + 1, outcome = null, closed_at = null, claimed_by = null, created_at = clock_timestamp()
where workflow_tasks.state <> 'open' returning id
"""
UNASKED = """
select s.id, s.node_key, e.executed_by, n.node ->> 'name' as name, n.node ->> 'name_ar' as name_ar
from workflow_steps s
join workflow_executions e on e.tenant_id = s.tenant_id and e.id = s.execution_id
join workflow_versions v on v.tenant_id = e.tenant_id and v.id = e.version_id
left join lateral (select node from jsonb_array_elements(v.nodes) as node where node ->> 'key' = s.node_key limit 1) n on true
where s.tenant_id = :tenant and s.execution_id = :run and s.state = 'in_doubt' and not exists (
  select 1 from workflow_tasks t where t.tenant_id = s.tenant_id and t.step_id = s.id and t.state = 'open')
order by s.id
"""


def ask(tenant_id: UUID, run_id: UUID) -> list[UUID]:
    """Ask people about every step of a run that is in doubt and that nobody was asked about; return the tasks. Safe to repeat."""
    asked = []
    with db.transaction(tenant_id) as session:
        for step in session.execute(text(UNASKED), {"tenant": tenant_id, "run": run_id}).all():
            values = {"id": new_id(), "tenant": tenant_id, "run": run_id, "step": step.id, "node": step.node_key, **_worded(step)}
            task_id = session.scalar(text(ASK), values)
            if task_id is None:
                continue
            who = [f"person:{step.executed_by}"] if step.executed_by else []
            who += identity.designations_with(tenant_id, Permission.RUN_OPERATE)
            add_candidates(session.connection(), tenant_id, task_id, who)
            bus.announce(events.TaskOpened(tenant_id, task_id, run_id))
            asked.append(task_id)
    return asked


def _worded(step: Any) -> dict[str, Any]:
    """Return the question and its answers in both languages: a task is read by people of either."""
    said: dict[str, dict[str, str]] = {}
    for tag, name in (("en", step.name or step.name_ar), ("ar", step.name_ar or step.name)):
        with force_locale(tag):
            said[tag] = {
                "title": _("Did “%(step)s” happen?", step=name or step.node_key),
                **{key: str(words) for key, words, _ignored in WAYS},
            }
    outcomes = [{"key": key, "label": said["en"][key], "label_ar": said["ar"][key], "tone": tone} for key, _ignored, tone in WAYS]
    return {"title": said["en"]["title"], "title_ar": said["ar"]["title"], "outcomes": db.to_json(outcomes)}
