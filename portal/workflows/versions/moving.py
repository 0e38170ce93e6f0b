"""Runs that have begun go on with the live version: what would become of each, and doing it to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from portal import events
from portal.audit import service as audit
from portal.core import bus, db
from portal.core.access import Actor
from portal.core.errors import Conflict
from portal.i18n.words import lazy_gettext as _l
from portal.workflows import queries as workflows
from portal.workflows.engine.states import RUN_ENDED, RunStatus
from portal.workflows.engine.store import moving as store
from portal.workflows.engine.store.moving import Fit

MOST = 200
REASONS: dict[str, Any] = {
    "ended": _l("It has ended."),
    "ending": _l("It is ending."),
    "same": _l("It follows the live version already."),
    "not_live": _l("The workflow has no live version, or is switched off."),
    "in_hand": _l("A step is being carried out at this moment. Try again when it waits."),
    "in_doubt": _l("A step waits for somebody to say whether it happened."),
    "step_gone": _l("A step that it has come to is not in the live version."),
    "other_kind": _l("A step that it has come to is of another kind in the live version."),
    "other_place": _l("A step that it has come to stands in another lane in the live version."),
    "lane_gone": _l("A lane that it went into is not in the live version."),
    "other_lanes": _l("A step that it has come to has other lanes in the live version."),
    "other_order": _l("Steps that it has passed stand behind the one that it is at in the live version."),
    "jumped_back": _l("It has gone back to an earlier step, and the steps stand in another order in the live version."),
    "others": _l("Somebody else started it, and your role handles only your own runs."),
}


class CannotMove(Conflict):
    """The run cannot go on with the live version; `.code_of` is a key of REASONS, `.step` the step that it is about."""

    code = "cannot_move"

    def __init__(self, code_of: str, step: str | None) -> None:
        super().__init__(REASONS[code_of])
        self.code_of, self.step = code_of, step


@dataclass(frozen=True, slots=True)
class Line:
    """One run of a preview."""

    run: Row[Any]
    fit: Fit


def preview(tenant_id: UUID, workflow_id: UUID) -> list[Line]:
    """Say of each run that follows another version than the live one whether it could go on with that one; at most 200 and one more."""
    live = workflows.live_version(tenant_id, workflow_id)
    if live is None:
        return []
    found = []
    for row in _runs(tenant_id, workflow_id, live.id)[: MOST + 1]:
        with db.transaction() as session:  # one at a time: a look holds the run
            found.append(Line(row, store.look(session.connection(), tenant_id, row.id, live.id)))
    return found


def move_run(tenant_id: UUID, run_id: UUID, *, by: Actor) -> int:
    """Let a run go on with the live version of its workflow; return the number of that version.

    Raises:
        NotFound: no such run in this tenant.
        CannotMove: it does not fit, or has ended; nothing was changed.
    """
    with db.transaction():
        run = workflows.get_run(tenant_id, run_id)
        live = workflows.live_version(tenant_id, run.workflow_id)
        if live is None:
            raise CannotMove("not_live", None)
        fit = store.move(tenant_id, run_id, live.id, number=live.number, actor=str(by))
        if fit.obstacle is not None:
            raise CannotMove(fit.obstacle.code, fit.obstacle.step)
        audit.record(tenant_id, by, "run.moved", run_id, version=live.number, passed_over=list(fit.passed_over))
        bus.announce(events.RunMoved(tenant_id, run_id, run.workflow_id, live.number))
    return int(live.number)


def move_one(tenant_id: UUID, row_id: UUID, *, by: Actor, own_only: bool) -> str | None:
    """Move a run as one of many."""
    if own_only and workflows.get_run(tenant_id, row_id).executed_by != by.id:
        return "others"
    try:
        move_run(tenant_id, row_id, by=by)
    except CannotMove as refused:
        return refused.code_of
    return None


def moves_of(tenant_id: UUID, run_id: UUID) -> Sequence[Row[Any]]:
    """Return when a run went on with another version: (at, actor, version)."""
    return (
        db.session()
        .execute(
            text(
                "select at, actor, (data ->> 'version')::int as version from workflow_events"
                " where tenant_id = :tenant and execution_id = :run and kind = 'run.moved' order by seq"
            ),
            {"tenant": tenant_id, "run": run_id},
        )
        .all()
    )


def _runs(tenant_id: UUID, workflow_id: UUID, live_id: UUID) -> Sequence[Row[Any]]:
    return (
        db.session()
        .execute(
            text(
                """
                select e.id, e.status, e.created_at, e.executed_by, v.number from workflow_executions e
                join workflow_versions v on v.tenant_id = e.tenant_id and v.id = e.version_id
                where e.tenant_id = :tenant and e.status = any(:live) and e.workflow_id = :workflow and e.version_id <> :version
                order by e.created_at desc limit :most
                """
            ),
            {
                "tenant": tenant_id, "workflow": workflow_id, "version": live_id, "most": MOST + 1,
                "live": [each for each in RunStatus if each not in RUN_ENDED],
            },
        )
        .all()
    )  # fmt: skip
