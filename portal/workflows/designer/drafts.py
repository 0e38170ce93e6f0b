"""The draft of a workflow: each edit is one transaction, one revision and one line in the audit book.

Revisions are the undo stack. Their numbers only grow, so a number names one content for ever: an edit after an undo drops
the tail that could be redone and takes the next free number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import aliased

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import Actor
from portal.core.errors import Conflict, Invalid
from portal.i18n.words import gettext as _
from portal.workflows import definition, queries, service
from portal.workflows.actions.registry import FIELDS
from portal.workflows.definition import Node, Settings
from portal.workflows.designer import edits, several
from portal.workflows.designer.edits import Place
from portal.workflows.models import WorkflowRevision, WorkflowTemplate

KEPT = 200
Content = tuple[list[Node], Settings]


class DraftChanged(Conflict):
    """Somebody changed the draft since it was shown; nothing was saved.

    Args:
        by: who, if it is known.
        at: when.
    """

    code = "draft_changed"

    def __init__(self, by: UUID | None, at: datetime | None) -> None:
        super().__init__()
        self.by = by
        self.at = at


@dataclass(frozen=True, slots=True)
class History:
    """What undo and redo would do: the label of the edit, or None."""

    undo: str | None
    redo: str | None


def history(workflow: WorkflowTemplate) -> History:
    """Return what can be undone and redone."""
    before = aliased(WorkflowRevision)
    number, now = WorkflowRevision.number, workflow.draft_revision
    labels = select(WorkflowRevision.label).where(*_of(workflow)).limit(1)
    undo = labels.where(number == now, exists().where(*_of(workflow, before), before.number < now))
    redo = labels.where(number > now).order_by(number)
    return History(*db.session().execute(select(undo.scalar_subquery(), redo.scalar_subquery())).one())


def add_step(tenant_id: UUID, workflow_id: UUID, node: Node, place: Place, *, revision: int, by: Actor) -> str:
    """Put a new step of `node["kind"]` at a place; return its key.

    Raises:
        NotFound: no such workflow, or no such place in its draft.
        DraftChanged: it is not at this revision any more.
        Invalid: it has as many steps as a workflow can have.
    """
    made: list[str] = []

    def edit(nodes: list[Node], settings: Settings) -> Content:
        key = edits.new_key(nodes, node["kind"])
        made.append(key)
        number = key.removeprefix(node["kind"]).replace("_", " ")  # a second e-mail is "E-mail 2" in the flow too
        names = {name: f"{node[name]}{number}" for name in ("name", "name_ar")}
        return _bounded(edits.insert(nodes, {**node, **names, "key": key}, place)), settings

    _edit(tenant_id, workflow_id, edit, revision=revision, label="step.added", by=by)
    return made[0]


def change_step(
    tenant_id: UUID, workflow_id: UUID, key: str, new: dict[str, Any], *, revision: int, by: Actor, dropped_case: int | None = None
) -> None:
    """Replace settings of a step.

    Args:
        dropped_case: the case of a switch, from 1, that goes with its lane.

    Raises:
        NotFound: no such workflow, or no such step in its draft.
        DraftChanged: it is not at this revision any more.
    """
    _edit(
        tenant_id,
        workflow_id,
        lambda nodes, settings: (
            edits.change(edits.drop_case(nodes, key, dropped_case) if dropped_case else nodes, key, **new),
            settings,
        ),
        revision=revision,
        label="step.changed",
        by=by,
    )


def change_start(tenant_id: UUID, workflow_id: UUID, new: Settings, *, revision: int, by: Actor) -> None:
    """Replace the inputs and the time limit.

    Raises:
        NotFound, DraftChanged: as `change_step`.
    """
    _edit(tenant_id, workflow_id, lambda nodes, _old: (nodes, new), revision=revision, label="start.changed", by=by)


def move_step(tenant_id: UUID, workflow_id: UUID, key: str, where: Place | int, *, revision: int, by: Actor) -> None:
    """Move a step to a place, or by one place up (-1) or down (1).

    Raises:
        NotFound, DraftChanged: as `change_step`; NotFound also for a place that is not there.
    """

    def edit(nodes: list[Node], settings: Settings) -> Content:
        moved = edits.shift(nodes, key, where) if isinstance(where, int) else edits.move(nodes, key, where)
        return moved, settings

    _edit(tenant_id, workflow_id, edit, revision=revision, label="step.moved", by=by)


def delete_step(tenant_id: UUID, workflow_id: UUID, key: str, *, revision: int, by: Actor) -> None:
    """Take a step away, with everything in its lanes; `undo` brings it back.

    Raises:
        NotFound, DraftChanged: as `change_step`.
    """
    _edit(
        tenant_id, workflow_id, lambda nodes, settings: (edits.delete(nodes, key), settings), revision=revision, label="step.deleted", by=by
    )


def move_steps(tenant_id: UUID, workflow_id: UUID, keys: list[str], where: Place | int, *, revision: int, by: Actor) -> None:
    """Move steps together to a place, or by one place up (-1) or down (1).

    Raises:
        NotFound, DraftChanged: as `move_step`.
    """

    def edit(nodes: list[Node], settings: Settings) -> Content:
        moved = several.shift(nodes, keys, where) if isinstance(where, int) else several.move(nodes, keys, where)
        return moved, settings

    _edit(tenant_id, workflow_id, edit, revision=revision, label="steps.moved", by=by)


def delete_steps(tenant_id: UUID, workflow_id: UUID, keys: list[str], *, revision: int, by: Actor) -> None:
    """Take steps away, with everything in their lanes, as one edit.

    Raises:
        NotFound, DraftChanged: as `change_step`.
    """
    _edit(
        tenant_id,
        workflow_id,
        lambda nodes, settings: (several.delete(nodes, keys), settings),
        revision=revision,
        label="steps.deleted",
        by=by,
    )


def duplicate_steps(tenant_id: UUID, workflow_id: UUID, keys: list[str], *, revision: int, by: Actor) -> list[str]:
    """Put a copy of steps behind the last of them, as one edit; return the keys of the copies on top.

    Raises:
        NotFound, DraftChanged: as `change_step`.
        Invalid: more steps than a workflow can have.
    """
    made: list[str] = []

    def edit(nodes: list[Node], settings: Settings) -> Content:
        grown, on_top = several.duplicate(nodes, keys, FIELDS)
        made.extend(on_top)
        return _bounded(grown), settings

    _edit(tenant_id, workflow_id, edit, revision=revision, label="steps.duplicated", by=by)
    return made


def paste_steps(tenant_id: UUID, workflow_id: UUID, part: list[Node], place: Place, *, revision: int, by: Actor) -> list[str]:
    """Put copied steps at a place, as one edit; return the keys of those on top.

    Raises:
        NotFound, DraftChanged: as `add_step`.
        Invalid: more steps than a workflow can have.
    """
    made: list[str] = []

    def edit(nodes: list[Node], settings: Settings) -> Content:
        grown, on_top = several.paste(nodes, part, place, FIELDS)
        made.extend(on_top)
        return _bounded(grown), settings

    _edit(tenant_id, workflow_id, edit, revision=revision, label="steps.pasted", by=by)
    return made


def as_it_was(tenant_id: UUID, workflow_id: UUID, revision: int) -> Content | None:
    """Return what the draft was at a revision; None for one that is not kept any more.

    Raises:
        NotFound: no such workflow in this tenant.
    """
    found = _revision(queries.get_workflow(tenant_id, workflow_id), revision)
    return (found.nodes, found.settings) if found else None


def _bounded(nodes: list[Node]) -> list[Node]:
    if len(nodes) > definition.MAX_NODES:
        raise Invalid({"kind": _("A workflow has at most %(num)d steps.", num=definition.MAX_NODES)})
    return nodes


def replace(tenant_id: UUID, workflow_id: UUID, nodes: list[Node], settings: Settings, *, revision: int, label: str, by: Actor) -> None:
    """Put another definition in the place of the whole draft; `undo` brings the one before back.

    Raises:
        NotFound, DraftChanged: as `change_step`.
    """
    _edit(tenant_id, workflow_id, lambda _nodes, _settings: (nodes, settings), revision=revision, label=label, by=by)


def undo(tenant_id: UUID, workflow_id: UUID, *, revision: int, by: Actor) -> str | None:
    """Go back one revision; return the label of what was undone, None at the beginning.

    Raises:
        NotFound, DraftChanged: as `change_step`.
    """
    return _travel(tenant_id, workflow_id, -1, revision=revision, by=by)


def redo(tenant_id: UUID, workflow_id: UUID, *, revision: int, by: Actor) -> str | None:
    """Go forward one revision; return the label of what was done again, None at the end.

    Raises:
        NotFound, DraftChanged: as `change_step`.
    """
    return _travel(tenant_id, workflow_id, 1, revision=revision, by=by)


def check_revision(workflow: WorkflowTemplate, revision: int) -> None:
    """Refuse an edit of anything but the newest draft.

    Raises:
        DraftChanged: the draft is not at this revision any more.
    """
    if workflow.draft_revision != revision:
        latest = _revision(workflow, workflow.draft_revision)
        raise DraftChanged(latest.author_id if latest else None, workflow.updated_at)


def publish(tenant_id: UUID, workflow_id: UUID, *, revision: int, by: Actor) -> int:
    """Publish the draft as it was shown; return the version's number.

    Raises:
        NotFound, DraftChanged: as `change_step`.
        DraftInvalid: `.problems` says what is wrong.
    """
    with db.transaction():
        _locked(tenant_id, workflow_id, revision)
        return service.publish_version(tenant_id, workflow_id, by=by)


def _edit(
    tenant_id: UUID, workflow_id: UUID, edit: Callable[[list[Node], Settings], Content], *, revision: int, label: str, by: Actor
) -> None:
    with db.transaction() as session:
        workflow = _locked(tenant_id, workflow_id, revision)
        nodes, settings = edit(workflow.nodes, workflow.settings)
        if (nodes, settings) == (workflow.nodes, workflow.settings):
            return
        of_workflow = _of(workflow)
        number = (session.scalar(select(func.max(WorkflowRevision.number)).where(*of_workflow)) or workflow.draft_revision) + 1
        session.execute(delete(WorkflowRevision).where(*of_workflow, WorkflowRevision.number > workflow.draft_revision))
        session.execute(delete(WorkflowRevision).where(*of_workflow, WorkflowRevision.number < number - KEPT))
        session.add(
            WorkflowRevision(
                tenant_id=tenant_id, template_id=workflow_id, number=number, nodes=nodes, settings=settings, label=label, author_id=by.id
            )
        )
        _show(workflow, nodes, settings, number)
        audit.record(tenant_id, by, "workflow.edited", workflow_id, what=label, revision=number)


def _travel(tenant_id: UUID, workflow_id: UUID, direction: int, *, revision: int, by: Actor) -> str | None:
    with db.transaction():
        workflow = _locked(tenant_id, workflow_id, revision)
        here, there = _revision(workflow, workflow.draft_revision), _neighbour(workflow, direction)
        if here is None or there is None:
            return None
        _show(workflow, there.nodes, there.settings, there.number)
        label = here.label if direction < 0 else there.label
        done = "workflow.edit_undone" if direction < 0 else "workflow.edit_redone"
        audit.record(tenant_id, by, done, workflow_id, what=label, revision=there.number)
    return label


def _locked(tenant_id: UUID, workflow_id: UUID, revision: int) -> WorkflowTemplate:
    workflow = queries.get_workflow(tenant_id, workflow_id, lock=True)
    check_revision(workflow, revision)
    return workflow


def _show(workflow: WorkflowTemplate, nodes: list[Node], settings: Settings, number: int) -> None:
    workflow.nodes = nodes
    workflow.edges = definition.edges_of(nodes)
    workflow.settings = settings
    workflow.draft_revision = number
    bus.announce(events.WorkflowDraftChanged(workflow.tenant_id, workflow.id))


def _of(workflow: WorkflowTemplate, revision: Any = WorkflowRevision) -> tuple[Any, Any]:
    return revision.tenant_id == workflow.tenant_id, revision.template_id == workflow.id


def _revision(workflow: WorkflowTemplate, number: int) -> WorkflowRevision | None:
    return db.session().scalar(select(WorkflowRevision).where(*_of(workflow), WorkflowRevision.number == number))


def _neighbour(workflow: WorkflowTemplate, direction: int) -> WorkflowRevision | None:
    wanted = select(WorkflowRevision).where(*_of(workflow)).limit(1)
    if direction < 0:
        return db.session().scalar(wanted.where(WorkflowRevision.number < workflow.draft_revision).order_by(WorkflowRevision.number.desc()))
    return db.session().scalar(wanted.where(WorkflowRevision.number > workflow.draft_revision).order_by(WorkflowRevision.number))
