"""Claims per second with 1,000 and with 100,000 finished runs of five steps in the tables. Goal: within 20 %.

The finished runs are copies of a real one. Each size is measured five times; the ratio is of the medians.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from peers import five_sums, house, report, start

FEW, MANY = 1_000, 100_000
CLAIMS = 150
TURNS = 5
COPIES = """
insert into {table} ({columns}) select {values} from {table} old cross join (
  select copy, md5('run' || copy)::uuid as run from generate_series(%(first)s::int, %(last)s::int) copy) new
where old.{key} = %(run)s
"""


def main() -> None:
    with house() as (servers, _app):
        tenant_id, workflow_id = five_sums()
        pattern = start(tenant_id, workflow_id, carries=True)
        _grow(servers, pattern, 1, FEW)
        few = _claims_per_s(tenant_id, workflow_id)
        _grow(servers, pattern, FEW + 1, MANY)
        many = _claims_per_s(tenant_id, workflow_id)
    ratio = many / few
    report("engine_growth", many, "claims/s at 100k", goal="≥ 0.8 × those at 1k", peer=few, ratio=ratio, ok=ratio >= 0.8)


def _grow(servers: Any, run: Any, first: int, last: int) -> None:
    """Copy a finished run, as the owner and without looking at foreign keys."""
    import psycopg

    with psycopg.connect(servers.owner_url, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        for table, key, new in (
            ("workflow_executions", "id", {"id": "new.run"}),
            ("workflow_steps", "execution_id", {"id": "gen_random_uuid()", "execution_id": "new.run"}),
        ):
            found = connection.execute(
                "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = ''",
                (table,),
            )
            columns = [row[0] for row in found]
            values = ", ".join(new.get(each, f'old."{each}"') for each in columns)
            named = ", ".join(f'"{each}"' for each in columns)
            connection.execute(
                COPIES.format(table=table, columns=named, values=values, key=key), {"first": first, "last": last, "run": run}
            )
        connection.execute("vacuum analyze workflow_executions, workflow_steps")


def _claims_per_s(tenant_id: Any, workflow_id: Any) -> float:
    from portal.workflows.engine.store import leasing

    found = []
    for _ in range(TURNS):
        for _ in range(CLAIMS):
            start(tenant_id, workflow_id)
        began = time.perf_counter()
        for _ in range(CLAIMS):
            assert leasing.claim(worker="bench", lease_s=600) is not None
        found.append(CLAIMS / (time.perf_counter() - began))
    return statistics.median(found)


if __name__ == "__main__":
    main()
