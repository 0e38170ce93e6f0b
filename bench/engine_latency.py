"""From start to end of one five-step run at a time, against DBOS on the same PostgreSQL. Goal: no slower."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

from peers import ROOT, dbos, five_inserts, house, report, start

ROUNDS = 100


def main() -> None:
    with house() as (servers, _app):
        tenant_id, workflow_id = five_inserts()
        worker = subprocess.Popen([sys.executable, "worker.py", "work"], cwd=ROOT, env=dict(os.environ))
        try:
            ours = [_one(tenant_id, workflow_id) for _ in range(ROUNDS + 10)][10:]
        finally:
            worker.kill()
        peer = dbos(servers, rounds=ROUNDS, mode="one")[0]["took_ms"]
    value, other = statistics.median(ours), statistics.median(peer)
    ratio = value / other
    p95 = statistics.quantiles(ours, n=20)[-1]
    report("engine_latency", value, "ms", goal="≤ 1.0 × DBOS", peer=other, ratio=ratio, ok=ratio <= 1.0, p95=round(p95, 2))


def _one(tenant_id: object, workflow_id: object) -> float:
    from portal.core import db
    from portal.workflows import queries

    began = time.perf_counter()
    run_id = start(tenant_id, workflow_id)
    while True:
        with db.transaction(tenant_id):
            stand = queries.run_stand(tenant_id, run_id)
        if stand and stand[1] == "succeeded":
            return (time.perf_counter() - began) * 1000
        time.sleep(0.0005)


if __name__ == "__main__":
    main()
