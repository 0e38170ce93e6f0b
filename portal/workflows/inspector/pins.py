"""Pinned samples: JSON that stands for the result of a step, or for the inputs, while the draft is worked on.

They are kept with the draft and are no part of it: no revision, no version and no run knows them. What was taken from a run goes with
that run (`history.sweeping`), also after somebody has changed it, unless a person says that it may stay.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn
from uuid import UUID

from sqlalchemy import update

from portal.audit import service as audit
from portal.connections.service import MASK
from portal.core import clock, db
from portal.core.access import Actor
from portal.core.errors import Invalid, NotFound
from portal.i18n.words import gettext as _
from portal.workflows import literals, queries, redaction
from portal.workflows.history import retention
from portal.workflows.models import WorkflowTemplate

INPUTS = "start"  # the key of the inputs' own sample, as of their card
MAX_BYTES = 64 * 1024
MAX_ALL_BYTES = 512 * 1024
MAX_DEPTH = 40


def read(text: str) -> Any:
    """Read a sample that somebody typed.

    Raises:
        Invalid: under "sample": it is no JSON (the sentence names line and column), is too large or too deep.
    """
    if len(text.encode()) > MAX_BYTES:
        raise Invalid({"sample": _("A sample has at most %(num)d KB.", num=MAX_BYTES // 1024)})
    try:
        value = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as wrong:
        message = _("This is no JSON: look at line %(line)d, column %(column)d.", line=wrong.lineno, column=wrong.colno)
        raise Invalid({"sample": message}) from None
    except (ValueError, RecursionError):
        raise Invalid({"sample": _("A number in it is not a finite number, or it holds too many values inside each other.")}) from None
    _check(value)
    return value


def pin(tenant_id: UUID, workflow_id: UUID, key: str, value: Any, *, by: Actor, run_id: UUID | None = None, outlives: bool = False) -> None:
    """Keep a sample of a step of the draft, or (`INPUTS`) of the inputs.

    Args:
        run_id: the run that it was taken from, changed or not; None: somebody has made it up.
        outlives: it stays when that run is deleted; a person's choice, written into the audit book.

    Raises:
        NotFound: no such workflow.
        Invalid: under "sample": the samples of this workflow are too large together, or the run is gone.
    """
    with db.transaction():
        workflow = queries.get_workflow(tenant_id, workflow_id, lock=True)
        origin: dict[str, str] = {"source": "typed"}
        if run_id is not None:
            # Under the lock: a sweep that deletes the run comes to this workflow before or after, and finds the sample then.
            _must_be_there(tenant_id, workflow_id, run_id)
            if outlives:
                audit.record(tenant_id, by, "sample.kept", workflow_id, step=key, run=str(run_id))
            else:
                origin = {"source": "run", "run": str(run_id)}
        if key == INPUTS and isinstance(value, dict):
            value = without_secrets(workflow.settings, value)
        kept = {**_living(workflow), key: {"value": value, **origin, "at": clock.now().isoformat(), "by": str(by.id)}}
        if len(db.to_json(kept).encode()) > MAX_ALL_BYTES:
            raise Invalid({"sample": _("The samples of a workflow have at most %(num)d KB together.", num=MAX_ALL_BYTES // 1024)})
        _keep(workflow, kept)


def unpin(tenant_id: UUID, workflow_id: UUID, key: str) -> None:
    """Remove a sample. Safe to repeat.

    Raises:
        NotFound: no such workflow.
    """
    with db.transaction():
        workflow = queries.get_workflow(tenant_id, workflow_id, lock=True)
        _keep(workflow, {name: each for name, each in _living(workflow).items() if name != key})


def run_of(workflow: WorkflowTemplate, key: str) -> UUID | None:
    """Return the run that the sample of a step was taken from; None when there is no sample or somebody has made it up."""
    origin = ((workflow.pins or {}).get(key) or {}).get("run")
    return UUID(origin) if origin else None


def without_secrets(settings: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs with dots in the place of what is sensitive, and of what looks like a secret."""
    hidden = {each["key"] for each in settings.get("inputs", []) if each.get("sensitive")}
    open_ones = literals.masked(redaction.shown(dict(values)))
    return {key: MASK if key in hidden and value not in (None, "") else value for key, value in open_ones.items()}


def _must_be_there(tenant_id: UUID, workflow_id: UUID, run_id: UUID) -> None:
    try:
        is_there = queries.get_run(tenant_id, run_id).workflow_id == workflow_id and not retention.is_going(tenant_id, run_id)
    except NotFound:
        is_there = False
    if not is_there:
        raise Invalid({"sample": _("The run that it comes from was deleted, and what was in it with it. Write a sample of your own.")})


def _living(workflow: WorkflowTemplate) -> dict[str, Any]:
    """Return the samples of steps that are still there."""
    keys = {INPUTS, *(node["key"] for node in workflow.nodes)}
    return {key: each for key, each in (workflow.pins or {}).items() if key in keys}


def _keep(workflow: WorkflowTemplate, pins: dict[str, Any]) -> None:
    # The draft was not changed by this: its time stays.
    wanted = update(WorkflowTemplate).where(WorkflowTemplate.tenant_id == workflow.tenant_id, WorkflowTemplate.id == workflow.id)
    db.session().execute(wanted.values(pins=pins, updated_at=WorkflowTemplate.updated_at))
    db.session().expire(workflow, ["pins"])


def _no_number(_name: str) -> NoReturn:
    raise ValueError


def _check(value: Any, depth: int = 0) -> None:
    """Refuse what a JSON column cannot hold."""
    if depth > MAX_DEPTH:
        raise Invalid({"sample": _("It holds too many values inside each other.")})
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
            raise Invalid({"sample": _("A text in it has a sign that cannot be kept.")})
    elif isinstance(value, dict):
        for name, each in value.items():
            _check(name, depth)
            _check(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check(each, depth + 1)
