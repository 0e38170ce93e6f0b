"""Completed runs of five trivial steps per second in two processes, against DBOS in two on the same PostgreSQL, in turn. Goal: 5 times as many.

Ours: each process starts runs of five steps that each add one (`set`, an expression), eight at once. The steps are pure, so the
transaction that accepts a run also ends it: one commit a run, with its row, its five steps, its eight events and the audit entry.
DBOS: each process starts runs of five steps that each add one, sixteen at once; it commits the start, each step and the end.
`queued_per_s` is the longer way on our side: runs that were accepted before, carried out by two workers that claim them.
"""

from __future__ import annotations

from peers import OUR_PROGRAM, OUR_PUMP, Side, dbos, five_sums, house, in_turn, report, start

RUNS = 60  # of each process in each turn
TURNS = 5
PROCESSES = 2
THREADS = 8


def main() -> None:
    with house() as (servers, _app):
        tenant_id, workflow_id = five_sums()
        ours = Side(OUR_PROGRAM, tenant_id, workflow_id, THREADS, 10, processes=PROCESSES)
        theirs = dbos(servers, "sums", processes=PROCESSES)
        many = PROCESSES * RUNS
        value, other, ratio = in_turn(lambda: 3 * many / ours.carry(3 * RUNS), lambda: many / theirs.carry(RUNS), TURNS)
        ours.end()
        theirs.end()
        pumps = Side(OUR_PUMP, 10, processes=PROCESSES)
        for _ in range(many * 2):
            start(tenant_id, workflow_id)
        queued = many * 2 / pumps.carry(RUNS)
        pumps.end()
    report(
        "engine_throughput", value, "runs/s", goal="≥ 5.0 × DBOS", peer=other, ratio=ratio, ok=ratio >= 5.0, queued_per_s=round(queued, 1)
    )


if __name__ == "__main__":
    main()
