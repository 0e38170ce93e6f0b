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


def five_inserts(slug: str = "bench") -> tuple[Any, Any]:
    """Publish a workflow of five steps that each insert a row, of a new tenant; return (tenant id, workflow id)."""
    from portal.core import db
    from portal.core.access import SYSTEM
    from portal.datatables import service as tables
    from portal.tenants import service as tenants
    from portal.workflows import service
    from portal.workflows.models import WorkflowTemplate

    tenant_id = tenants.add_tenant(slug, name=slug.title(), name_ar=None)
    column = {"key": "n", "type": "number", "label": "N", "label_ar": None, "required": False}
    nodes = [
        {
            "key": f"row_{number}", "kind": "database", "name": f"Row {number}", "name_ar": None, "parent": None, "lane": None,
            "config": {"table": "rows", "operation": "insert", "values": [{"name": "n", "value": str(number)}]},
            "retry": {"attempts": 3}, "timeout_s": 30,
        }
        for number in range(STEPS)
    ]  # fmt: skip
    with db.transaction(tenant_id) as session:
        tables.ensure_table(tenant_id, "rows", name="Rows", name_ar=None, columns=[column])
        workflow = WorkflowTemplate(tenant_id=tenant_id, name="Five rows", nodes=nodes, settings={"inputs": [], "deadline_s": 86400})
        session.add(workflow)
        session.flush()
        service.publish_version(tenant_id, workflow.id, by=SYSTEM)
    return tenant_id, workflow.id


def start(tenant_id: Any, workflow_id: Any) -> Any:
    """Start one run."""
    from portal.core import db
    from portal.core.access import SYSTEM
    from portal.workflows import service

    with db.transaction(tenant_id):
        return service.start_run(tenant_id, workflow_id, given={}, by=SYSTEM)[0]


DBOS_PROGRAM = """
import json, os, sys, time
import psycopg
from psycopg_pool import ConnectionPool
from dbos import DBOS
url, rounds, mode = os.environ["PEER_URL"], int(sys.argv[1]), sys.argv[2]
pool = ConnectionPool(url, min_size=4, max_size=10, open=True)
with pool.connection() as connection:
    connection.execute("create table if not exists peer_rows (id bigserial primary key, n int)")
DBOS(config={"name": "peer", "system_database_url": url, "log_level": "ERROR", "run_admin_server": False})
@DBOS.step()
def row(n):
    with pool.connection() as connection:
        return connection.execute("insert into peer_rows (n) values (%s) returning id", (n,)).fetchone()[0]
@DBOS.workflow()
def five():
    return [row(n) for n in range(5)]
DBOS.launch()
for _ in range(5): five()
took = []
began = time.perf_counter()
if mode == "one":
    for _ in range(rounds):
        at = time.perf_counter(); DBOS.start_workflow(five).get_result(); took.append((time.perf_counter() - at) * 1000)
else:
    handles = []
    for _ in range(rounds):
        handles.append(DBOS.start_workflow(five))
        if len(handles) >= 16: handles.pop(0).get_result()
    for handle in handles: handle.get_result()
print(json.dumps({"seconds": time.perf_counter() - began, "took_ms": took}), flush=True)
os._exit(0)
"""


def dbos(servers: Any, *, rounds: int, mode: str, processes: int = 1) -> list[dict[str, Any]]:
    """Run the peer in its own processes on the same PostgreSQL, as its owner (it gets no row-level security to pay for)."""
    import psycopg

    with psycopg.connect(servers.postgres.url("postgres"), autocommit=True) as connection:
        connection.execute("drop database if exists peer")
        connection.execute("create database peer")
    environment = {**os.environ, "PEER_URL": servers.postgres.url("peer")}
    command = [sys.executable, "-c", DBOS_PROGRAM, str(rounds), mode]
    started = []
    for _ in range(processes):
        started.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        time.sleep(3 if len(started) < processes else 0)  # the first one makes the peer's tables
    results = []
    for process in started:
        out, err = process.communicate(timeout=300)
        if process.returncode or not out.strip():
            raise RuntimeError(err[-2000:])
        results.append(json.loads(out.strip().splitlines()[-1]))
    return results


def report(name: str, value: float, unit: str, *, goal: str, peer: float | None, ratio: float | None, ok: bool, **more: Any) -> None:
    """Print the line that `make bench` shows; `peer` and `ratio` are None where there is nobody to compare with."""
    compared = {"peer": None if peer is None else round(peer, 2), "ratio": None if ratio is None else round(ratio, 2)}
    line = {"name": name, "value": round(value, 2), "unit": unit, "goal": goal, **compared, "ok": ok}
    print(json.dumps({**line, **more}))


def median(of: Callable[[], float], rounds: int) -> float:
    """Call several times and return the median."""
    return statistics.median(of() for _ in range(rounds))
