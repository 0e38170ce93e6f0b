"""T1: accept a run."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from portal import events
from portal.core import bus, db
from portal.core.ids import new_id
from portal.workflows.definition import DEFAULT_DEADLINE_S
from portal.workflows.engine import plan
from portal.workflows.engine.plan import Graph, Stand
from portal.workflows.engine.store.rows import born, wake
from portal.workflows.engine.store.sql import published, write_rows


def start(
    tenant_id: UUID,
    workflow_id: UUID,
    version_id: UUID,
    *,
    input_data: dict[str, Any],
    by: UUID | None,
    dedup_key: str | None = None,
    reused: dict[str, tuple[str, Any]] | None = None,
    replay_of: UUID | None = None,
    wakes: bool = True,
) -> tuple[UUID, bool]:
    """Accept a run in the open transaction: its row, its first event, its entry steps. A hint leaves after the commit.

    Args:
        dedup_key: the same key gives the same run, also at once and after a restart.
        wakes: hint to the workers after the commit; False for who carries the run itself.
        reused: finished steps taken over from another run, node key → (port, output).

    Returns:
        The run's id, and False if the key had been used before.
    """
    connection = db.session().connection()
    version = published(connection, tenant_id, version_id)
    graph = version.graph
    run_id = new_id()
    taken = connection.exec_driver_sql(
        """
        insert into workflow_executions
          (id, tenant_id, workflow_id, version_id, executed_by, status, input_data, dedup_key, replay_of, event_seq, deadline_at)
        values (%(id)s, %(tenant)s, %(workflow)s, %(version)s, %(by)s, 'pending', %(input)s::jsonb, %(dedup)s, %(replay_of)s, 1,
                clock_timestamp() + make_interval(secs => %(deadline_s)s))
        on conflict (tenant_id, workflow_id, dedup_key) do nothing returning id
        """,
        {
            "id": run_id, "tenant": tenant_id, "workflow": workflow_id, "version": version_id, "by": by,
            "input": db.to_json(input_data), "dedup": dedup_key, "replay_of": replay_of,
            "deadline_s": version.settings.get("deadline_s", DEFAULT_DEADLINE_S),
        },
    ).first()  # fmt: skip
    if taken is None:
        return _run_of_key(connection, tenant_id, workflow_id, dedup_key), False
    rows = [born(run_id, graph.nodes[key], "succeeded", port=port, output=output) for key, (port, output) in (reused or {}).items()]
    stands = {key: Stand("succeeded", port) for key, (port, _output) in (reused or {}).items()}
    rows += [born(run_id, graph.nodes[key], "ready") for key in _first_steps(graph, stands)]
    rows += [born(run_id, graph.nodes[key], "skipped") for key, stand in stands.items() if stand.state == "skipped"]
    first = [
        {
            "seq": 1,
            "kind": "run.accepted",
            "node_key": None,
            "data": {"replay_of": str(replay_of)} if replay_of else None,
        }
    ]
    write_rows(connection, tenant_id, run_id, rows, first, [], worker="")
    bus.announce(events.RunStarted(tenant_id, run_id, workflow_id))
    if wakes:
        db.after_commit(wake)
    return run_id, True


def _run_of_key(connection: Connection, tenant_id: UUID, workflow_id: UUID, dedup_key: str | None) -> UUID:
    found: UUID = connection.exec_driver_sql(
        "select id from workflow_executions where tenant_id = %s and workflow_id = %s and dedup_key = %s",
        (tenant_id, workflow_id, dedup_key),
    ).scalar_one()
    return found


def _first_steps(graph: Graph, stands: dict[str, Stand]) -> list[str]:
    """Return the steps to begin with; marks in `stands` what the reused steps already decided will be skipped."""
    begin = [key for key in graph.entries() if key not in stands]
    for key in list(stands):
        following = plan.after(graph, stands, key)
        begin += following.begin
        stands.update({each: Stand("ready", None) for each in following.begin})
        stands.update({each: Stand("skipped", None) for each in following.skip})
    return list(dict.fromkeys(begin))
