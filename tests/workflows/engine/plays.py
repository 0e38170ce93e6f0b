"""The programs of the failpoint tests: together they use every move of the engine."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from portal.core import db, jobs
from portal.core.errors import Conflict
from portal.core.ids import new_id
from portal.workflows import service
from portal.workflows.engine import runner
from portal.workflows.engine.states import RUN_ENDED
from portal.workflows.engine.store import answering, ending, following, leasing
from portal.workflows.engine.store.answering import Vote
from portal.workflows.errors import TaskClosed, WrongState
from portal.workflows.runs import service as steps
from portal.workflows.signals import service as signals
from portal.workflows.triggers import times
from portal.workflows.triggers.schedule import plan_of
from tests.workflows.engine.conftest import step, values
from tests.workflows.engine.stage import Play, Stage
from tests.workflows.triggers.conftest import signed

COLUMNS = [{"key": "run", "type": "text", "label": "Run", "label_ar": None, "required": True}]


def row(key: str, **more: Any) -> dict[str, Any]:
    """A step that adds a row with the id of its run."""
    return step(key, "database", table="rows", operation="insert", values=[{"name": "run", "value": "${ run.id }"}], **more)


def rows_of(stage: Stage, run_id: UUID) -> int:
    return int(stage.scalar("select count(*) from data_rows where values->>'run' = :run", run=str(run_id)))


class Effects(Play):
    """A wait, a call that fails at first, a row, a call that is refused and caught, a call that may not be repeated."""

    calls = ("first", "refused", "caught", "once", "last")

    def nodes(self) -> list[dict[str, Any]]:
        call = self.stage.call
        return [
            step("pause", "wait", mode="for", amount=0, unit="seconds"), call("first", "?fails=1"), row("row"),
            call("refused", "?refuses=1", on_error="lane"), call("caught", parent="refused", lane="error"),
            call("once", unsafe=True), call("last"),
        ]  # fmt: skip

    def act(self, run_id: UUID) -> None:
        if self.state(run_id, "once") == "in_doubt":
            with contextlib.suppress(WrongState), self.stage.in_house():
                service.decide_step(self.stage.house.id, run_id, "once", "done", by=self.stage.by)

    def check(self, case: str) -> None:
        # What a crash left in doubt before its call is not made by itself: a person says what becomes of it.
        seen = {name for name, _key in self.stage.outside.seen(self.find(case))}
        self.calls = tuple(each for each in Effects.calls if each != "once" or each in seen)
        super().check(case)

    def look(self, run_id: UUID, counts: Counter[str]) -> None:
        assert rows_of(self.stage, run_id) == 1
        assert counts["once"] + self.has(run_id, "step.in_doubt") >= 1 >= counts["once"]
        assert counts["first"] >= 2


class Here(Play):
    """Rows, each with a commit of its own, by the process that starts the run; then a call, which it leaves to a worker."""

    calls = ("last",)

    def nodes(self) -> list[dict[str, Any]]:
        return [*(row(f"row_{number}") for number in range(3)), self.stage.call("last")]

    def start(self, case: str) -> UUID:
        following.MAX_APPLIED = 0  # in this process alone, which plays nothing else

        def move(hand: Any) -> UUID:
            with self.stage.in_house():
                return service.start_run(self.stage.house.id, self.workflow_id, given={}, by=self.stage.by, dedup_key=case, hand=hand)[0]

        return runner.start_here(move)[0]

    def look(self, run_id: UUID, counts: Counter[str]) -> None:
        assert rows_of(self.stage, run_id) == 3


class Slow(Play):
    """A call that takes longer than a third of the lease."""

    calls = ("slow", "last")

    def nodes(self) -> list[dict[str, Any]]:
        return [self.stage.call("slow", "?slow=0.8"), self.stage.call("last")]


class People(Play):
    """A signal, and a question that two people must answer; they are reminded once."""

    calls = ("last",)

    def nodes(self) -> list[dict[str, Any]]:
        people = [f"person:{self.stage.house.people[role]}" for role in ("owner", "admin")]
        return [
            step("told", "signal", signal="go", corr_key="${ run.id }"),
            step("ask", "approval", title="?", title_ar="؟", candidates=people, quorum="all", remind_h=1),
            row("row"), self.stage.call("last"),
        ]  # fmt: skip

    def act(self, run_id: UUID) -> None:
        house = self.stage.house
        if self.state(run_id, "told") == "waiting":
            signals.send_signal(house.id, "go", key=str(run_id), payload=1, by=self.stage.by, source="api", dedup_key=str(run_id))
        with self.stage.in_house() as session:
            task = session.execute(text("select * from workflow_tasks where execution_id = :id"), {"id": run_id}).first()
        if task is None or task.state != "open":
            return
        if not task.reminded:
            self.stage.as_owner("update workflow_tasks set remind_at = clock_timestamp() where id = %s and reminded = 0", task.id)
            answering.nudge(house.id, run_id, task.id)
        for role in ("owner", "admin"):
            with contextlib.suppress(TaskClosed):
                answering.vote(house.id, task.id, Vote(house.people[role], "approve", {}, "", f"person:{house.people[role]}"))

    def look(self, run_id: UUID, counts: Counter[str]) -> None:
        assert rows_of(self.stage, run_id) == 1
        tasks = "workflow_tasks where execution_id = :id"
        assert self.stage.scalar(f"select count(*) from {tasks} and state = 'decided' and reminded = 1", id=run_id) == 1
        for table, kind in (("workflow_votes", ""), ("workflow_task_notes", "and kind = 'reminded'")):
            found = self.stage.scalar(f"select count(*) from {table} where task_id in (select id from {tasks}) {kind}", id=run_id)
            assert found == (1 if kind else 2), table
        assert self.stage.scalar("select count(*) from workflow_signals where corr_key = :id", id=str(run_id)) == 1


class Children(Play):
    """A run that calls another and waits for it."""

    calls = ("inside", "last")

    def nodes(self) -> list[dict[str, Any]]:
        child = self.stage.publish(self.stage.call("inside"))
        return [step("child", "subworkflow", workflow=str(child), inputs=[]), self.stage.call("last")]

    def look(self, run_id: UUID, counts: Counter[str]) -> None:
        assert len(self.stage.family(run_id)) == 2


class Undo(Play):
    """Two calls that are taken back, the last first."""

    ends = "compensated"
    calls = ("a", "b", "un_a", "un_b")

    def nodes(self) -> list[dict[str, Any]]:
        call = self.stage.call
        made = []
        for key in ("a", "b"):
            made += [call(key, undo=True), call(f"un_{key}", parent=key, lane="undo")]
        return [*made, step("bad", "set", **values(x="${ int('no number') }"))]

    def look(self, run_id: UUID, counts: Counter[str]) -> None:
        order = [name.partition("@")[0] for name in self.stage.trace(run_id)]
        assert [name for name in order if name.startswith("un_")] == ["un_b", "un_a"]


class Paused(Play):
    """A run that is paused and resumed."""

    calls = ("first", "last")

    def nodes(self) -> list[dict[str, Any]]:
        return [self.stage.call("first"), step("told", "signal", signal="on", corr_key="${ run.id }"), self.stage.call("last")]

    def act(self, run_id: UUID) -> None:
        house, by = self.stage.house, self.stage.by
        if self.state(run_id, "told") != "waiting":
            return
        status = self.stage.run(run_id).status
        with contextlib.suppress(Conflict, WrongState):
            if status == "running" and not self.has(run_id, "run.paused"):
                with self.stage.in_house():
                    service.pause_run(house.id, run_id, by=by)
            elif status == "paused":
                with self.stage.in_house():
                    service.resume_run(house.id, run_id, by=by)
        if self.has(run_id, "run.resumed"):
            signals.send_signal(house.id, "on", key=str(run_id), payload=1, by=by, source="api", dedup_key=str(run_id))

    def look(self, run_id: UUID, counts: Counter[str]) -> None:
        for kind in ("run.paused", "run.resumed"):
            assert self.stage.scalar("select count(*) from workflow_events where execution_id = :id and kind = :k", id=run_id, k=kind) == 1


class Early(Play):
    """A call whose next attempt is sent on at once, and a wait that is skipped: neither is waited for, both happen once."""

    calls = ("again", "last")

    def nodes(self) -> list[dict[str, Any]]:
        again = {**self.stage.call("again", "?fails=1"), "retry": {"attempts": 6, "base_s": 3000, "cap_s": 3000}}
        return [again, step("pause", "wait", mode="for", amount=1, unit="hours"), self.stage.call("last")]

    def act(self, run_id: UUID) -> None:
        house, by = self.stage.house, self.stage.by
        for key, state, done in (("again", "ready", steps.hurry_step), ("pause", "waiting", steps.skip_step)):
            if self.state(run_id, key) == state:
                with contextlib.suppress(Conflict, WrongState), self.stage.in_house():
                    done(house.id, run_id, self.stage.steps(run_id)[key].id, by=by)

    def look(self, run_id: UUID, counts: Counter[str]) -> None:
        assert counts["again"] >= 2
        assert self.stage.scalar("select count(*) from workflow_events where execution_id = :id and kind = 'step.hurried'", id=run_id) == 1


class Cancelled(Play):
    """A run that is cancelled while a worker holds its step, which the worker then gives up."""

    ends = "cancelled"

    def nodes(self) -> list[dict[str, Any]]:
        return [self.stage.call("never")]

    def pump(self, run_id: UUID) -> None:
        lease = leasing.claim(worker="gives up", lease_s=60)
        if self.stage.run(run_id).status not in RUN_ENDED:
            ending.cancel(self.stage.house.id, run_id, actor="person")
        if lease is not None and lease.run_id == run_id:
            ending.give_up(lease)


class Doubt(Play):
    """A call that may not be repeated, whose worker is lost behind the fence; a person has it repeated."""

    calls = ("once", "last")

    def nodes(self) -> list[dict[str, Any]]:
        return [self.stage.call("once", unsafe=True), self.stage.call("last")]

    def pump(self, run_id: UUID) -> None:
        if self.state(run_id, "once") == "ready" and not self.has(run_id, "step.decided"):
            lease = leasing.claim(worker="lost", lease_s=0.001)
            if lease is not None and lease.run_id == run_id:
                leasing.open_run(lease)
                leasing.fence(lease, {})
        elif self.has(run_id, "step.decided"):
            super().pump(run_id)

    def act(self, run_id: UUID) -> None:
        if self.state(run_id, "once") == "in_doubt":
            decision = "done" if self.stage.outside.seen(run_id) else "repeat"
            with contextlib.suppress(WrongState), self.stage.in_house():
                service.decide_step(self.stage.house.id, run_id, "once", decision, by=self.stage.by)

    def look(self, run_id: UUID, counts: Counter[str]) -> None:
        assert counts["once"] == 1


class Replay(Play):
    """A run that fails, and is tried again from where it failed: what was done is taken over."""

    ends = "failed"
    calls = ("first",)

    def nodes(self) -> list[dict[str, Any]]:
        return [self.stage.call("first"), step("bad", "set", **values(x="${ int('no number') }"))]

    def is_over(self, run_id: UUID) -> bool:
        if self.stage.run(run_id).status != "failed":
            return False
        with self.stage.in_house():
            service.retry_run(self.stage.house.id, run_id, by=self.stage.by)
        return super().is_over(run_id)

    def look(self, run_id: UUID, counts: Counter[str]) -> None:
        old, new = self.stage.family(run_id)
        assert (old.status, new.status) == ("failed", "failed")
        assert not self.stage.outside.seen(new.id)


class Scheduled(Play):
    """A schedule that was due once while nobody looked."""

    calls = ("first",)

    def nodes(self) -> list[dict[str, Any]]:
        return [self.stage.call("first")]

    def prepare(self, case: str) -> None:
        stage = self.stage
        self.workflow_id = stage.publish(*self.nodes())
        self.trigger_id = stage.add(self.workflow_id, "schedule-cron", cron="0 3 * * *", zone="UTC", misfire="latest")
        now = datetime.now(UTC)
        last = [
            each for each in times.upcoming(plan_of(stage.trigger(self.trigger_id).config), now - timedelta(hours=25), 3) if each < now
        ][-1]
        stage.backdate(self.trigger_id, last)

    def start(self, case: str) -> UUID:
        return self.trigger_id  # nobody starts it: the dispatcher does

    def is_over(self, run_id: UUID) -> bool:
        runs = self.stage.runs(self.workflow_id)
        return bool(runs) and all(run.status in RUN_ENDED for run in runs)

    def find(self, case: str) -> UUID:
        (run,) = self.stage.runs(self.workflow_id)
        assert self.stage.outcomes(self.trigger_id) == ["started"]
        return run.id


class Arrived(Scheduled):
    """A signed delivery to an inbound webhook; the sender sends it again until it is told that it was taken."""

    def prepare(self, case: str) -> None:
        self.workflow_id = self.stage.publish(*self.nodes())
        self.trigger_id = self.stage.add(self.workflow_id, "webhook")
        self.path = f"/hooks/{self.stage.token(self.trigger_id)}"
        (self.secret,) = self.stage.secrets(self.trigger_id)
        self.told = self.stage.folder / f"told-{new_id()}"

    def start(self, case: str) -> UUID:
        body = json.dumps({"case": case}).encode()
        with self.stage.app.test_client(use_cookies=False) as client:
            answer = client.post(self.path, data=body, headers=signed(self.secret, body, message_id=case[-40:]))
        if answer.status_code == 202:
            with self.told.open("a", encoding="ascii") as file:
                file.write(f"{answer.json['id']}\n")
        return UUID(answer.json["id"]) if answer.status_code == 202 else self.trigger_id

    def is_over(self, run_id: UUID) -> bool:
        return self.told.exists() and super().is_over(run_id)

    def find(self, case: str) -> UUID:
        run_id = super().find(case)
        assert set(self.told.read_text("ascii").split()) == {str(run_id)}, "what was acknowledged is there, once"
        return run_id


class Filled(Arrived):
    """A form for everybody, sent again under its key until the page of thanks comes."""

    def prepare(self, case: str) -> None:
        self.workflow_id = self.stage.publish(*self.nodes())
        self.trigger_id = self.stage.add(self.workflow_id, "form", who="everybody", title="?", title_ar="؟")
        self.stage.switch(self.workflow_id, self.trigger_id, on=True)
        self.path = f"/f/{self.stage.token(self.trigger_id)}"
        self.key, self.told = str(new_id()), self.stage.folder / f"told-{new_id()}"

    def start(self, case: str) -> UUID:
        with self.stage.app.test_client() as client:
            answer = client.post(self.path, data={"request_key": self.key})
        if answer.status_code in (200, 303):
            self.told.touch()
        return self.trigger_id

    def find(self, case: str) -> UUID:
        return Scheduled.find(self, case)


class Posted(Play):
    """A job of the outbox that calls the receiver with the id of its row."""

    def nodes(self) -> list[dict[str, Any]]:
        return [step("nothing", "set", **values(x="1"))]

    def prepare(self, case: str) -> None:
        self.key = str(new_id())
        with db.transaction() as session:
            made = "insert into outbox (id, name, arguments) values (:id, 'test.call', cast(:given as jsonb))"
            session.execute(text(made), {"id": self.key, "given": json.dumps([self.key])})

    def turn(self, case: str) -> bool:
        if "test.call" not in jobs.registered():
            jobs.job("test.call", queue="bulk", timeout_s=5)(self._call)
        jobs.perform_outbox(self.key)
        with db.transaction(system=True) as session:
            return not session.scalar(text("select count(*) from outbox where id = :id"), {"id": self.key})

    def _call(self, key: str) -> None:
        import urllib.request

        body = json.dumps({"run": key, "step": "job"}).encode()
        asked = urllib.request.Request(f"http://127.0.0.1:{self.stage.outside.receiver}/steps", body, {"Idempotency-Key": key})
        urllib.request.urlopen(asked, timeout=5).close()

    def check(self, case: str) -> None:
        seen = self.stage.outside.seen(self.key)
        assert set(seen) == {("job", self.key)} and len(seen) <= 2


PLAYS = {each.__name__: each for each in (
    Effects, Here, Slow, People, Children, Undo, Paused, Early, Cancelled, Doubt, Replay, Scheduled, Arrived, Filled, Posted,
)}  # fmt: skip
# Every commit of the engine, and a play that comes to it. `test_failpoints` compares the names with the code.
POINTS = {
    "start": "Effects", "claim": "Effects", "open": "Effects", "fence": "Effects", "settle.succeeded": "Effects", "settle.ready": "Effects",
    "settle.failed": "Effects", "settle.waiting": "Effects", "fire": "Effects", "finish": "Effects", "lead": "Effects",
    "heartbeat": "Slow", "signal": "People", "deliver": "People", "vote": "People", "nudge": "People", "hear": "Children", "undo": "Undo",
    "pause": "Paused", "resume": "Paused", "hurry": "Early", "skip": "Early", "cancel": "Cancelled", "give_up": "Cancelled", "settle.cancelled": "Cancelled",
    "rescue": "Doubt", "settle.in_doubt": "Doubt", "decide": "Doubt", "replay": "Replay", "schedule": "Scheduled", "arrive": "Arrived",
    "outbox.take": "Posted", "outbox.done": "Posted",
}  # fmt: skip
ALSO = (
    ("start", "Here"),
    ("settle.succeeded", "Here"),
    ("arrive", "Filled"),
    ("settle.succeeded", "Undo"),
    ("claim", "Undo"),
    ("settle.succeeded", "Children"),
)
