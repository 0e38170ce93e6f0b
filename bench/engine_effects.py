"""Runs of five steps with an effect and a commit each, per second in two processes, against DBOS in turn. Goal: 2 times as many.

Each of two processes on either side starts runs and carries them out itself. Ours: each step inserts a row into a data table in the
transaction that ends the step, the first one in the transaction that accepts the run; no two steps share a commit (the engine otherwise
lets ten of them do so). Eight runs at once, as a web process has. DBOS: sixteen at once; each step inserts a row in a transaction of its own, and DBOS
writes the step's end after it. (DBOS 3 has no database of the application, in whose transaction it could write both.)

`claimed` is the longer way on our side, as a ratio to the same peer: runs that one process has started wait in line, two workers claim
them and carry them out. The time counts both, the starts as if in two processes.
"""

from __future__ import annotations

import time

from peers import OUR_PROGRAM, OUR_PUMP, Side, dbos, five_inserts, house, in_turn, report, start

RUNS = 60  # of each process in each turn
TURNS = 5
PROCESSES = 2
THREADS = 8


def main() -> None:
    with house() as (servers, _app):
        tenant_id, workflow_id = five_inserts()
        theirs = dbos(servers, "inserts", processes=PROCESSES)
        ours = Side(OUR_PROGRAM, tenant_id, workflow_id, THREADS, 0, processes=PROCESSES)
        many = PROCESSES * RUNS
        value, other, ratio = in_turn(lambda: many / ours.carry(RUNS), lambda: many / theirs.carry(RUNS), TURNS)
        ours.end()
        pumps = Side(OUR_PUMP, 0, processes=PROCESSES)

        def claimed() -> float:
            began = time.perf_counter()
            for _ in range(many):
                start(tenant_id, workflow_id)
            return many / ((time.perf_counter() - began) / PROCESSES + pumps.carry(RUNS))

        _value, _other, longer = in_turn(claimed, lambda: many / theirs.carry(RUNS), TURNS)
        pumps.end()
        theirs.end()
    report("engine_effects", value, "runs/s", goal="≥ 2.0 × DBOS", peer=other, ratio=ratio, ok=ratio >= 2.0, claimed=round(longer, 2))


if __name__ == "__main__":
    main()
