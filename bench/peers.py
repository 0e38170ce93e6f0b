"""What the benchmarks share: the same servers for both sides, a house with one workflow, DBOS as the peer."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

STEPS = 5


@contextmanager
def house() -> Iterator[tuple[Any, Any]]:
    """Give (servers, app) on fresh embedded servers with full durability, migrated."""
    from portal.devkit.servers import ephemeral

    with ephemeral() as servers:
        os.environ.update(servers.environment(), ENVIRONMENT="test", SECRET_KEY=os.urandom(32).hex(), LOG_LEVEL="ERROR")
        from portal.app import create_app
        from portal.core import schema

        app = create_app()
        schema.migrate(app)
        with app.app_context():
            yield servers, app


def five_inserts(slug: str = "inserts") -> tuple[Any, Any]:
    """Publish a workflow of five steps that each insert a row, of a new tenant; return (tenant id, workflow id)."""
    from portal.core import db
    from portal.datatables import service as tables
    from portal.tenants import service as tenants

    column = {"key": "n", "type": "number", "label": "N", "label_ar": None, "required": False}
    configs = [{"table": "rows", "operation": "insert", "values": [{"name": "n", "value": str(number)}]} for number in range(STEPS)]
    tenant_id = tenants.add_tenant(slug, name=slug.title(), name_ar=None)
    with db.transaction(tenant_id):
        tables.ensure_table(tenant_id, "rows", name="Rows", name_ar=None, columns=[column])
    return tenant_id, _published(tenant_id, "database", configs)


def five_sums() -> tuple[Any, Any]:
    """Publish a workflow of five steps that each add one to what the step before said; return (tenant id, workflow id)."""
    from portal.tenants import service as tenants

    values = ["${ 0 }", *(f"${{ steps.step_{number}.n + 1 }}" for number in range(STEPS - 1))]
    tenant_id = tenants.add_tenant("sums", name="Bench", name_ar=None)
    return tenant_id, _published(tenant_id, "set", [{"values": [{"name": "n", "value": value}]} for value in values])


def _published(tenant_id: Any, kind: str, configs: list[dict[str, Any]]) -> Any:
    from portal.core import db
    from portal.core.access import SYSTEM
    from portal.workflows import service
    from portal.workflows.models import WorkflowTemplate

    nodes = [
        {
            "key": f"step_{number}", "kind": kind, "name": f"Step {number}", "name_ar": None, "parent": None, "lane": None,
            "config": config, "retry": {"attempts": 3}, "timeout_s": 300,
        }
        for number, config in enumerate(configs)
    ]  # fmt: skip
    with db.transaction(tenant_id) as session:
        workflow = WorkflowTemplate(tenant_id=tenant_id, name="Five steps", nodes=nodes, settings={"inputs": [], "deadline_s": 86400})
        session.add(workflow)
        session.flush()
        service.publish_version(tenant_id, workflow.id, by=SYSTEM)
    return workflow.id


def start(tenant_id: Any, workflow_id: Any, *, carries: bool = False) -> Any:
    """Start one run; go on with it here as far as pure and db steps lead, if this process `carries` it."""
    from portal.core import db
    from portal.core.access import SYSTEM
    from portal.workflows import service
    from portal.workflows.engine import runner

    def move(hand: Any = None) -> Any:
        with db.transaction(tenant_id):
            return service.start_run(tenant_id, workflow_id, given={}, by=SYSTEM, hand=hand)[0]

    return runner.start_here(move)[0] if carries else move()


# Each process answers a line `NUMBER` with the seconds that so many runs took it, begun and ended in this process.
DBOS_PROGRAM = """
import os, sys, time
import psycopg
from psycopg_pool import ConnectionPool
from dbos import DBOS
url, kind, together = os.environ["PEER_URL"], sys.argv[1], int(sys.argv[2])
pool = ConnectionPool(url, min_size=4, max_size=16, open=True)
with pool.connection() as connection:
    connection.execute("create table if not exists peer_rows (id bigserial primary key, n int)")
DBOS(config={"name": "peer", "system_database_url": url, "log_level": "ERROR", "run_admin_server": False})
@DBOS.step()
def add(n):
    return n + 1
@DBOS.step()
def row(n):
    with pool.connection() as connection:
        return connection.execute("insert into peer_rows (n) values (%s) returning id", (n,)).fetchone()[0]
@DBOS.workflow()
def sums():
    n = -1
    for _ in range(5): n = add(n)
    return n
@DBOS.workflow()
def inserts():
    return [row(n) for n in range(5)]
DBOS.launch()
flow = {"sums": sums, "inserts": inserts}[kind]
def carry(rounds):
    handles = []
    for _ in range(rounds):
        handles.append(DBOS.start_workflow(flow))
        if len(handles) >= together: handles.pop(0).get_result()
    for handle in handles: handle.get_result()
"""
# Of a transaction's db steps, those behind the first one: with 0 each has a commit of its own.
OUR_PROGRAM = """
import sys
sys.path.insert(0, "bench")
from concurrent.futures import ThreadPoolExecutor
from worker import *
from peers import start
from uuid import UUID
db.trust_connections()
create_app().app_context().push()
from portal.workflows.engine.store import following
tenant, flow, together, following.MAX_APPLIED = UUID(sys.argv[1]), UUID(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
pool = ThreadPoolExecutor(together)
def carry(rounds):
    list(pool.map(lambda _: start(tenant, flow, carries=True), range(rounds)))
"""
OUR_PUMP = """
import sys
from worker import *
from portal.workflows.engine.store import following
db.trust_connections()
create_app().app_context().push()
following.MAX_APPLIED = int(sys.argv[1])
def carry(_rounds):
    runner.pump(worker=runner.worker_name(), budget_s=60)
"""
ANSWERING = """
import sys, time
carry(8)
print("ready", flush=True)
for line in sys.stdin:
    began = time.perf_counter()
    carry(int(line))
    print(time.perf_counter() - began, flush=True)
"""


class Side:
    """Processes of one side of a comparison, which stand ready and carry out runs when they are told to."""

    def __init__(self, program: str, *arguments: object, processes: int, **environment: str) -> None:
        command = [sys.executable, "-c", program + ANSWERING, *map(str, arguments)]
        self._each: list[subprocess.Popen[str]] = []
        for _ in range(processes):
            process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            self._each.append(process)
            self._said(process)  # one after the other: the first one makes the peer's tables

    def carry(self, rounds: int) -> float:
        """Have each process carry out so many runs, all at once; return the seconds until the last one is done."""
        began = time.perf_counter()
        for process in self._each:
            assert process.stdin is not None
            process.stdin.write(f"{rounds}\n")
            process.stdin.flush()
        for process in self._each:
            self._said(process)
        return time.perf_counter() - began

    def end(self) -> None:
        for process in self._each:
            process.kill()

    def _said(self, process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit("a process of the comparison ended")
        return line


def dbos(servers: Any, kind: str, *, processes: int, together: int = 16) -> Side:
    """Give the peer in its own processes on the same PostgreSQL, as its owner (it gets no row-level security to pay for).

    Args:
        kind: `sums` (five trivial steps) or `inserts` (five steps that each insert a row in a transaction of their own).
        together: how many runs a process has in hand at once.
    """
    import psycopg

    with psycopg.connect(servers.postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("drop database if exists peer with (force)")
        connection.execute("create database peer")
    return Side(DBOS_PROGRAM, kind, together, processes=processes, PEER_URL=servers.postgres.url("peer"))


def in_turn(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> tuple[float, float, float]:
    """Measure both sides in turn, so that both meet the same moments of the machine; (ours, theirs, ratio), each the median.

    One turn is not measured. After it every table is analysed, as autovacuum does within a minute of the first rows: until then
    PostgreSQL guesses, on either side.
    """
    ours(), theirs()
    _analyse()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    mine, others = [mine for mine, _other in pairs], [other for _mine, other in pairs]
    return statistics.median(mine), statistics.median(others), statistics.median(mine / other for mine, other in pairs)


def _analyse() -> None:
    import psycopg

    owner = psycopg.conninfo.conninfo_to_dict(os.environ["DATABASE_OWNER_URL"])
    with psycopg.connect(**owner) as connection:
        names = [name for (name,) in connection.execute("select datname from pg_database where not datistemplate")]
    for name in names:
        with psycopg.connect(**{**owner, "dbname": name}, autocommit=True) as connection:
            connection.execute("analyze")


def report(name: str, value: float, unit: str, *, goal: str, peer: float | None, ratio: float | None, ok: bool, **more: Any) -> None:
    """Print the line that `make bench` shows; `peer` and `ratio` are None where there is nobody to compare with."""
    compared = {"peer": None if peer is None else round(peer, 2), "ratio": None if ratio is None else round(ratio, 2)}
    line = {"name": name, "value": round(value, 2), "unit": unit, "goal": goal, **compared, "ok": ok}
    print(json.dumps({**line, **more}))
