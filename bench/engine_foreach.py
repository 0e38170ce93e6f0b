"""A for-each over 100,000 items in one run: how long it takes, whether the worker's memory stays flat, and what it leaves in the database."""

from __future__ import annotations

import resource
import sys
import time

from peers import house, report

ITEMS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
AT_ONCE = 50
FLAT_MB = 50  # the goal: what all items together may add to the worker


def main() -> None:
    with house():
        from portal.core import db
        from portal.workflows.engine import janitor, runner

        run_of = _ready()
        small = run_of(1_000)
        _carry(runner, janitor, small)
        before = _most_mb()
        size_before = _bytes()
        run_id = run_of(ITEMS)
        began, steps = time.perf_counter(), 0
        samples = []
        while True:
            steps += runner.pump(worker="bench", budget_s=10)
            janitor.sweep()
            samples.append(round(_most_mb(), 1))
            with db.transaction(system=True) as session:
                run = session.connection().exec_driver_sql(
                    "select status, error, (select count(*) from workflow_steps s where s.execution_id = e.id) as steps,"
                    " (select count(*) from workflow_frames f where f.execution_id = e.id and f.state = 'succeeded') as items,"
                    " (select count(*) from workflow_events v where v.execution_id = e.id) as events"
                    " from workflow_executions e where id = %s", (run_id,)
                ).one()  # fmt: skip
            if run.status not in ("pending", "running"):
                break
        took = time.perf_counter() - began
        grown = samples[-1] - before
        ok = run.status == "succeeded" and run.items == ITEMS and grown <= FLAT_MB
        report("engine_foreach", round(took, 1), "s", goal=f"memory grows by {FLAT_MB} MB at most", peer=None, ratio=None, ok=ok, items=run.items,
               steps=run.steps, events=run.events, items_per_s=round(ITEMS / took), worker_mb_before=round(before, 1), worker_mb_after=samples[-1],
               worker_mb_midway=samples[len(samples) // 2], database_mb=round((_bytes() - size_before) / 1e6, 1),
               bytes_an_item=round((_bytes() - size_before) / ITEMS), tables=_largest(), status=run.status)  # fmt: skip


def _carry(runner, janitor, run_id) -> None:
    while runner.pump(worker="bench", budget_s=10):
        janitor.sweep()


def _most_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _bytes() -> int:
    return sum(_sizes().values())


def _largest() -> dict[str, float]:
    sizes = sorted(_sizes().items(), key=lambda each: -each[1])[:5]
    return {name: round(size / 1e6, 1) for name, size in sizes}


def _sizes() -> dict[str, int]:
    from portal.core import db

    with db.transaction(system=True) as session:
        rows = session.connection().exec_driver_sql(
            "select relname, pg_total_relation_size(oid) from pg_class where relkind = 'r' and starts_with(relname, 'workflow')"
        )
        return dict(rows.tuples().all())


def _ready():
    """Return what starts a run over so many items: two steps an item, ten items in hand at once."""
    from portal.core import db
    from portal.core.access import SYSTEM
    from portal.tenants import service as tenants
    from portal.workflows import service
    from portal.workflows.models import WorkflowTemplate

    tenant_id = tenants.add_tenant("foreach", name="For each", name_ar=None)
    usual = {"name_ar": None, "retry": {"attempts": 1}, "timeout_s": 30}
    nodes = [
        {"key": "each", "kind": "foreach", "name": "Each", "parent": None, "lane": None, **usual,
         "config": {"source": "times", "times": "${ input.n }", "at_once": AT_ONCE}},
        {"key": "double", "kind": "set", "name": "Double", "parent": "each", "lane": "each", **usual,
         "config": {"values": [{"name": "n", "value": "${ item * 2 }"}]}},
    ]  # fmt: skip
    inputs = [{"key": "n", "type": "number", "label": "N", "label_ar": None, "required": True, "choices": []}]
    with db.transaction(tenant_id) as session:
        workflow = WorkflowTemplate(tenant_id=tenant_id, name="For each", nodes=nodes, settings={"inputs": inputs, "deadline_s": 86400})
        session.add(workflow)
        session.flush()
        service.publish_version(tenant_id, workflow.id, by=SYSTEM)

    def start(items: int):
        with db.transaction(tenant_id):
            return service.start_run(tenant_id, workflow.id, given={"n": items}, by=SYSTEM)[0]

    return start


if __name__ == "__main__":
    main()
