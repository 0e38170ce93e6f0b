"""Two runs of a workflow side by side."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from portal.core.access import Access, Permission, access, requires
from portal.core.errors import NotFound
from portal.core.render import render
from portal.identity import service as identity
from portal.workflows import explain, queries
from portal.workflows.designer.flow import run_tree
from portal.workflows.explain import Large
from portal.workflows.models import WorkflowExecution
from portal.workflows.runs import comparing
from portal.workflows.runs import queries as own
from portal.workflows.runs.comparing import Field, Side
from portal.workflows.runs.page import crowds_of
from portal.workflows.runs.timeline import lanes_of, walk
from portal.workflows.views import bp


@bp.get("/runs/<uuid:run_id>/compare")
@requires(Permission.RUN_READ)
def choose_comparison(run_id: UUID) -> Response:
    here = access()
    run = queries.get_run(here.tenant_id, run_id)
    rows = own.siblings(here.tenant_id, run_id, run.workflow_id)
    return render(
        "workflows/runs/choose.html",
        run=run,
        workflow=queries.get_workflow(here.tenant_id, run.workflow_id),
        rows=rows,
        took={row.id: explain.duration_ms(row.started_at or row.created_at, row.completed_at) for row in rows},
        names=identity.names_of({row.executed_by for row in rows if row.executed_by}),
        beside=own.neighbours(here.tenant_id, run),
    )


@bp.get("/runs/<uuid:run_id>/compare/<uuid:other_run_id>")
@requires(Permission.RUN_READ)
def compare_runs(run_id: UUID, other_run_id: UUID) -> Response:
    """Compare a run with another one of the same workflow; the first of the address stands first."""
    here = access()
    old, new = (queries.get_run(here.tenant_id, each) for each in (run_id, other_run_id))
    if old.workflow_id != new.workflow_id:
        raise NotFound
    first = queries.get_version(here.tenant_id, old.version_id)
    versions = [first, first if new.version_id == first.id else queries.get_version(here.tenant_id, new.version_id)]
    names = identity.names_of({each.executed_by for each in (old, new) if each.executed_by})
    trees = [run_tree(version.nodes, {}) for version in reversed(versions)]
    cards = _cards(trees)
    pairs = comparing.pair_up(list(cards), _sides(here, old), _sides(here, new))
    return render(
        "workflows/runs/compare.html",
        workflow=queries.get_workflow(here.tenant_id, new.workflow_id),
        old=explain.run_view(old, versions[0].number, names),
        new=explain.run_view(new, versions[1].number, names),
        same_version=versions[0].id == versions[1].id,
        inputs=_differing(here, old.input_data, new.input_data, "input"),
        results=_differing(here, old.output_data, new.output_data, "output"),
        cards=cards,
        lanes={key: lane for tree in reversed(trees) for key, lane in lanes_of(tree).items()},
        pairs=pairs,
        different=[pair for pair in pairs if not pair.is_same],
    )


def _differing(here: Access, old: Any, new: Any, path: str) -> list[Field]:
    one, other = (_plain(explain.shown_value(here.tenant_id, each)) for each in (old, new))
    return list(comparing.fields(one, other, path))[: comparing.MOST]


def _cards(trees: list[list[Any]]) -> dict[str, Any]:
    """Return the steps of both versions by key: those of the first tree in its order, then what only the other one has."""
    found: dict[str, Any] = {}
    for tree in trees:
        for card, _depth in walk(tree):
            found.setdefault(card.key, card)
    return found


def _sides(here: Access, run: WorkflowExecution) -> dict[str, Side]:
    counts = {key: sum(states.values()) for key, states in crowds_of(own.outline(here.tenant_id, run.id)).items()}
    found = {}
    for step in queries.shown_steps(here.tenant_id, run.id):
        view = explain.step_view(step, None)
        found[step.node_key] = Side(
            view.state, view.port if view.state in ("succeeded", "failed") else None, view.duration_ms, counts.get(step.node_key, 1),
            view.attempt, _plain(view.input), _plain(view.output), (step.error or {}).get("code"),
        )  # fmt: skip
    return found


def _plain(value: Any) -> Any:
    """Return a value to compare; of a large one its hash says whether it is the same."""
    return f"{value.beginning[:80]}… ({value.sha[:12]})" if isinstance(value, Large) else value
