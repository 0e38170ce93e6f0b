"""A run as one JSON file: the version that it followed, its steps with their attempts and values, who answered, its events.

What is sealed is dots, as on the page; large values stand there whole. The file is written piece by piece, each read in a transaction of
its own, so that a run of any length fits. It is no proof: the history is (`history.events.export`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import text

from portal.connections.service import MASK
from portal.core import db
from portal.workflows import queries, service
from portal.workflows.definition import Node
from portal.workflows.history import chain, events
from portal.workflows.runs import queries as own
from portal.workflows.runs import usage

FORMAT = "nasij-run/1"
PAGE = 500
STEPS = """
select id, node_key, scope_path, gen, kind, state, port, attempt, crash_count, effect_class, effect_at, idem_key, input, output, error, warning, used,
       created_at, available_at, started_at, finished_at
from workflow_steps where tenant_id = :tenant and execution_id = :run and id > :after order by id limit :limit
"""
ATTEMPTS = """
select step_id, number, worker, started_at, ended_at, outcome, error_code from workflow_attempts
where tenant_id = :tenant and step_id = any(:steps) order by step_id, epoch
"""
VOTES = """
select t.node_key, t.kind, t.title, t.state, t.outcome, v.person_id, v.outcome as vote, v.note, v.created_at
from workflow_tasks t left join workflow_votes v on v.tenant_id = t.tenant_id and v.task_id = t.id
where t.tenant_id = :tenant and t.execution_id = :run order by t.created_at, v.created_at
"""
FILES = """
select id, node_key, name, media_type, size, sha256, created_at, expires_at from workflow_files
where tenant_id = :tenant and execution_id = :run order by created_at, id
"""
CALLED = """
select e.id, e.status, s.node_key from workflow_executions e join workflow_steps s on s.tenant_id = e.tenant_id and s.id = e.parent_step_id
where e.tenant_id = :tenant and s.execution_id = :run order by e.created_at
"""
FIRST = UUID(int=0)


def write(tenant_id: UUID, run_id: UUID, *, with_answers: bool) -> Iterator[str]:
    """Yield the file of a run.

    Args:
        with_answers: whether the reader may see what people decided and wrote.

    Raises:
        NotFound: no such run in this tenant; before the first piece.
    """
    with db.transaction(tenant_id):
        head = _head(tenant_id, run_id)
    yield _line(head)[:-1] + ',\n"steps": [\n'
    yield from _listed(_steps(tenant_id, run_id))
    for name, query in (("answers", VOTES), ("files", FILES), ("called", CALLED)):
        yield f'],\n"{name}": [\n'
        if name != "answers" or with_answers:
            yield from _listed(_rows(tenant_id, run_id, query))
    yield '],\n"events": [\n'
    yield from _listed(
        {"seq": each.seq, "at": each.at, "kind": each.kind, "actor": each.actor, "step": each.node_key, "data": _data(each.data)}
        for each in events.events_of(tenant_id, run_id)
    )
    yield "]}\n"


def _head(tenant_id: UUID, run_id: UUID) -> dict[str, Any]:
    run = queries.get_run(tenant_id, run_id)
    version = queries.get_version(tenant_id, run.version_id)
    workflow = queries.get_workflow(tenant_id, run.workflow_id)
    return {
        "format": FORMAT,
        "run": {
            "id": run.id, "status": run.status, "accepted_at": run.created_at, "started_at": run.started_at, "ended_at": run.completed_at,
            "started_by": run.executed_by, "goes_on_from": run.replay_of, "deals_with_failure_of": run.error_of, "priority": run.priority,
            "input": service.whole_value(tenant_id, run.input_data), "output": service.whole_value(tenant_id, run.output_data), "error": run.error,
            "used": asdict(usage.of_run(own.outline(tenant_id, run_id))),
        },
        "workflow": {"id": workflow.id, "name": workflow.name, "name_ar": workflow.name_ar},
        "version": {
            "number": version.number, "hash": version.graph_hash, "published_at": version.created_at,
            "nodes": [_node(each) for each in version.nodes], "edges": version.edges, "settings": version.settings,
        },
    }  # fmt: skip


def _node(node: Node) -> Node:
    """Return a step's definition with dots in the fields that are marked as sensitive."""
    hidden = set(node.get("sensitive") or ())
    config = {name: MASK if name in hidden and value else value for name, value in (node.get("config") or {}).items()}
    return {**node, "config": config}


def _steps(tenant_id: UUID, run_id: UUID) -> Iterator[dict[str, Any]]:
    after = FIRST
    while True:
        with db.transaction(tenant_id) as session:
            rows = session.execute(text(STEPS), {"tenant": tenant_id, "run": run_id, "after": after, "limit": PAGE}).all()
            tries: dict[UUID, list[dict[str, Any]]] = {}
            for attempt in session.execute(text(ATTEMPTS), {"tenant": tenant_id, "steps": [row.id for row in rows]}):
                tries.setdefault(attempt.step_id, []).append({k: v for k, v in attempt._mapping.items() if k != "step_id"})
        for row in rows:
            # One large value after the other: together they could be more than fits.
            with db.transaction(tenant_id):
                values = {name: service.whole_value(tenant_id, getattr(row, name)) for name in ("input", "output")}
            yield {**row._mapping, **values, "attempts": tries.get(row.id, [])}
        if len(rows) < PAGE:
            return
        after = rows[-1].id


def _rows(tenant_id: UUID, run_id: UUID, query: str) -> Iterator[dict[str, Any]]:
    with db.transaction(tenant_id) as session:
        found = session.execute(text(query), {"tenant": tenant_id, "run": run_id}).all()
    yield from (dict(row._mapping) for row in found)


def _data(data: Any) -> Any:
    """The history keeps numbers as they were written; here they are numbers again."""
    return None if data is None else json.loads(chain.canonical(data))


def _listed(rows: Iterable[Any]) -> Iterator[str]:
    before = ""
    for row in rows:
        yield before + _line(row)
        before = ",\n"
    yield "\n"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
