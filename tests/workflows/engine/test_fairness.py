"""The line of a lane: shares by weight, newcomers, limits in hand, priorities, and what each tenant sees of it."""

from __future__ import annotations

import itertools
import threading
import time

import psycopg
import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.config import current_settings
from portal.workflows.engine import runner
from portal.workflows.engine.lanes import in_turn, read_lanes
from portal.workflows.engine.store import leasing, settling
from portal.workflows.engine.store.leasing import Owed
from tests.conftest import make_house
from tests.workflows.engine.conftest import Engine, step, values

WORKERS = 4


@pytest.fixture
def crowd(engine):
    """Return a maker of tenants, each with a workflow of one step and so many runs that wait."""

    def make(runs: int, *, weight: int = 1, cap: int | None = None, priority: int | None = None) -> Engine:
        one = Engine(make_house())
        one.workflow = one.publish(step("only", "set", **values(x="1")))
        in_line(one, weight=weight, cap=cap)
        more(one, runs, priority=priority)
        return one

    return make


def in_line(one: Engine, *, weight: int = 1, cap: int | None = None) -> None:
    with db.transaction(system=True) as session:
        session.execute(
            text(
                "insert into workflow_lanes (lane, tenant_id, weight, cap) values ('fast', :tenant, :weight, :cap)"
                " on conflict (lane, tenant_id) do update set weight = excluded.weight, cap = excluded.cap"
            ),
            {"tenant": one.house.id, "weight": weight, "cap": cap},
        )


def more(one: Engine, runs: int, *, priority: int | None = None) -> None:
    from portal.workflows import service

    with db.transaction(one.house.id):
        for _ in range(runs):
            service.start_run(one.house.id, one.workflow, given={}, by=one.by, priority=priority)


def serve(app, wanted: int) -> list:
    """Have several workers claim and settle until so many steps are done; return the tenants in the order of the claims."""
    left = itertools.count()

    def work(name: str) -> None:
        with app.app_context():
            while next(left) < wanted:
                lease = leasing.claim(worker=name, lease_s=30)
                if lease is None:
                    return
                settling.settle(lease, None, None, carry=False)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.transaction(system=True) as session:
        return list(
            session.scalars(
                text(
                    "select tenant_id from workflow_steps where lease_epoch > 0 and state = 'succeeded' and queue = 'fast' order by started_at"
                )
            )
        )


def assert_fair(order: list, weights: dict) -> None:
    """Check I-14 at every moment at which all of them were still in line."""
    served = dict.fromkeys(weights, 0)
    for tenant in order:
        if tenant in served:
            served[tenant] += 1
        shares = [served[each] / weights[each] for each in weights]
        assert max(shares) - min(shares) <= WORKERS + 1, served


@pytest.mark.parametrize("weights", [(1, 1), (3, 1), (1, 1, 1, 1, 1), (4, 1, 2, 1, 1)])
def test_who_stands_in_line_is_served_by_weight(app, crowd, weights):
    tenants = [crowd(30, weight=weight) for weight in weights]

    # So few in all that nobody's line is empty before the end.
    order = serve(app, 30 * sum(weights) // max(weights))

    assert_fair(order, {one.house.id: weight for one, weight in zip(tenants, weights, strict=True)})


def test_a_line_that_another_worker_claims_from_is_passed_by_a_few_times_and_then_waited_for(app, crowd):
    """A worker that is slow in the middle of its claim must not have the others serve one tenant alone."""
    slow, other = crowd(20), crowd(20)
    for _ in range(4):  # one after the other, so that both stand at the same place
        settling.settle(claimed(), None, None, carry=False)
    taken = []

    def work() -> None:
        with app.app_context():
            for _ in range(8):
                taken.append(claimed().tenant_id)

    with psycopg.connect(current_settings().database_owner_url) as holder:
        holder.execute("select from workflow_lanes where lane = 'fast' and tenant_id = %s for update", (slow.house.id,))
        worker = threading.Thread(target=work)
        worker.start()
        waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%claim_step%'"
        with psycopg.connect(current_settings().database_owner_url, autocommit=True) as looking:
            while not looking.execute(waits).fetchone()[0] and worker.is_alive():
                time.sleep(0.02)
        passed_by = list(taken)
    worker.join()

    assert set(passed_by) == {other.house.id} and len(passed_by) <= 4
    assert slow.house.id in taken


def test_a_newcomer_waits_for_one_turn_of_each_other_at_most(app, crowd):
    first, second = crowd(60), crowd(60)
    serve(app, 40)
    new = crowd(1)

    before = len([1 for _ in range(2 + WORKERS) if (lease := claimed()) and lease.tenant_id != new.house.id])

    with db.transaction(new.house.id) as session:
        assert session.scalar(text("select state from workflow_steps")) == "leased"
    assert before <= 2 + WORKERS
    assert {first.house.id, second.house.id}  # both are still in line


def test_idling_banks_nothing(app, crowd):
    idle, busy = crowd(1), crowd(60)
    serve(app, 41)
    more(idle, 30)

    order = [claimed().tenant_id for _ in range(20)]

    assert abs(order.count(idle.house.id) - order.count(busy.house.id)) <= 2


def test_a_tenant_that_had_the_lane_for_itself_is_not_punished_for_it(app, crowd):
    alone = crowd(40)
    serve(app, 40)
    other = crowd(20)
    more(alone, 20)

    order = [claimed().tenant_id for _ in range(20)]

    assert abs(order.count(alone.house.id) - order.count(other.house.id)) <= 2


def test_turns_are_charged_by_the_seconds_that_they_took(crowd):
    slow, quick = crowd(20), crowd(20)
    order = []
    owed = None
    for _ in range(22):
        lease = leasing.claim(worker="one", lease_s=30, owed=owed)
        order.append(lease.tenant_id)
        owed = Owed("fast", lease.tenant_id, 9.0 if lease.tenant_id == slow.house.id else 0.0)

    # Ten to one: each turn of the slow one costs 1 + 9.
    assert order.count(slow.house.id) in (2, 3)
    assert order.count(quick.house.id) >= 19


def test_no_snapshot_shows_more_in_hand_than_the_limit(app, crowd):
    one = crowd(60, cap=2)
    seen, done = [], threading.Event()

    def watch() -> None:
        with psycopg.connect(current_settings().database_owner_url, autocommit=True) as connection:
            while not done.is_set():
                wanted = "select count(*) from workflow_steps where tenant_id = %s and state = 'leased'"
                seen.append(connection.execute(wanted, (one.house.id,)).fetchone()[0])

    def work(name: str) -> None:
        with app.app_context():
            misses = 0
            while misses < 20:
                lease = leasing.claim(worker=name, lease_s=30)
                if lease is None:
                    misses += 1
                    time.sleep(0.005)
                    continue
                time.sleep(0.003)
                settling.settle(lease, None, None, carry=True)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(6)]
    watcher = threading.Thread(target=watch)
    watcher.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    watcher.join()

    assert max(seen) == 2
    with db.transaction(one.house.id) as session:
        assert session.scalar(text("select count(*) from workflow_steps where state = 'succeeded'")) == 60


def test_a_limit_in_hand_keeps_nobody_else_waiting(crowd):
    crowd(5, cap=1)
    other = crowd(3)

    leases = [leasing.claim(worker="one", lease_s=30) for _ in range(5)]

    assert [each.tenant_id for each in leases if each].count(other.house.id) == 3
    assert leases[-1] is None


def test_a_minute_of_waiting_is_worth_one_priority_and_only_inside_a_tenant(crowd):
    one = crowd(0)
    other = crowd(1, priority=1)
    for priority, waited_s in ((3, 0), (1, 0), (5, 0), (5, 300)):
        more(one, 1, priority=priority)
        with db.transaction(one.house.id) as session:
            session.execute(
                text(
                    "update workflow_steps set available_at = clock_timestamp() - make_interval(secs => :s), idem_key = :mark"
                    " where id = (select id from workflow_steps order by id desc limit 1)"
                ),
                {"s": waited_s, "mark": f"{priority} after {waited_s}"},
            )

    order = [claimed() for _ in range(5)]

    assert [each.idem_key for each in order if each.tenant_id == one.house.id] == ["5 after 300", "1 after 0", "3 after 0", "5 after 0"]
    assert order.index(next(each for each in order if each.tenant_id == other.house.id)) <= 1


def claimed():
    lease = leasing.claim(worker="one", lease_s=30)
    assert lease is not None
    return lease


def test_a_worker_claims_only_in_the_lanes_that_it_serves(engine):
    workflow = engine.publish(step("call", "webhook", method="GET", url="https://example.com"), step("last", "set", **values(x="1")))
    run_id = engine.start(workflow)

    assert engine.steps(run_id)["call"].queue == "io"
    assert leasing.claim(worker="one", lease_s=30, lanes=("fast", "ai", "bulk")) is None
    assert leasing.claim(worker="one", lease_s=30, lanes=("fast", "io")).lane == "io"


def test_a_worker_goes_round_its_lanes():
    assert in_turn(("fast", "io", "bulk"), None) == ["fast", "io", "bulk"]
    assert in_turn(("fast", "io", "bulk"), "io") == ["bulk", "fast", "io"]
    assert read_lanes("io, fast") == ("fast", "io")
    assert read_lanes("") == ("fast", "io", "ai", "bulk")
    with pytest.raises(ValueError, match="slow"):
        read_lanes("slow")


def test_a_run_that_goes_on_for_long_stands_in_line_again(engine, monkeypatch):
    monkeypatch.setattr(runner, "TURN_S", 0.0)
    workflow = engine.publish(*(step(f"say_{n}", "notification", recipients="role:owner", message="x") for n in range(3)))
    run_id = engine.start(workflow)

    engine.pump()

    assert engine.run(run_id).status == "succeeded"


def test_what_was_served_and_waited_is_written_down(app, crowd):
    one = crowd(10)
    serve(app, 10)
    leasing.claim(worker="one", lease_s=1, lanes=(), owed=Owed("fast", one.house.id, 2.5))

    with db.transaction(one.house.id) as session:
        row = session.execute(
            text(
                "select sum(claims) as claims, sum(served_s) as served, max(active) as active,"
                " sum((select sum(b) from unnest(waits) b)) as waits, sum((select sum(b) from unnest(turns) b)) as turns from workflow_shares"
            )
        ).one()
    assert (row.claims, row.served, row.waits, row.turns) == (10, 2.5, 10, 10)
    assert row.active >= 1


def test_nobody_sees_the_line_gates_and_rates_of_another_tenant(app, crowd):
    one, other = crowd(2), crowd(2)
    serve(app, 4)

    for table in ("workflow_lanes", "workflow_shares"):
        with db.transaction(one.house.id) as session:
            assert set(session.scalars(text(f"select distinct tenant_id from {table}"))) == {one.house.id}
    with pytest.raises(Exception, match="permission denied"), db.transaction(one.house.id) as session:
        session.execute(text("update workflow_lanes set weight = 100"))
    assert other.house.id != one.house.id
