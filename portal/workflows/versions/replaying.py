"""A run is played again from one of its steps, with its own version or another one (T16).

The new run takes over what the old one did before that step, as far as the steps are the same in the chosen version: the same key,
kind and settings (for a block: also of everything inside it). From the first step that differs on, everything is done anew. The old
run stays as it is. The new one has idempotency keys of its own, unless the keys of the old one are asked for: then receivers that
know a key drop what they have had before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.audit import service as audit
from portal.core import db
from portal.core.access import Actor
from portal.core.errors import Invalid, NotFound
from portal.workflows import inputs
from portal.workflows import queries as workflows
from portal.workflows.definition import BLOCKS, Node, graph_hash
from portal.workflows.engine import plan
from portal.workflows.engine.plan import ROOT, Graph
from portal.workflows.engine.states import RUN_ENDED
from portal.workflows.engine.store import starting
from portal.workflows.engine.store.reading import published
from portal.workflows.engine.store.starting import Reused
from portal.workflows.errors import WrongState
from portal.workflows.versions import queries


@dataclass(frozen=True, slots=True)
class Plan:
    """What a replay would take over, and at which step it would begin to do things anew (None: behind the last one)."""

    reused: dict[str, Reused]
    begins: str | None


def planned(tenant_id: UUID, run_id: UUID, version_id: UUID, *, at: str | None) -> Plan:
    """Say what a replay of an ended run with a version of its workflow would take over.

    Args:
        at: the step to begin with; None begins at the first one.

    Raises:
        NotFound: no such run, or the version has no such step on its main way.
    """
    with db.transaction() as session:
        run = workflows.get_run(tenant_id, run_id)
        connection = session.connection()
        old, new = (published(connection, tenant_id, each).graph for each in (run.version_id, version_id))
        if at is not None and (at not in new.nodes or new.region[at] != ROOT):
            raise NotFound
        done = plan.view(old, workflows.steps_of(tenant_id, run_id, scope=""))
        return _planned(old, new, done, at)


def _planned(old: Graph, new: Graph, done: Mapping[str, Any], at: str | None) -> Plan:
    if at is None:
        return Plan({}, next(iter(new.members[ROOT]), None))
    reused: dict[str, Reused] = {}
    for key in new.members[ROOT]:  # in reading order, and edges go forward: what is taken over never needs what is not
        row = done.get(key)
        if key == at:
            return Plan(reused, key)
        if row is not None and row.state == "skipped":
            continue  # it follows from the way that was taken
        if row is None or row.port is None or row.port == "jump" or not _is_same(old, new, key):
            return Plan(reused, key)
        reused[key] = Reused(row.state, row.port, row.output, row.error)
    return Plan(reused, None)


def _is_same(old: Graph, new: Graph, key: str) -> bool:
    return key in old.nodes and _digest(old, key) == _digest(new, key)


def _digest(graph: Graph, key: str) -> str:
    """Sum up what a step does: where it stands and what it is called does not matter, what a block holds does."""
    wanted = [graph.nodes[key]]
    if graph.nodes[key]["kind"] in BLOCKS:
        wanted += _inside(graph.nodes.values(), key)
    return graph_hash([{name: value for name, value in node.items() if name not in ("name", "name_ar")} for node in wanted], {})


def _inside(nodes: Iterable[Node], key: str) -> list[Node]:
    held, found = {key}, []
    for node in nodes:
        if node.get("parent") in held:
            held.add(node["key"])
            found.append(node)
    return found


def replay(tenant_id: UUID, run_id: UUID, *, number: int | None, at: str | None, key: str, has_same_keys: bool = False, by: Actor) -> UUID:
    """Start a new run from a step of an ended one; the same key gives the same run.

    Args:
        number: of the version to use; None for the run's own.
        has_same_keys: its effects carry the idempotency keys of the run that is played again.

    Raises:
        NotFound: no such run, version or step.
        WrongState: it has not ended.
        Invalid: its inputs do not fit the version.
    """
    with db.transaction() as session:
        run = workflows.get_run(tenant_id, run_id)
        if run.status not in RUN_ENDED:
            raise WrongState
        version_id = queries.get_row(tenant_id, run.workflow_id, number).id if number is not None else run.version_id
        values = run.input_data
        if version_id != run.version_id:
            values = inputs.read(published(session.connection(), tenant_id, version_id).settings.get("inputs", []), run.input_data)
        found = planned(tenant_id, run_id, version_id, at=at)
        if found.begins is None:
            raise Invalid({"at": "nothing"})
        new_id, is_new = starting.start(
            tenant_id,
            run.workflow_id,
            version_id,
            input_data=values,
            by=by.id,
            dedup_key=f"replay:{run_id}:{key}",
            reused=found.reused,
            replay_of=run_id,
            keys_of=(run.keys_of or run_id) if has_same_keys else None,
        )
        if is_new:
            audit.record(
                tenant_id, by, "run.replayed", new_id, of=run_id, step=at, version=number, reused=len(found.reused), same_keys=has_same_keys
            )
    return new_id
