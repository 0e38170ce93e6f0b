"""A posts 50,000 runs, B one per second: how long B waits (goal p95 ≤ 2 s); claims per second with 1,000 and 100,000 finished runs.

`RUNS=` and `SECONDS=` make it shorter.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import Any

from peers import ROOT, five_inserts, house, report, start

RUNS = int(os.environ.get("RUNS", "50000"))
SECONDS = int(os.environ.get("SECONDS", "30"))
CLAIMS = 1000
PROCESSES = 2
PUMP = "from worker import *\ndb.trust_connections()\nwith create_app().app_context(): print(runner.pump(worker=runner.worker_name(), budget_s=600, linger_s=600))"
# As many ended runs of five steps as wanted, made by the database from one that has really ended.
FINISHED = """
with run as (
  insert into workflow_executions (id, tenant_id, workflow_id, version_id, status, event_seq, started_at, completed_at)
  select gen_random_uuid(), e.tenant_id, e.workflow_id, e.version_id, 'succeeded', 7, now(), now()
  from workflow_executions e, generate_series(1, %(count)s) where e.id = %(like)s returning id)
insert into workflow_steps (id, tenant_id, execution_id, node_key, kind, queue, state, attempt, lease_epoch, effect_class, idem_key, port, finished_at)
select gen_random_uuid(), s.tenant_id, run.id, s.node_key, s.kind, s.queue, 'succeeded', 1, 1, s.effect_class, '', 'out', now()
from run, workflow_steps s where s.execution_id = %(like)s
"""

# The same for runs that wait: with their first event and their first step.
WAITING = """
with run as (
  insert into workflow_executions (id, tenant_id, workflow_id, version_id, input_data, status, event_seq, deadline_at)
  select gen_random_uuid(), e.tenant_id, e.workflow_id, e.version_id, e.input_data, 'pending', 1, e.deadline_at
  from workflow_executions e, generate_series(1, %(count)s) where e.id = %(like)s returning id),
told as (
  insert into workflow_events (tenant_id, execution_id, seq, kind, prev_hash, hash)
  select v.tenant_id, run.id, 1, v.kind, v.prev_hash, v.hash from run, workflow_events v where v.execution_id = %(like)s)
insert into workflow_steps (id, tenant_id, execution_id, node_key, kind, queue, state, effect_class, idem_key, timeout_s)
select gen_random_uuid(), s.tenant_id, run.id, s.node_key, s.kind, s.queue, 'ready', s.effect_class, run.id::text, s.timeout_s
from run, workflow_steps s where s.execution_id = %(like)s
"""


def main() -> None:
    with house() as (servers, _app):
        busy = five_inserts("busy")
        rates = _claims(servers, busy)
        quiet = five_inserts("quiet")
        _post_many(servers, busy)
        pumps = [subprocess.Popen([sys.executable, "-c", PUMP], cwd=ROOT, env=dict(os.environ)) for _ in range(PROCESSES)]
        try:
            waits, ahead = _watch(quiet, busy)
        finally:
            for pump in pumps:
                pump.kill()
    p95 = statistics.quantiles(waits, n=20)[-1]
    few, many = rates
    ok = p95 <= 2.0 and many >= 0.8 * few and ahead > 0
    report("engine_fairness", p95, "s", goal="p95 of B ≤ 2 s", peer=None, ratio=None, ok=ok, p50=round(statistics.median(waits), 4),
           longest=round(max(waits), 4), runs_of_b=len(waits), runs_of_a_ahead=ahead, claims_per_s_after_1k=round(few), claims_per_s_after_100k=round(many),
           claims_ratio=round(many / few, 2))  # fmt: skip


def _watch(quiet: Any, busy: Any) -> tuple[list[float], int]:
    """Post one run of B each second; return how long each waited for its first step, and how many of A still wait at the end."""
    from sqlalchemy import text

    from portal.core import db

    while not _scalar(
        busy, "select count(*) from workflow_executions where status = 'succeeded' and completed_at > now() - interval '5 seconds'"
    ):
        time.sleep(0.1)
    runs = []
    for _ in range(SECONDS):
        runs.append(start(*quiet))
        time.sleep(1.0)
    time.sleep(3)
    ahead = _scalar(busy, "select count(*) from workflow_executions where status = 'pending'")
    with db.transaction(quiet[0]) as session:
        waits = session.scalars(
            text("select extract(epoch from coalesce(started_at, clock_timestamp()) - created_at)::float8 from workflow_executions")
        ).all()
    assert len(waits) == len(runs)
    return list(waits), ahead


def _scalar(of: Any, statement: str) -> int:
    from sqlalchemy import text

    from portal.core import db

    with db.transaction(of[0]) as session:
        return int(session.scalar(text(statement)))


def _post(of: Any, count: int) -> None:
    from portal.core import db
    from portal.core.access import SYSTEM
    from portal.workflows import service

    for begin in range(0, count, 500):
        with db.transaction(of[0]):
            for _ in range(min(500, count - begin)):
                service.start_run(*of, given={}, by=SYSTEM)


def _post_many(servers: Any, of: Any) -> None:
    """Post all runs of A at once: the database copies one that waits for its first step."""
    import psycopg

    like = start(*of)
    with psycopg.connect(servers.owner_url, autocommit=True) as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute(WAITING, {"count": RUNS - 1, "like": like})
        owner.execute("analyze")


def _claims(servers: Any, of: Any) -> tuple[float, float]:
    """Return claims per second with 1,000 and with 100,000 finished runs in the tables."""
    import psycopg

    from portal.workflows.engine import runner

    like = start(*of)
    runner.pump(worker="bench", budget_s=30)
    found = []
    for count in (999, 99_000):
        with psycopg.connect(servers.owner_url, autocommit=True) as owner:
            owner.execute("set session_replication_role = replica")  # foreign keys of copies need no proof
            owner.execute(FINISHED, {"count": count, "like": like})
            owner.execute("vacuum analyze")
        found.append(statistics.median(_claim_all(servers, of) for _ in range(3)))
    return found[0], found[1]


def _claim_all(servers: Any, of: Any) -> float:
    import psycopg

    from portal.workflows.engine.store import leasing

    _post(of, CLAIMS)
    began = time.perf_counter()
    while leasing.claim(worker="bench", lease_s=600) is not None:
        pass
    took = time.perf_counter() - began
    with psycopg.connect(servers.owner_url, autocommit=True) as owner:
        owner.execute("update workflow_steps set state = 'cancelled', lease_until = null, finished_at = now() where state = 'leased'")
        owner.execute("update workflow_executions set status = 'cancelled', completed_at = now() where completed_at is null")
    return CLAIMS / took


if __name__ == "__main__":
    main()
