"""10,000 runs that wait: how many worker slots they hold (goal 0), and what the dispatcher needs to watch over them."""

from __future__ import annotations

import resource
import statistics
import time

from peers import house, report

SLEEPERS = 10_000
ROUNDS = 20


def main() -> None:
    with house():
        from portal.core import db
        from portal.workflows.engine import janitor, runner

        _fall_asleep()
        runner.pump(worker="bench", budget_s=900)
        with db.transaction(system=True) as session:
            count = (
                session.connection()
                .exec_driver_sql(
                    "select count(*) filter (where state = 'waiting'), count(*) filter (where state = 'leased') from workflow_steps"
                )
                .one()
            )
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            janitor.sweep()
            took.append((time.perf_counter() - began) * 1000)
        grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        ok = count[0] == SLEEPERS and count[1] == 0
        report("engine_sleepers", count[1], "worker slots", goal="0", peer=None, ratio=None, ok=ok, sleeping=count[0], sweep_ms=round(statistics.median(took), 2),
               dispatcher_mb=round((before + grown_kb) / 1024, 1), grown_by_kb=grown_kb)  # fmt: skip


def _fall_asleep() -> None:
    """Start runs that wait for a signal and, in the same step, for a moment in some hours."""
    from portal.core import db
    from portal.core.access import SYSTEM
    from portal.tenants import service as tenants
    from portal.workflows import service
    from portal.workflows.models import WorkflowTemplate

    tenant_id = tenants.add_tenant("sleepers", name="Sleepers", name_ar=None)
    config = {"signal": "wake", "corr_key": "${ run.id }", "limit": 5, "limit_unit": "hours"}
    node = {
        "key": "wait",
        "kind": "signal",
        "name": "Wait",
        "name_ar": None,
        "parent": None,
        "lane": None,
        "config": config,
        "retry": {"attempts": 1},
        "timeout_s": 30,
    }
    with db.transaction(tenant_id) as session:
        workflow = WorkflowTemplate(tenant_id=tenant_id, name="Sleeper", nodes=[node], settings={"inputs": [], "deadline_s": 86400})
        session.add(workflow)
        session.flush()
        service.publish_version(tenant_id, workflow.id, by=SYSTEM)
    for _hundred in range(SLEEPERS // 100):
        with db.transaction(tenant_id):
            for _ in range(100):
                service.start_run(tenant_id, workflow.id, given={}, by=SYSTEM)


if __name__ == "__main__":
    main()
