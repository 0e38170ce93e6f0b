"""Runs of five steps with an effect and a commit each, per second in two processes, against DBOS in turn. Goal: 2 times as many.

Ours: a process starts the runs, then two workers claim them and carry them out; each step inserts a row into a data table in the
transaction that ends the step, and no two steps share a commit (the engine otherwise lets ten of them do so). The time counts both:
the starts in two processes, and the carrying. DBOS: each of two processes starts runs and carries them out, sixteen at once; each step
inserts a row in a transaction of its own, and DBOS writes the step's end after it. (DBOS 3 has no database of the application, in whose
transaction it could write both.)
"""

from __future__ import annotations

import time

from peers import OUR_PUMP, Side, dbos, five_inserts, house, in_turn, report, start

RUNS = 60  # of each process in each turn
TURNS = 5
PROCESSES = 2


def main() -> None:
    with house() as (servers, _app):
        tenant_id, workflow_id = five_inserts()
        pumps = Side(OUR_PUMP, 0, processes=PROCESSES)
        theirs = dbos(servers, "inserts", processes=PROCESSES)
        many = PROCESSES * RUNS

        def ours() -> float:
            began = time.perf_counter()
            for _ in range(many):
                start(tenant_id, workflow_id)
            return many / ((time.perf_counter() - began) / PROCESSES + pumps.carry(RUNS))

        value, other, ratio = in_turn(ours, lambda: many / theirs.carry(RUNS), TURNS)
        pumps.end()
        theirs.end()
    report("engine_effects", value, "runs/s", goal="≥ 2.0 × DBOS", peer=other, ratio=ratio, ok=ratio >= 2.0)


if __name__ == "__main__":
    main()
