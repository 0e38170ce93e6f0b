"""The proof: kill, stop, flush and restart while runs go on; the oracle is a receiver outside the engine.

A third of the runs are of a chain of ten steps that call a recording HTTP receiver and three that add a row to a table; the
others are of random programs with lanes, loops, jumps, caught failures, sub-workflows, signals, callbacks and questions to
a person, and of programs that fail and take back what they did (`chaos_programs`). They start by a verb, by an inbound
webhook, and by a schedule. Workers, the dispatcher and the web are killed with SIGKILL at random, stopped past their lease
and continued (`chaos_crew`), Redis is flushed, PostgreSQL is restarted and crashed, and a process that starts runs dies
between its commit and its hint. At the end every acknowledged run must have ended as it had to, each call must have come to
the receiver under as many keys as it was made, each row must be there once, each instant of the schedule must have started
one run, and nothing may be stuck.

    python -m portal.devkit.chaos --minutes 5
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import click

from portal.devkit.chaos_crew import LEASE_S, Crew, faults, kill
from portal.devkit.chaos_people import People, Receiver
from portal.devkit.chaos_programs import Known, Program
from portal.devkit.children import free_port
from portal.devkit.mailcatcher import MailCatcher
from portal.devkit.servers import Servers, ephemeral

STEPS = 10
ROWS = 3
PROGRAMS = 10
UNDOING = 2
RUN_ENDED = ("succeeded", "failed", "cancelled", "timed_out", "compensated")
COLUMNS = [{"key": key, "type": "text", "label": key, "label_ar": None, "required": True} for key in ("run", "step")]
QUIET_S = 150.0


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


@contextlib.contextmanager
def _house() -> Iterator[tuple[Servers, Receiver, dict[str, str], int]]:
    receiver, port = Receiver(), free_port()
    mail = MailCatcher(smtp_port=0, web_port=0)
    mail.start()
    with ephemeral() as servers:
        environment = {
            **servers.environment(),
            "ENVIRONMENT": "test",
            "SECRET_KEY": os.urandom(32).hex(),
            "EGRESS_ALLOW": receiver.address,
            "LEASE_S": str(LEASE_S),
            "LOG_LEVEL": "WARNING",
            "MAIL_PORT": str(mail.smtp_port),
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
        }
        os.environ.update(environment)
        yield servers, receiver, environment, port
    mail.stop()
    receiver.server.shutdown()


def prove(*, runs: int, seconds: float, log_path: str = os.devnull, say: Callable[[str], None] = lambda _text: None) -> Report:
    """Start `runs` runs and attack for `seconds`; then wait for peace and count."""
    from portal.app import create_app
    from portal.core import config, db, jobs, schema

    for cached in (config.current_settings, db.engine, jobs.connection):
        cached.cache_clear()
    with _house() as (servers, receiver, environment, port), open(log_path, "ab") as log:
        app = create_app()
        schema.migrate(app)
        with app.app_context():
            world = _World.made(receiver.address)
            crew = Crew(environment, log, port)
            crew.keep_up()
            report = Report()
            try:
                with People(app, world.tenant_id, world.owner, receiver, f"http://127.0.0.1:{port}") as people:
                    _attack(report, crew, servers, world, people, runs, seconds, say)
                    _wait_for_peace(crew, world, people)
            finally:
                crew.dismiss()
            _count(report, world, people, receiver, say)
        db.dispose()
    return report


@dataclass
class _World:
    """The organisation whose runs are attacked."""

    tenant_id: UUID
    owner: UUID
    known: list[Known]
    scheduled: Known
    trigger_id: UUID
    first: datetime

    @classmethod
    def made(cls, address: str) -> _World:
        from portal.core import db
        from portal.core.access import SYSTEM
        from portal.datatables import service as tables
        from portal.identity import service as identity
        from portal.identity.models import Person
        from portal.tenants import service as tenants

        tenant_id = tenants.add_tenant("chaos", name="Chaos", name_ar=None)
        with db.transaction() as session:
            person = Person(email="chaos@example.com", email_key="chaos@example.com", name="Chaos", name_ar=None, password_hash="-")
            session.add(person)
            session.flush()
            owner = person.id
        identity.add_member(tenant_id, owner, "owner", by=SYSTEM)
        with db.transaction(tenant_id):
            tables.create_table(tenant_id, "rows", name="Rows", name_ar=None, columns=COLUMNS, by=SYSTEM)
            child = _published(tenant_id, [_call("work", address, run="${ input.run }", mark="${ input.mark }")], inputs=("run", "mark"))
            known = [_hooked(tenant_id, each) for each in _programs(tenant_id, address, child, owner)]
            scheduled = Known(_published(tenant_id, [_call("work", address)]), {"work": 1})
            config = {"cron": "* * * * *", "zone": "UTC", "misfire": "all", "catchup": 100, "window_h": 1}
            trigger_id = _trigger(tenant_id, scheduled.workflow_id, "schedule-cron", config)
        return cls(tenant_id, owner, known, scheduled, trigger_id, datetime.now(UTC))


def _programs(tenant_id: UUID, address: str, child: UUID, person: UUID) -> Iterator[Known]:
    calls = [_call(f"call_{number}", address) for number in range(STEPS)]
    nodes = [*calls[:5], *(_row(f"row_{number}") for number in range(ROWS)), *calls[5:]]
    chain = _published(tenant_id, nodes)
    yield Known(chain, {f"call_{number}": 1 for number in range(STEPS)}, frozenset(f"row_{number}" for number in range(ROWS)))
    for make, times in ((Program.of, PROGRAMS), (Program.undoing, UNDOING)):
        for _ in range(times):
            each = make(address, random.randrange(10**6), child=child, person=person)
            yield Known(_published(tenant_id, each.nodes), each.calls, frozenset(each.rows), frozenset(each.signals), each.status)


def _published(tenant_id: UUID, nodes: list[dict[str, Any]], *, inputs: tuple[str, ...] = ()) -> UUID:
    from portal.core import db
    from portal.core.access import SYSTEM
    from portal.workflows import service
    from portal.workflows.models import WorkflowTemplate

    declared = [{"key": key, "type": "text", "label": key, "label_ar": key, "required": True, "choices": []} for key in inputs]
    settings = {"inputs": declared, "deadline_s": 86400}
    workflow = WorkflowTemplate(tenant_id=tenant_id, name="Chaos", name_ar=None, nodes=nodes, settings=settings)
    session = db.session()
    session.add(workflow)
    session.flush()
    service.publish_version(tenant_id, workflow.id, by=SYSTEM)
    return workflow.id


def _trigger(tenant_id: UUID, workflow_id: UUID, kind_name: str, config: dict[str, Any]) -> UUID:
    from portal.core.access import SYSTEM
    from portal.workflows.triggers import base, service
    from portal.workflows.triggers.registry import find

    kind = find(kind_name)
    assert kind is not None
    place = service.place_of(tenant_id, workflow_id, timezone="UTC")
    full = {
        **base.defaults(kind),
        **({"mode": kind.variant} if kind.variant else {}),
        **({"inputs": {}} if kind.maps_inputs else {}),
        **config,
    }
    return service.add_trigger(tenant_id, workflow_id, kind, name="", name_ar=None, config=full, place=place, by=SYSTEM)


def _hooked(tenant_id: UUID, known: Known) -> Known:
    """Return it with an inbound webhook that starts it."""
    from portal.workflows.triggers import queries, service

    trigger_id = _trigger(tenant_id, known.workflow_id, "webhook", {})
    trigger = queries.get_trigger(tenant_id, trigger_id)
    (secret,) = service.secrets_of(tenant_id, trigger_id, trigger.secrets)
    return replace(known, hook=(f"/hooks/{service.token_of(trigger)}", secret))


def _node(key: str, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    place = {"name": key, "name_ar": None, "parent": None, "lane": None}
    return {"key": key, "kind": kind, **place, "config": config, "retry": {"attempts": 10}, "timeout_s": 30}


def _call(key: str, address: str, *, run: str = "${ run.id }", mark: str = "") -> dict[str, Any]:
    body = f'{{"run": "{run}", "step": "{mark or key}"}}'
    return _node(key, "webhook", {"method": "POST", "url": f"http://{address}/", "headers": [], "body": body, "if_cut_off": "repeat"})


def _row(key: str) -> dict[str, Any]:
    values = [{"name": "run", "value": "${ run.id }"}, {"name": "step", "value": key}]
    return _node(key, "database", {"table": "rows", "operation": "insert", "values": values})


def _attack(
    report: Report,
    crew: Crew,
    servers: Servers,
    world: _World,
    people: People,
    runs: int,
    seconds: float,
    say: Callable[[str], None],
) -> None:
    end = time.monotonic() + seconds
    named = faults(crew, servers)
    while time.monotonic() < end or report.runs < runs:
        wanted = min(runs, round(runs * (1 - (end - time.monotonic()) / seconds)) + 10)
        while report.runs < wanted:
            _begin(report, world, people)
        name, fault = random.choice(named)
        fault()
        report.faults += 1
        say(f"{name}: {report}")
        time.sleep(random.uniform(0.3, 1.5))
        crew.keep_up()


def _begin(report: Report, world: _World, people: People) -> None:
    """Start a run: by a verb, by a process that dies at its commit, or by a webhook."""
    known = world.known[0] if report.runs % 3 == 0 else random.choice(world.known)
    dies = report.runs % 25 == 24
    if not dies and report.runs % 4 == 1:
        people.deliver(known)
    else:
        with people.quiet:
            run_id = (_start_and_die if dies else _start)(world.tenant_id, known.workflow_id)
        people.knows(run_id, known)
    report.runs += 1
    report.faults += dies


def _start(tenant_id: UUID, workflow_id: UUID, *, then: Callable[[UUID], None] = lambda _run_id: None) -> UUID:
    """Start a run, and every other time go on with it here; `then` follows the commit, before the hint."""
    from portal.core import db
    from portal.core.access import SYSTEM
    from portal.workflows import service
    from portal.workflows.engine import runner

    def move(hand: Any = None) -> UUID:
        made: list[UUID] = []
        with db.transaction(tenant_id):
            db.after_commit(lambda: then(made[0]))
            made.append(service.start_run(tenant_id, workflow_id, given={}, by=SYSTEM, hand=hand)[0])
        return made[0]

    return runner.start_here(move)[0] if random.random() < 0.5 else move()


def _start_and_die(tenant_id: UUID, workflow_id: UUID) -> UUID:
    """Start a run in a process that kills itself after the commit, before the hint and before it goes on with the run."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        from portal.core import db

        def die(run_id: UUID) -> None:
            os.write(writing, run_id.bytes)
            kill(os.getpid())

        db.dispose()
        _start(tenant_id, workflow_id, then=die)
        os._exit(1)
    os.close(writing)
    run_id = UUID(bytes=os.read(reading, 16))
    os.close(reading)
    os.waitpid(child, 0)
    return run_id


def _wait_for_peace(crew: Crew, world: _World, people: People) -> None:
    """Wait until every delivery was taken and every run has ended; then learn of the runs that the schedule started."""
    end, before = time.monotonic() + QUIET_S, (0, 0)
    while time.monotonic() < end:
        crew.keep_up()
        ids = [*list(people.acknowledged), *_scheduled(world).values()]
        ended = sum(status in RUN_ENDED for status in _statuses(world.tenant_id, ids).values())
        if not people.deliveries and ended == len(ids):
            return
        if (ended, people.receiver.calls) != before:  # slow is not stuck
            end, before = time.monotonic() + QUIET_S, (ended, people.receiver.calls)
        time.sleep(0.5)


def _scheduled(world: _World) -> dict[str, UUID]:
    """Return the runs that the schedule started, by the instant that was meant."""
    from sqlalchemy import text

    from portal.core import db

    with db.transaction(world.tenant_id) as session:
        found = session.execute(
            text("select id, dedup_key from workflow_executions where workflow_id = :id"), {"id": world.scheduled.workflow_id}
        )
        return {row.dedup_key.partition(":")[2]: row.id for row in found}


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


def _count(report: Report, world: _World, people: People, receiver: Receiver, say: Callable[[str], None]) -> None:
    from portal.workflows.engine.store import look

    planned = _scheduled(world)
    acknowledged = {**people.acknowledged, **dict.fromkeys(planned.values(), world.scheduled)}
    statuses, rows = _statuses(world.tenant_id, list(acknowledged)), _rows(world.tenant_id)
    for run_id, known in acknowledged.items():
        keys = {name: len(receiver.keys.get((str(run_id), name), ())) for name in known.calls}
        found = {name: rows[str(run_id), name] for name in known.rows}
        wrong = [name for name in keys if keys[name] < known.calls[name]] + [name for name in found if not found[name]]
        twice = [name for name in keys if keys[name] > known.calls[name]] + [name for name in found if found[name] > 1]
        if statuses.get(run_id) != known.status or wrong or twice:
            say(f"run {run_id}: {statuses.get(run_id)} instead of {known.status}; missing {wrong}; doubled {twice}")
        report.lost += statuses.get(run_id) != known.status or bool(wrong)
        report.doubled += len(twice)
    report.runs += len(planned)
    report.lost += len(people.deliveries) + people.refused + len(_instants(world) - set(planned))
    unfinished = [status for status in statuses.values() if status not in RUN_ENDED]
    report.stuck = max(len(look.stuck()), len(unfinished))


def _instants(world: _World) -> set[str]:
    """Return the minutes that the schedule must have started: all since it was made, but for the one that is just due."""
    first = world.first.replace(second=0, microsecond=0) + timedelta(minutes=1)
    last = datetime.now(UTC) - timedelta(seconds=15)
    return {
        f"{first + timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ}" for number in range(max(0, int((last - first).total_seconds() // 60 + 1)))
    }


@click.command()
@click.option("--minutes", type=float, default=5.0, help="How long to attack.")
@click.option("--runs", type=int, default=300, help="How many runs to start, at least.")
@click.option("--log", "log_path", type=click.Path(), default=os.devnull, help="Where the processes' logs go.")
def main(minutes: float, runs: int, log_path: str) -> None:
    report = prove(runs=runs, seconds=minutes * 60, log_path=log_path, say=click.echo)
    click.echo(str(report))
    sys.exit(0 if report.ok else 1)


if __name__ == "__main__":
    main()
