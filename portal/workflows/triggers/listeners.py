"""What triggers do when something happened: start what waits for it, and tell who made a trigger that its run failed."""

from __future__ import annotations

from functools import partial

from portal import events
from portal.core import db
from portal.core.bus import listen
from portal.notifications import service as notifications
from portal.workflows import queries as workflows
from portal.workflows.triggers import listening, queries
from portal.workflows.triggers.event import PUBLIC

for _kind, _words in PUBLIC.values():
    listen(_kind)(listening.hear)


@listen(events.TriggerChanged)
def on_trigger_changed(event: events.TriggerChanged) -> None:
    listening.forget_nobody(event.tenant_id)
    db.after_commit(partial(listening.forget_nobody, event.tenant_id))


@listen(events.RunFinished)
def on_run_finished(event: events.RunFinished) -> None:
    """A run that no person started fails before nobody's eyes: its trigger's maker is told."""
    if event.started_by is not None or event.status not in ("failed", "timed_out"):
        return
    starter = queries.starter_of(event.tenant_id, event.run_id)
    if starter is None or starter.created_by is None:
        return
    notifications.notify(
        event.tenant_id,
        [starter.created_by],
        type=f"run.{event.status}",
        message="",
        severity="error",
        data={"run_id": str(event.run_id), **workflows.names_of(event.tenant_id, event.workflow_id)},
        link=f"/runs/{event.run_id}",
    )
