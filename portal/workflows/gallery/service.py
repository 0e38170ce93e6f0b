"""Beginning a workflow with a template, and saving, changing and deleting an organisation's own."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text

from portal import events
from portal.audit import service as audit
from portal.core import bus, clock, db
from portal.core.access import Actor
from portal.core.errors import Conflict
from portal.i18n.words import gettext as _
from portal.workflows import queries as workflows
from portal.workflows import service, stripping
from portal.workflows.definition import Node, Settings
from portal.workflows.gallery import queries
from portal.workflows.gallery.models import WorkflowSample
from portal.workflows.models import WorkflowTemplate
from portal.workflows.samples import catalogue
from portal.workflows.samples.parts import Sample, Schedule
from portal.workflows.triggers import base, registry
from portal.workflows.triggers import service as triggers


def use(tenant_id: UUID, slug: str, *, key: str, timezone: str, by: Actor) -> UUID:
    """Begin a workflow with a template of the house; the schedule that it proposes is added switched off.

    Args:
        key: of the form; the same key again gives the workflow that it made the first time.

    Raises:
        NotFound: there is no such template.
    """
    sample, workflow_id = catalogue.get(slug), uuid5(tenant_id, f"{by}:{slug}:{key}")
    with db.transaction(tenant_id):
        if not _is_first(workflow_id):
            return workflow_id
        sample.make_tables(tenant_id)
        nodes, settings = sample.draft(workflow_id)
        _add(tenant_id, workflow_id, sample, nodes, settings, slug, by)
        if sample.schedule:
            _propose(tenant_id, workflow_id, sample.schedule, timezone, by)
    return workflow_id


def use_own(tenant_id: UUID, sample_id: UUID, *, key: str, by: Actor) -> UUID:
    """Begin a workflow with a template of the organisation; `key` as in `use`.

    Raises:
        NotFound: this organisation has none of this id.
    """
    workflow_id = uuid5(tenant_id, f"{by}:{sample_id}:{key}")
    with db.transaction(tenant_id):
        sample = queries.get(tenant_id, sample_id)
        if _is_first(workflow_id):
            _add(tenant_id, workflow_id, sample, sample.nodes, sample.settings, str(sample_id), by)
    return workflow_id


def save(tenant_id: UUID, workflow_id: UUID, given: dict[str, Any], *, by: Actor) -> UUID:
    """Save the draft of a workflow as a template of the organisation, without its connections and secrets.

    Args:
        given: name, name_ar, description, description_ar, category, icon.

    Raises:
        NotFound: no such workflow in this tenant.
        Conflict: the organisation has as many as it may have.
    """
    with db.transaction(tenant_id) as session:
        workflow = workflows.get_workflow(tenant_id, workflow_id)
        if queries.count(tenant_id) >= queries.MOST:
            raise Conflict(_("An organisation keeps at most %(num)d templates. Delete one that is not needed.", num=queries.MOST))
        nodes = [stripping.without_connections(stripping.without_secrets(node, instead="")) for node in workflow.nodes]
        sample = WorkflowSample(tenant_id=tenant_id, nodes=nodes, settings=workflow.settings, created_by=by.id, **given)
        session.add(sample)
        session.flush()
        audit.record(tenant_id, by, "sample.saved", sample.id, workflow=workflow_id, name=sample.name)
        bus.announce(events.SampleChanged(tenant_id, sample.id, "saved"))
    return sample.id


def change(tenant_id: UUID, sample_id: UUID, given: dict[str, Any], *, by: Actor) -> None:
    """Change what an own template is called and says of itself; workflows that were begun with it stay as they are.

    Raises:
        NotFound: this organisation has none of this id.
    """
    with db.transaction(tenant_id):
        sample = queries.get(tenant_id, sample_id, lock=True)
        for name, value in given.items():
            setattr(sample, name, value)
        sample.updated_at = clock.now()
        audit.record(tenant_id, by, "sample.changed", sample_id, name=sample.name)
        bus.announce(events.SampleChanged(tenant_id, sample_id, "changed"))


def delete(tenant_id: UUID, sample_id: UUID, *, by: Actor) -> None:
    """Delete an own template; workflows that were begun with it stay.

    Raises:
        NotFound: this organisation has none of this id.
    """
    with db.transaction(tenant_id) as session:
        sample = queries.get(tenant_id, sample_id, lock=True)
        session.delete(sample)
        audit.record(tenant_id, by, "sample.deleted", sample_id, name=sample.name)
        bus.announce(events.SampleChanged(tenant_id, sample_id, "deleted"))


def _add(
    tenant_id: UUID,
    workflow_id: UUID,
    sample: Sample | WorkflowSample,
    nodes: list[Node],
    settings: Settings,
    origin: str,
    by: Actor,
) -> None:
    service.add_workflow(
        tenant_id,
        workflow_id,
        nodes,
        settings,
        name=sample.name,
        name_ar=sample.name_ar,
        description=sample.description,
        description_ar=sample.description_ar,
        category=sample.category,
        sample=origin,
        by=by,
    )


def _is_first(workflow_id: UUID) -> bool:
    """Say whether nothing has made this workflow yet; whoever asks at the same moment waits until it is known."""
    with db.transaction() as session:
        session.execute(text("select pg_advisory_xact_lock(hashtextextended(:it, 0))"), {"it": f"sample:{workflow_id}"})
        return session.get(WorkflowTemplate, workflow_id) is None


def _propose(tenant_id: UUID, workflow_id: UUID, schedule: Schedule, timezone: str, by: Actor) -> None:
    kind = registry.find("schedule-cron")
    assert kind is not None
    config = {**base.defaults(kind), "mode": kind.variant, "cron": schedule.cron, "zone": timezone}
    place = triggers.place_of(tenant_id, workflow_id, timezone=timezone)
    added = triggers.add_trigger(
        tenant_id, workflow_id, kind, name=schedule.name, name_ar=schedule.name_ar, config=config, place=place, by=by
    )
    triggers.switch_trigger(tenant_id, workflow_id, added, is_enabled=False, by=by)
