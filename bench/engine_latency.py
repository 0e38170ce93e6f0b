"""From start to end of one run at a time, against DBOS on the same PostgreSQL, in turn. Goal: at most half as long.

Five trivial steps on both sides, as in `engine_throughput`. `worker_ms` is a run of five inserts that a worker process is woken for,
`peer_inserts_ms` the same with DBOS: its steps insert in transactions of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

from peers import OUR_PROGRAM, ROOT, Side, dbos, five_inserts, five_sums, house, in_turn, report, start

ROUNDS = 60


def main() -> None:
    with house() as (servers, _app):
        ours = Side(OUR_PROGRAM, *five_sums(), 1, 10, processes=1)
        theirs = dbos(servers, "sums", processes=1, together=1)
        value, other, ratio = in_turn(lambda: ours.carry(1) * 1000, lambda: theirs.carry(1) * 1000, ROUNDS)
        ours.end()
        theirs.end()
        tenant_id, workflow_id = five_inserts()
        worker = subprocess.Popen([sys.executable, "worker.py", "work"], cwd=ROOT, env=dict(os.environ))
        theirs = dbos(servers, "inserts", processes=1, together=1)
        for _ in range(10):
            _one(tenant_id, workflow_id)
        worked, inserted, _ratio = in_turn(lambda: _one(tenant_id, workflow_id), lambda: theirs.carry(1) * 1000, ROUNDS)
        worker.kill()
        theirs.end()
    report("engine_latency", value, "ms", goal="≤ 0.5 × DBOS", peer=other, ratio=ratio, ok=ratio <= 0.5,
           worker_ms=round(worked, 2), peer_inserts_ms=round(inserted, 2))  # fmt: skip


def _one(tenant_id: Any, workflow_id: Any) -> float:
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
