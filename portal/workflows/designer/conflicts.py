"""Somebody else was faster: what they changed, what is typed here, and how both come together. Nothing is overwritten unseen.

The form is shown again as the draft is now, with only that put on top which its writer had changed; where both changed the same
field, both are said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from uuid import UUID

from portal.core.errors import NotFound
from portal.i18n.words import gettext as _
from portal.workflows import queries
from portal.workflows.definition import Node, Settings
from portal.workflows.designer import drafts, edits
from portal.workflows.designer.edits import Place
from portal.workflows.designer.fields import StartForm, StepForm
from portal.workflows.differences import diff, words
from portal.workflows.differences.diff import Change
from portal.workflows.differences.words import Line, StepLines

# The settings of the start, and the fields of its form that show them.
STARTS = {
    "inputs": ("inputs",),
    "deadline_s": ("deadline", "deadline_unit"),
    "error_workflow": ("error_workflow",),
    "concurrency": ("most", "gate_key", "when_full"),
    "priority": ("priority",),
    "lane": ("is_bulk",),
}


@dataclass(frozen=True, slots=True)
class Both:
    """What there is to say of a conflict.

    Args:
        theirs: steps that others changed since the page was shown.
        settings: what they changed of the start.
        clashes: fields that both changed: theirs stands in `old`, what is typed here in `new`.
        typed: what is typed for a step that is not there any more.
        form: the form with what is typed on top of the draft as it is now; None where no form was sent, or its step is gone.
    """

    theirs: list[StepLines] = field(default_factory=list)
    settings: list[Line] = field(default_factory=list)
    clashes: list[Line] = field(default_factory=list)
    typed: list[Line] = field(default_factory=list)
    form: StepForm | StartForm | None = None


def both(tenant_id: UUID, workflow_id: UUID, *, revision: int, step: str, form: StepForm | StartForm | None) -> Both:
    """Compare the draft at a revision, as it is now, and as a form wants it."""
    workflow = queries.get_workflow(tenant_id, workflow_id)
    base = drafts.as_it_was(tenant_id, workflow_id, revision)
    if base is None:
        return Both(form=form if step == "start" or _find(workflow.nodes, step) else None)
    found = diff.compare(base, (workflow.nodes, workflow.settings))
    said = Both(words.steps_of(found), _settings(found))
    if isinstance(form, StepForm):
        return _of_step(said, _find(base[0], step), _find(workflow.nodes, step), form)
    if isinstance(form, StartForm):
        return _of_start(said, base[1], workflow.settings, form)
    return said


def is_still_possible(tenant_id: UUID, workflow_id: UUID, keys: Iterable[str], place: Place | None) -> bool:
    """Say whether an edit that was refused can be made on the draft as it is now: its steps and its place are there."""
    nodes = queries.get_workflow(tenant_id, workflow_id).nodes
    try:
        for key in keys:
            edits.find(nodes, key)
    except NotFound:
        return False
    return place is None or place in edits.places(nodes)


def _find(nodes: list[Node], key: str) -> Node | None:
    return next((node for node in nodes if node["key"] == key), None)


def _settings(found: diff.Difference) -> list[Line]:
    lines = words.settings_of(found)
    for each, label in ((found.inputs_added, _("Input added")), (found.inputs_removed, _("Input removed"))):
        lines += [Line(label, None, str(one.get("label") or one.get("label_ar") or one["key"])) for one in each]
    return lines + [line for changed in found.inputs_changed for line in words.lines_of(changed)]


def _of_step(said: Both, base: Node | None, now: Node | None, form: StepForm) -> Both:
    mine = diff.changes_of(base or {}, {**(base or {}), **form.changes})
    kind = str((base or now or {}).get("kind", ""))
    if now is None:
        return replace(said, typed=[words.line_of(change, kind) for change in mine])
    merged = diff.with_changes(now, mine)
    changes = {name: merged[name] for name in form.changes if name in merged}
    return replace(said, clashes=_clashes(mine, diff.changes_of(base or {}, now), kind), form=StepForm(changes, {}, merged))


def _of_start(said: Both, base: Settings, now: Settings, form: StartForm) -> Both:
    mine = diff.changes_of(base, form.settings, opened=())
    merged = diff.with_changes(now, mine)
    names = [name for change in mine for name in STARTS.get(change.path[0], ())]
    typed = {
        name: value for name, value in {**form.typed, "error_workflow": form.settings.get("error_workflow") or ""}.items() if name in names
    }
    return replace(said, clashes=_clashes(mine, diff.changes_of(base, now, opened=()), ""), form=StartForm(merged, {}, typed))


def _clashes(mine: Iterable[Change], theirs: Iterable[Change], kind: str) -> list[Line]:
    other = {change.path: change.new for change in theirs}
    return [
        words.line_of(Change(change.path, other[change.path], change.new), kind)
        for change in mine
        if change.path in other and other[change.path] != change.new
    ]
