"""What it costs to find runs by the value of a field: `python -m bench.find_runs [runs]`, on a database of its own.

One organisation has that many runs of three steps each. Measured are a page of the list and the count behind it, for conditions that
many, few and no runs meet.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable

from sqlalchemy import text

from portal.core import db, jobs
from portal.core.config import current_settings
from portal.core.ids import new_id

CONDITIONS = (
    "input.amount gt 100", "input.amount is 4711", "input.name contains ليلى", "input.nothing exists", "steps.first.id is 4711",
    "steps.first.id gt 100", "steps.third.text contains zzz", "steps.first.list contains 7",
)  # fmt: skip
RUNS = """
insert into workflow_executions (id, tenant_id, workflow_id, version_id, status, input_data, output_data, created_at, started_at, completed_at)
select gen_random_uuid(), :tenant, :workflow, :version, 'succeeded',
       jsonb_build_object('amount', n % 10000, 'name', 'ليلى ' || n, 'note', repeat('x', 200)), jsonb_build_object('total', n),
       clock_timestamp() - make_interval(secs => n), clock_timestamp() - make_interval(secs => n), clock_timestamp()
from generate_series(1, :runs) n
"""
STEPS = """
insert into workflow_steps (id, tenant_id, execution_id, node_key, kind, state, effect_class, idem_key, output, started_at, finished_at, port)
select gen_random_uuid(), e.tenant_id, e.id, s.key, 'set', 'succeeded', 'pure', e.id || s.key,
       jsonb_build_object('id', (e.input_data -> 'amount'), 'text', repeat('y', 300), 'list', jsonb_build_array(1, 2, (e.input_data ->> 'amount')::int % 100)),
       e.created_at, e.created_at, 'out'
from workflow_executions e cross join (values ('first'), ('second'), ('third')) s(key) where e.tenant_id = :tenant
"""


def main(runs: int) -> None:
    """Fill, measure, print."""
    from portal.devkit.servers import ephemeral

    with ephemeral(fsync=False) as started:
        os.environ.update(
            ENVIRONMENT="test", SECRET_KEY="bench-only-" + new_id().hex, DATABASE_URL=started.app_url, DATABASE_OWNER_URL=started.owner_url,
            DATABASE_SYSTEM_URL=started.system_url, REDIS_URL=started.redis_url, PUBLIC_URL="http://localhost", LOG_LEVEL="ERROR",
        )  # fmt: skip
        current_settings.cache_clear()
        db.engine.cache_clear()
        jobs.connection.cache_clear()
        _measure(runs, started.owner_url)
        db.dispose()


def _measure(runs: int, owner_url: str) -> None:
    import psycopg

    from portal.app import create_app
    from portal.core import schema
    from portal.core.access import SYSTEM
    from portal.tenants import service as tenants
    from portal.workflows import conditions, list_queries, searching, service
    from portal.workflows.list_queries import RunFilter

    app = create_app()
    schema.migrate(app)
    with app.test_request_context():
        with db.transaction():
            tenant = tenants.add_tenant("bench", name="Bench", name_ar="قياس")
        with db.transaction(tenant) as session:
            workflow = service.create_workflow(tenant, name="W", name_ar=None, sample="blank", by=SYSTEM)
            session.execute(
                text("update workflow_templates set nodes = cast(:n as jsonb)"),
                {
                    "n": '[{"key": "first", "kind": "set", "name": "First", "parent": null, "lane": null, "config": {"values": [{"name": "x", "value": "1"}]}}]'
                },
            )
        with db.transaction(tenant):
            service.publish_version(tenant, workflow, by=SYSTEM)
        with db.transaction(tenant) as session:
            version = session.scalar(text("select published_version_id from workflow_templates"))
            values = {"tenant": tenant, "workflow": workflow, "version": version, "runs": runs}
            session.execute(text(RUNS), values)
            session.execute(text(STEPS), values)
        with psycopg.connect(owner_url, autocommit=True) as connection:
            connection.execute("vacuum analyze workflow_executions")
            connection.execute("vacuum analyze workflow_steps")
        for written in CONDITIONS:
            wanted = RunFilter(values=(conditions.read(written),))
            with db.unit_of_work(tenant):
                page = _took(lambda wanted=wanted: list_queries.list_runs(tenant, wanted=wanted))
                count = _took(lambda wanted=wanted: list_queries.count_runs(tenant, wanted=wanted, limit=10_001))
                found = list_queries.count_runs(tenant, wanted=wanted, limit=10_001)
            sys.stdout.write(
                f"{written:34} page {page:7.0f} ms   count {count:7.0f} ms   {found} runs   (given up after {searching.PATIENCE_S} s)\n"
            )


def _took(call: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        call()
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
