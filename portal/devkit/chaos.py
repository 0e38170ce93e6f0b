"""The proof: kill, stop, flush and restart while runs go on; the oracle is a receiver outside the engine.

Half of the runs are of a chain of ten steps that call a recording HTTP receiver and three that add a row to a table; the others
are of random programs with lanes side by side, loops and caught failures (`chaos_programs`). Workers are killed with
SIGKILL at random, stopped past their lease and continued, Redis is flushed, the dispatcher is killed, PostgreSQL is
restarted and crashed, and a process that starts runs dies between its commit and its hint. At the end every acknowledged
run must have ended well, each call must have come to the receiver under one key, each row must be there once, and nothing
may be stuck.

    python -m portal.devkit.chaos --minutes 5
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import click

from portal.core.config import ROOT
from portal.devkit.chaos_programs import Program
from portal.devkit.children import die_with_parent
from portal.devkit.servers import Servers, ephemeral

STEPS = 10
ROWS = 3
PROGRAMS = 6
RUN_ENDED = ("succeeded", "failed", "cancelled", "timed_out", "compensated")
COLUMNS = [{"key": key, "type": "text", "label": key, "label_ar": None, "required": True} for key in ("run", "step")]
LEASE_S = 3.0
WORKERS = 2
QUIET_S = 120.0


@dataclass
class Report:
    """What happened; all but `runs` and `faults` must be 0."""

    runs: int = 0
    faults: int = 0
    lost: int = 0
    doubled: int = 0
    stuck: int = 0

    @property
    def ok(self) -> bool:
        return self.lost == self.doubled == self.stuck == 0

    def __str__(self) -> str:
        return f"runs {self.runs} faults {self.faults} lost {self.lost} doubled {self.doubled} stuck {self.stuck}"


class Receiver:
    """Records which keys each step of each run came under; slow now and then, so that kills hit calls in flight."""

    def __init__(self) -> None:
        self.keys: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.calls = 0
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                recorder.keys[(said["run"], said["step"])].add(self.headers["Idempotency-Key"])
                recorder.calls += 1
                time.sleep(random.choice((0.0, 0.0, 0.01, 0.05)))
                body = b'{"ok": true}'
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *_unused: object) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"


@dataclass
class Crew:
    """The processes under attack; whoever dies is replaced."""

    environment: dict[str, str]
    log: Any
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    dispatcher: subprocess.Popen[bytes] | None = None

    def keep_up(self) -> None:
        """Start what is not running."""
        self.workers = [each for each in self.workers if each.poll() is None]
        while len(self.workers) < WORKERS:
            self.workers.append(self._start("work"))
        if self.dispatcher is None or self.dispatcher.poll() is not None:
            self.dispatcher = self._start("dispatch")

    def dismiss(self) -> None:
        """End all of it."""
        for each in [*self.workers, *([self.dispatcher] if self.dispatcher else [])]:
            for pid in [*_children(each.pid), each.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            each.wait(10)

    def _start(self, what: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "worker.py", what],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdout=self.log,
            stderr=self.log,
            preexec_fn=die_with_parent,
        )


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(each) for each in file.read().split()]
    return []


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _faults(  # noqa: C901 - one short function per fault
    crew: Crew, servers: Servers
) -> list[tuple[str, Callable[[], None]]]:
    def one() -> subprocess.Popen[bytes]:
        return random.choice(crew.workers)

    def worker_and_horse() -> None:
        victim = one()
        for pid in [*_children(victim.pid), victim.pid]:
            _kill(pid)
        victim.wait()

    def horse() -> None:
        for pid in _children(one().pid):
            _kill(pid)

    def orphan() -> None:
        victim = one()
        _kill(victim.pid)
        victim.wait()

    def pause() -> None:
        pids = _children(one().pid)
        for sign, wait_s in ((signal.SIGSTOP, LEASE_S * 1.5), (signal.SIGCONT, 0)):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sign)
            time.sleep(wait_s)

    def dispatcher() -> None:
        if crew.dispatcher is not None:
            _kill(crew.dispatcher.pid)
            crew.dispatcher.wait()

    def flush() -> None:
        servers.redis.client().flushall()

    def restart_database() -> None:
        servers.postgres.restart()

    def crash_database() -> None:
        servers.postgres.restart(how=signal.SIGQUIT)  # no checkpoint: the next start recovers from the log

    named: list[tuple[str, Callable[[], None]]] = [
        ("kill worker and child", worker_and_horse),
        ("kill child", horse),
        ("kill worker, orphan child", orphan),
        ("stop past the lease", pause),
        ("kill dispatcher", dispatcher),
        ("flush redis", flush),
        ("restart postgresql", restart_database),
        ("crash postgresql", crash_database),
    ]
    return named


@contextlib.contextmanager
def _house(log_path: str) -> Iterator[tuple[Servers, Receiver, dict[str, str]]]:
    receiver = Receiver()
    with ephemeral() as servers:
        environment = {
            **servers.environment(),
            "ENVIRONMENT": "test",
            "SECRET_KEY": os.urandom(32).hex(),
            "EGRESS_ALLOW": receiver.address,
            "LEASE_S": str(LEASE_S),
            "LOG_LEVEL": "WARNING",
        }
        os.environ.update(environment)
        yield servers, receiver, environment
    receiver.server.shutdown()


def prove(*, runs: int, seconds: float, log_path: str = os.devnull, say: Callable[[str], None] = lambda _text: None) -> Report:
    """Start `runs` runs and attack for `seconds`; then wait for peace and count."""
    from portal.app import create_app
    from portal.core import config, db, jobs, schema

    for cached in (config.current_settings, db.engine, jobs.connection):
        cached.cache_clear()
    with _house(log_path) as (servers, receiver, environment), open(log_path, "ab") as log:
        app = create_app()
        schema.migrate(app)
        with app.app_context():
            tenant_id, workflows = _workflows(receiver.address)
            crew = Crew(environment, log)
            crew.keep_up()
            report = Report()
            try:
                acknowledged = _attack(report, crew, servers, tenant_id, workflows, runs, seconds, say)
                _wait_for_peace(crew, tenant_id, list(acknowledged))
            finally:
                crew.dismiss()
            _count(report, tenant_id, acknowledged, receiver)
        db.dispose()
    return report


@dataclass(frozen=True)
class Known:
    """A workflow, and what a run of it must leave behind: calls and rows by the name of their step."""

    workflow_id: UUID
    calls: frozenset[str]
    rows: frozenset[str]


def _workflows(address: str) -> tuple[UUID, list[Known]]:
    from portal.core import db
    from portal.core.access import SYSTEM
    from portal.datatables import service as tables
    from portal.tenants import service as tenants
    from portal.workflows import service
    from portal.workflows.models import WorkflowTemplate

    tenant_id = tenants.add_tenant("chaos", name="Chaos", name_ar=None)
    calls = [_call(f"call_{number}", address) for number in range(STEPS)]
    nodes = [*calls[:5], *(_row(f"row_{number}") for number in range(ROWS)), *calls[5:]]
    chain = (nodes, {f"call_{number}" for number in range(STEPS)}, {f"row_{number}" for number in range(ROWS)})
    programs = [Program.of(address, random.randrange(10**6)) for _ in range(PROGRAMS)]
    known = []
    with db.transaction(tenant_id) as session:
        tables.create_table(tenant_id, "rows", name="Rows", name_ar=None, columns=COLUMNS, by=SYSTEM)
        for steps, calls_made, rows in (chain, *((each.nodes, each.calls, each.rows) for each in programs)):
            workflow = WorkflowTemplate(tenant_id=tenant_id, name="Chaos", nodes=steps, settings={"inputs": [], "deadline_s": 86400})
            session.add(workflow)
            session.flush()
            service.publish_version(tenant_id, workflow.id, by=SYSTEM)
            known.append(Known(workflow.id, frozenset(calls_made), frozenset(rows)))
    return tenant_id, known


def _node(key: str, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    place = {"name": key, "name_ar": None, "parent": None, "lane": None}
    return {"key": key, "kind": kind, **place, "config": config, "retry": {"attempts": 10}, "timeout_s": 30}


def _call(key: str, address: str) -> dict[str, Any]:
    body = f'{{"run": "${{ run.id }}", "step": "{key}"}}'
    return _node(key, "webhook", {"method": "POST", "url": f"http://{address}/", "headers": [], "body": body, "if_cut_off": "repeat"})


def _row(key: str) -> dict[str, Any]:
    values = [{"name": "run", "value": "${ run.id }"}, {"name": "step", "value": key}]
    return _node(key, "database", {"table": "rows", "operation": "insert", "values": values})


def _attack(
    report: Report,
    crew: Crew,
    servers: Servers,
    tenant_id: UUID,
    workflows: list[Known],
    runs: int,
    seconds: float,
    say: Callable[[str], None],
) -> dict[UUID, Known]:
    acknowledged: dict[UUID, Known] = {}
    end = time.monotonic() + seconds
    faults = _faults(crew, servers)
    while time.monotonic() < end or report.runs < runs:
        wanted = min(runs, round(runs * (1 - (end - time.monotonic()) / seconds)) + 10)
        while report.runs < wanted:
            dies = report.runs % 25 == 24
            known = workflows[0] if report.runs % 2 else random.choice(workflows)
            start = _start_and_die if dies else _start
            acknowledged[start(tenant_id, known.workflow_id)] = known
            report.runs += 1
            report.faults += dies
        name, fault = random.choice(faults)
        fault()
        report.faults += 1
        say(f"{name}: {report}")
        time.sleep(random.uniform(0.3, 1.5))
        crew.keep_up()
    return acknowledged


def _start(tenant_id: UUID, workflow_id: UUID) -> UUID:
    from portal.core import db
    from portal.core.access import SYSTEM
    from portal.workflows import service

    with db.transaction(tenant_id):
        return service.start_run(tenant_id, workflow_id, given={}, by=SYSTEM)[0]


def _start_and_die(tenant_id: UUID, workflow_id: UUID) -> UUID:
    """Start a run in a process that kills itself after the commit and before the hint."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        from portal.core import db
        from portal.core.access import SYSTEM
        from portal.workflows import service

        db.dispose()
        with db.transaction(tenant_id):
            db.after_commit(lambda: _kill(os.getpid()))
            run_id, _new = service.start_run(tenant_id, workflow_id, given={}, by=SYSTEM)
            os.write(writing, run_id.bytes)
        os._exit(1)
    os.close(writing)
    run_id = UUID(bytes=os.read(reading, 16))
    os.close(reading)
    os.waitpid(child, 0)
    return run_id


def _wait_for_peace(crew: Crew, tenant_id: UUID, acknowledged: list[UUID]) -> None:
    end = time.monotonic() + QUIET_S
    while time.monotonic() < end:
        crew.keep_up()
        if all(status in RUN_ENDED for status in _statuses(tenant_id, acknowledged).values()):
            return
        time.sleep(0.5)


def _statuses(tenant_id: UUID, acknowledged: list[UUID]) -> dict[UUID, str]:
    from sqlalchemy import select

    from portal.core import db
    from portal.workflows.models import WorkflowExecution

    with db.transaction(tenant_id) as session:
        rows = session.execute(select(WorkflowExecution.id, WorkflowExecution.status).where(WorkflowExecution.id.in_(acknowledged)))
        return {row.id: row.status for row in rows}


def _rows(tenant_id: UUID) -> Counter[tuple[str, str]]:
    from sqlalchemy import text

    from portal.core import db

    with db.transaction(tenant_id) as session:
        found = session.execute(text("select values->>'run' as run, values->>'step' as step from data_rows"))
        return Counter((row.run, row.step) for row in found)


def _count(report: Report, tenant_id: UUID, acknowledged: dict[UUID, Known], receiver: Receiver) -> None:
    from portal.workflows.engine.store import look

    statuses, rows = _statuses(tenant_id, list(acknowledged)), _rows(tenant_id)
    for run_id, known in acknowledged.items():
        keys = [receiver.keys.get((str(run_id), name), set()) for name in known.calls]
        found = [rows[str(run_id), name] for name in known.rows]
        report.lost += statuses.get(run_id) != "succeeded" or any(not each for each in keys) or 0 in found
        report.doubled += sum(len(each) > 1 for each in keys) + sum(count > 1 for count in found)
    unfinished = [status for status in statuses.values() if status not in RUN_ENDED]
    report.stuck = max(len(look.stuck()), len(unfinished))


@click.command()
@click.option("--minutes", type=float, default=2.0, help="How long to attack.")
@click.option("--runs", type=int, default=300, help="How many runs to start, at least.")
@click.option("--log", "log_path", type=click.Path(), default=os.devnull, help="Where the processes' logs go.")
def main(minutes: float, runs: int, log_path: str) -> None:
    report = prove(runs=runs, seconds=minutes * 60, log_path=log_path, say=click.echo)
    click.echo(str(report))
    sys.exit(0 if report.ok else 1)


if __name__ == "__main__":
    main()
