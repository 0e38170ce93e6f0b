"""What a worker reads of a run: its row, its version, the frames that live, and the steps that count in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from portal.workflows import payloads, redaction
from portal.workflows.actions.registry import ACTIONS
from portal.workflows.definition import BLOCKS, ERROR, UNDO, branches
from portal.workflows.engine.plan import INNER, ROOT, Graph, Stand, path_of, paths_around, view
from portal.workflows.engine.states import RUN_ENDED
from portal.workflows.engine.store.rows import LIVE, Block, Frame, Run
from portal.workflows.redaction import Secrets

COLUMNS = "id, node_key, scope_path, gen, state, port, output, error, ended_seq"
FRAMES = (
    "select step_id, number, scope_path, parent_path, lane, state, value, error from workflow_frames"
    " where tenant_id = %s and execution_id = %s"
)
OF_RUN = f"select {COLUMNS} from workflow_steps where tenant_id = %s and execution_id = %s"


@dataclass(frozen=True, slots=True)
class Published:
    """What never changes of a published version."""

    graph: Graph
    settings: dict[str, Any]
    is_pure: bool  # no step of it writes or calls anything
    is_own: bool  # its steps are pure, or work on the tenant's own tables

    answers: tuple[str, ...]  # the steps that answer the caller; none where one could do so beside another

    @property
    def lane(self) -> str | None:
        """The lane of all steps, or None where each has the one of its kind."""
        return "bulk" if self.settings.get("lane") == "bulk" else None


_published: dict[UUID, Published] = {}


def published(connection: Connection, tenant_id: UUID, version_id: UUID) -> Published:
    """Return a version's graph and settings; versions never change, so the process keeps the last few hundred."""
    found = _published.get(version_id)
    if found is None:
        row = connection.exec_driver_sql(
            "select nodes, edges, settings from workflow_versions where tenant_id = %s and id = %s",
            (tenant_id, version_id),
        ).one()
        if len(_published) > 500:
            _published.clear()
        writing = {node["kind"] for node in row.nodes if ACTIONS[node["kind"]].effect(node.get("config") or {}) != "pure"}
        graph = Graph.of(row.nodes, row.edges)
        answers = tuple(key for key, node in graph.nodes.items() if node["kind"] == "respond")
        found = _published[version_id] = Published(
            graph,
            row.settings,
            is_pure=not writing,
            is_own=writing <= {"database"},
            answers=answers if all(graph.region[key] == ROOT for key in answers) else (),
        )
    return found


def forget(version_id: UUID) -> None:
    """Keep a version no longer: it was only tried, and is not there."""
    _published.pop(version_id, None)


def read_steps(connection: Connection, run: Run) -> None:
    """Read the run's frames and their steps anew."""
    run.frames, run.ended = {"": Frame()}, {}
    if not run.graph.has_frames:
        _fill(run.graph, run.root, list(connection.exec_driver_sql(OF_RUN, (run.tenant_id, run.id))))
        _read_large(connection, run, [run.root])
        return
    _read_frames(connection, run)
    _read_all(connection, run)


def read_around(connection: Connection, run: Run) -> None:
    """Read the frames around those that the run holds, with the steps of all of them."""
    frames = {path: frame for path, frame in run.frames.items() if path}
    _read_ended(connection, run)
    run.frames = {"": Frame(), **frames}
    _read_all(connection, run)


def _read_all(connection: Connection, run: Run) -> None:
    frames = [*run.ended.values(), *run.frames.values()]
    rows = _rows_of(connection, run, frames)
    for frame in frames:
        _fill(run.graph, frame, rows[frame.path])
    _read_inside(connection, run, frames)
    _read_large(connection, run, frames)
    _read_progress(connection, run)


def _read_large(connection: Connection, run: Run, frames: Iterable[Frame]) -> None:
    """Bring in the values that are kept apart, then open the sealed ones."""
    frames = list(frames)
    _read_apart(connection, run, frames)
    _open_sealed(run, frames)


def _read_apart(connection: Connection, run: Run, frames: Iterable[Frame]) -> None:
    places = [(frame, key) for frame in frames for key, value in frame.outputs.items() if payloads.looks_kept(value)]
    frames = [frame for frame in frames if payloads.looks_kept(frame.last) or payloads.looks_kept(frame.value)]
    if not places and not frames:
        return
    values = payloads.read(connection, run.tenant_id, [frame.outputs[key] for frame, key in places])
    for (frame, key), value in zip(places, values, strict=True):
        frame.outputs[key] = value
    for frame in frames:
        frame.last, frame.value = payloads.read(connection, run.tenant_id, (frame.last, frame.value))


def _open_sealed(run: Run, frames: Iterable[Frame]) -> None:
    """Open what is sealed. Only a run that holds secrets, or can have got some on its way, has anything to look for."""
    if not run.secrets and not any(node.get("sensitive") or node["kind"] == "subworkflow" for node in run.graph.nodes.values()):
        return
    for frame in frames:
        for key, value in frame.outputs.items():
            frame.outputs[key] = redaction.opened(run.tenant_id, value, run.secrets)
        frame.last, frame.value = (redaction.opened(run.tenant_id, value, run.secrets) for value in (frame.last, frame.value))


def _fill(graph: Graph, frame: Frame, rows: list[Any]) -> None:
    """Put the steps that count into a frame."""
    frame.gen = max((row.gen for row in rows), default=0)
    live = view(graph, rows) if frame.gen else {row.node_key: row for row in rows}
    newest = -1
    for key, row in live.items():
        frame.stands[key] = Stand(row.state, row.port)
        if row.gen:
            frame.gens[key] = row.gen
        if row.state in LIVE:
            frame.ids[key] = row.id
            if row.state == "waiting" and graph.nodes[key]["kind"] in BLOCKS:
                frame.blocks[key] = Block(row.id, key, row.gen, graph.nodes[key]["kind"], row.output)
        elif row.state == "succeeded" or row.port == "out":
            frame.outputs[key] = row.output
            if (row.ended_seq or 0) > newest:
                newest, frame.last = row.ended_seq or 0, row.output
    caught = [row for row in live.values() if row.state == "failed" and row.port == ERROR]
    if caught:
        last = max(caught, key=lambda row: row.ended_seq or 0)
        frame.error = {**last.error, "step": last.node_key}
    for row in rows:
        if row.port == "jump":
            frame.jumps[row.node_key] = frame.jumps.get(row.node_key, 0) + 1


def _rows_of(connection: Connection, run: Run, frames: Iterable[Frame]) -> dict[str, list[Any]]:
    """Return the steps of frames by path; by the unique key, so that a run with many items is not read whole."""
    keys = sorted({key for frame in frames for key in run.graph.members.get(frame.region, ())})
    found: dict[str, list[Any]] = defaultdict(list)
    rows = connection.exec_driver_sql(
        f"{OF_RUN} and node_key = any(%s) and scope_path = any(%s)", (run.tenant_id, run.id, keys, [frame.path for frame in frames])
    )
    for row in rows:
        found[row.scope_path].append(row)
    return found


def _read_frames(connection: Connection, run: Run) -> None:
    rows = connection.exec_driver_sql(f"{FRAMES} and state in ('running', 'closing') order by scope_path", (run.tenant_id, run.id))
    run.frames |= {row.scope_path: _frame(run, row) for row in rows}
    _read_ended(connection, run)


def _read_ended(connection: Connection, run: Run) -> None:
    """Read frames that have ended around one that lives: what they computed can still be used."""
    around = sorted({path for frame in run.frames for path in paths_around(frame)} - set(run.frames))
    if around:
        rows = connection.exec_driver_sql(f"{FRAMES} and scope_path = any(%s)", (run.tenant_id, run.id, around))
        run.ended = {row.scope_path: _frame(run, row) for row in rows}


def _frame(run: Run, row: Any) -> Frame:
    key = row.scope_path.rpartition("/")[2].rpartition(":")[0].partition("~")[0]
    kind = UNDO if row.lane == UNDO else run.graph.nodes[key]["kind"]
    frame = Frame(row.scope_path, (key, row.lane), row.parent_path, row.step_id, row.number, kind, value=row.value)
    frame.is_closing, frame.error = row.state == "closing", row.error if row.state == "running" else None
    return frame


def _read_inside(connection: Connection, run: Run, frames: Iterable[Frame]) -> None:
    """Bring what ended lanes of parallel blocks and groups computed into the frames around them, wave by wave inwards."""
    wave = [(frame, inner) for frame in frames for inner in _inner(run, frame)]
    chains: list[tuple[Frame, Frame]] = []
    while wave:
        rows = _rows_of(connection, run, [inner for _outer, inner in wave])
        chains += wave
        for _outer, inner in wave:
            _fill(run.graph, inner, rows[inner.path])
        wave = [(inner, deeper) for _outer, inner in wave for deeper in _inner(run, inner)]
    for outer, inner in reversed(chains):
        outer.outputs = {**inner.outputs, **outer.outputs}


def _inner(run: Run, frame: Frame) -> list[Frame]:
    """Return the lanes inside a frame that run once and have ended, also those of a block that still waits for others."""
    nodes = run.graph.nodes
    return [
        Frame(path, (key, lane))
        for key, stand in frame.stands.items()
        if stand.state in ("succeeded", "failed", "waiting") and nodes[key]["kind"] in INNER
        for number, lane in enumerate(branches(nodes[key]))
        if (path := path_of(frame.path, key, frame.gen_of(key), number)) not in run.frames
    ]


def _read_progress(connection: Connection, run: Run) -> None:
    """Say of each waiting block how far it is, without counting what can be many."""
    blocks = {block.id: block for frame in run.frames.values() for block in frame.blocks.values()}
    if not blocks:
        return
    rows = connection.exec_driver_sql(
        """
        select b.id, coalesce((select max(number) + 1 from workflow_frames f where f.tenant_id = %(tenant)s and f.step_id = b.id), 0) as started,
               (select count(*) from (select 1 from workflow_frames f where f.tenant_id = %(tenant)s and f.step_id = b.id
                                        and f.state = 'failed' limit 50) bad) as failed,
               case when b.few then (select count(*) from workflow_frames f where f.tenant_id = %(tenant)s and f.step_id = b.id
                                       and f.state = 'succeeded') else 0 end as succeeded
        from unnest(%(ids)s::uuid[], %(few)s::bool[]) as b(id, few)
        """,
        {
            "tenant": run.tenant_id,
            "ids": list(blocks),
            "few": [block.kind == "parallel" or "need" in block.facts for block in blocks.values()],
        },
    )
    for row in rows:
        block = blocks[row.id]
        block.started, block.failed, block.succeeded = row.started, row.failed, row.succeeded


def run_of(connection: Connection, tenant_id: UUID, run_id: UUID, row: Any) -> Run:
    """Build what a worker knows of a run from its row, with the steps read anew."""
    version = published(connection, tenant_id, row.version_id)
    known_secrets = Secrets()
    given = redaction.opened(tenant_id, payloads.read(connection, tenant_id, [row.input_data])[0], known_secrets)
    known = row.workflow_id, row.name, row.name_ar, version.graph, given, row.executed_by, row.started_at, row.event_seq
    run = Run(tenant_id, run_id, *known, status=row.status, depth=row.depth, root_id=row.root_id, secrets=known_secrets)
    run.lane, run.priority, run.gate_key, run.is_gated, run.keys_of = version.lane, row.priority, row.gate_key, row.is_gated, row.keys_of
    read_steps(connection, run)
    return run


def locked_run(connection: Connection, tenant_id: UUID, run_id: UUID) -> tuple[Run | None, Any]:
    """Lock a run's row and read all of it; (None, row) when it has ended."""
    row = connection.exec_driver_sql(
        """
        select e.status, e.status = 'cancelling' as cancelled, e.event_seq, e.error, e.ends_as, e.undo, e.version_id, e.workflow_id, t.name,
               t.name_ar, e.input_data, e.executed_by, coalesce(e.started_at, e.created_at) as started_at, e.depth, e.root_id,
               e.priority, e.gate_key, e.is_gated, e.keys_of
        from workflow_executions e join workflow_templates t on t.tenant_id = e.tenant_id and t.id = e.workflow_id
        where e.tenant_id = %s and e.id = %s for update of e
        """,
        (tenant_id, run_id),
    ).first()
    if row is None or row.status in RUN_ENDED:
        return None, row
    return run_of(connection, tenant_id, run_id, row), row
