"""What the tests of failpoints play: small programs, the people and systems around them, and processes that fail at a point.

Everything that a play does is safe to repeat: whoever begins it anew after a crash goes on with what is there.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from portal.core import db, failpoints, jobs
from portal.core.config import ROOT, current_settings
from portal.workflows import queries
from portal.workflows.engine import janitor, runner
from portal.workflows.engine.states import RUN_ENDED
from portal.workflows.errors import DraftInvalid
from portal.workflows.triggers import firing
from tests.workflows.engine.conftest import step
from tests.workflows.triggers.conftest import Starts

LEASE_S = 1
PATIENCE_S = 40.0
DATABASES = ("DATABASE_URL", "DATABASE_SYSTEM_URL")


class Outside:
    """The receiver and the wire of `outside.py`, in their own process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        port = urlsplit(current_settings().database_url).port
        command = [sys.executable, str(ROOT / "tests/workflows/engine/outside.py"), str(port), str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.receiver, self.wire = (int(each) for each in self.process.stdout.readline().split())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()

    def seen(self, run_id: object) -> list[tuple[str, str]]:
        """Return (step, key) of every call of a run."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.receiver}/seen?run={run_id}", timeout=10) as answer:
            return [(name, key) for name, key in json.load(answer)]


class Stage(Starts):
    """A tenant whose runs are played in child processes that fail."""

    def __init__(self, house: Any, app: Any, outside: Outside, folder: Path) -> None:
        super().__init__(house)
        self.app, self.outside, self.folder = app, outside, folder

    def call(self, key: str, query: str = "", *, unsafe: bool = False, attempts: int = 6, **more: Any) -> dict[str, Any]:
        """Return a step that calls the receiver."""
        url = f"http://127.0.0.1:{self.outside.receiver}/steps{query}"
        body = f'{{"run": "${{ run.id }}", "step": "{key}"}}'
        node = step(key, "webhook", method="POST", url=url, headers=[], body=body, if_cut_off="ask" if unsafe else "repeat", **more)
        return {**node, "retry": {"attempts": attempts, "base_s": 0.02}}

    def publish(self, *nodes: dict[str, Any], **settings: Any) -> Any:
        try:
            return super().publish(*nodes, **settings)
        except DraftInvalid as wrong:
            raise AssertionError(wrong.problems) from wrong

    def pass_leases(self) -> None:
        """Let every lease be over, as after a long stop; what a stopped process has locked stays as it is."""
        self.as_owner("update workflow_steps set lease_until = clock_timestamp() - interval '1 second' where state = 'leased'")
        self.as_owner("update outbox set taken_until = null, available_at = clock_timestamp() where taken_until is not null")

    def as_owner(self, statement: str, *values: object) -> None:
        with contextlib.suppress(psycopg.errors.LockNotAvailable), psycopg.connect(current_settings().database_owner_url) as connection:
            connection.execute("set lock_timeout = '100ms'")
            connection.execute(statement, values)

    def scalar(self, statement: str, **values: object) -> Any:
        with self.in_house() as session:
            return session.scalar(text(statement), values)

    def family(self, run_id: UUID) -> list[Any]:
        """Return a run with the runs that it began, or that began from it."""
        with self.in_house() as session:
            wanted = text("select * from workflow_executions where :id in (id, root_id, replay_of) order by created_at, id")
            return list(session.execute(wanted, {"id": run_id}))

    def begin(self, play: Play, case: str, *, failpoint: str = "", by_wire: bool = False) -> int:
        """Play in a new process; return its id. It ends with 0 once the play is over."""
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            self._enter(failpoint, by_wire=by_wire)
            with self.app.app_context():
                code = 0 if self._play(play, case) else 3
        except BaseException:
            with (self.folder / f"{case}.log").open("a", encoding="utf-8") as log:
                traceback.print_exc(file=log)
        finally:
            os._exit(code)

    def _enter(self, failpoint: str, *, by_wire: bool) -> None:
        db.dispose()
        jobs.connection.cache_clear()
        os.environ.update(FAILPOINT=failpoint, LEASE_S=str(LEASE_S), EGRESS_ALLOW=f"127.0.0.1:{self.outside.receiver}")
        for name in DATABASES if by_wire else ():
            parts = urlsplit(os.environ[name])
            os.environ[name] = urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{self.outside.wire}")))
        current_settings.cache_clear()
        db.engine.cache_clear()
        failpoints.arm(current_settings())

    def _play(self, play: Play, case: str) -> bool:
        end, is_done, stalled = time.monotonic() + PATIENCE_S, False, time.monotonic() + 2
        while not is_done and time.monotonic() < end:
            try:
                is_done = play.turn(case)
            except (failpoints.Struck, DBAPIError):
                self.pass_leases()  # what this process held when it failed
            if not is_done and time.monotonic() > stalled:
                self.pass_leases()  # what another process held when it failed
                stalled += 2
            time.sleep(0.02)
        return is_done

    def wait(self, pid: int, *, until_stopped: bool = False) -> int:
        """Return how a process ended: its code, or minus its signal; or that it was stopped."""
        end = time.monotonic() + PATIENCE_S + 10
        while time.monotonic() < end:
            found, status = os.waitpid(pid, os.WNOHANG | (os.WUNTRACED if until_stopped else 0))
            if found:
                return -os.WSTOPSIG(status) if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise AssertionError("the play did not end")


class Play:
    """A program, who acts on it, and what must be there when it is over.

    Args:
        ends: how its run ends.
        calls: the steps whose call must have come, each under one key.
    """

    ends = "succeeded"
    calls: tuple[str, ...] = ()

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.workflow_id = stage.publish(*self.nodes())

    def nodes(self) -> list[dict[str, Any]]:
        raise NotImplementedError

    def prepare(self, case: str) -> None:
        """Do what must be there before anybody begins."""

    def start(self, case: str) -> UUID:
        return self.stage.start(self.workflow_id, key=case)

    def find(self, case: str) -> UUID:
        """Return the only run of a case; more than one, or none, fails."""
        with self.stage.in_house() as session:
            wanted = text("select id from workflow_executions where workflow_id = :workflow and dedup_key = :key")
            return session.execute(wanted, {"workflow": self.workflow_id, "key": case}).scalar_one()

    def turn(self, case: str) -> bool:
        """Do a little of everything; say whether the run and all that belongs to it is over."""
        run_id = self.start(case)
        janitor.lead(f"dispatcher-{os.getpid()}")
        self.pump(run_id)
        self.act(run_id)
        janitor.sweep()
        firing.fire_due()
        return self.is_over(run_id)

    def pump(self, run_id: UUID) -> None:
        runner.pump(worker=f"worker-{os.getpid()}", budget_s=5)

    def act(self, run_id: UUID) -> None:
        """Do what people and other systems do to the run by now."""

    def is_over(self, run_id: UUID) -> bool:
        return all(run.status in RUN_ENDED for run in self.stage.family(run_id))

    def check(self, case: str) -> None:
        """Compare what came to the receiver, and what is kept, with what must be there: nothing lost, nothing doubled."""
        run_id = self.find(case)
        family = self.stage.family(run_id)
        seen: list[tuple[str, str]] = []
        for run in family:
            seen += self.stage.outside.seen(run.id)
            self.stage.assert_sound(run.id)
        assert (family[0].status, family[0].error) == (self.ends, family[0].error), family[0].error
        keys = {name: {key for step, key in seen if step == name} for name, _key in seen}
        assert {name: len(each) for name, each in keys.items()} == dict.fromkeys(self.calls, 1)
        self.look(run_id, Counter(name for name, _key in seen))

    def look(self, run_id: UUID, counts: Counter[str]) -> None:
        """Check what is special to this play; `counts` says how often each step's call came."""

    def has(self, run_id: UUID, kind: str) -> bool:
        """Say whether an event of this kind is in the run's log."""
        found = self.stage.scalar("select count(*) from workflow_events where execution_id = :id and kind = :kind", id=run_id, kind=kind)
        return bool(found)

    def state(self, run_id: UUID, key: str) -> str | None:
        with self.stage.in_house():
            return next((row.state for row in queries.steps_of(self.stage.house.id, run_id) if row.node_key == key), None)


def strike(stage: Stage, play: Play, move: str, side: str, how: str) -> None:
    """Fail at a point in one way, go on with what is left, and check what came of it."""
    case = f"{move}-{side}-{how}-{time.monotonic_ns()}"
    marker = stage.folder / ("cut" if how == "cut" else case)
    marker.unlink(missing_ok=True)
    play.prepare(case)
    pid = stage.begin(play, case, failpoint=f"{move}:{side}:{how}:{marker}", by_wire=how == "cut")
    ended = _outlive(stage, play, case, pid, how)
    log = stage.folder / f"{case}.log"
    said = log.read_text("utf-8") if log.exists() else ""
    assert not said, said
    assert marker.exists(), f"nothing ever came to {move}:{side}"
    assert ended, "the play did not end well"
    play.check(case)


def _outlive(stage: Stage, play: Play, case: str, pid: int, how: str) -> bool:
    if how in ("raise", "cut"):
        return stage.wait(pid) == 0
    if how == "kill":
        killed = stage.wait(pid) == -signal.SIGKILL
        stage.pass_leases()
        return killed and stage.wait(stage.begin(play, case)) == 0
    if stage.wait(pid, until_stopped=True) != -signal.SIGSTOP:
        return False
    stage.pass_leases()
    other = stage.begin(play, case)
    time.sleep(LEASE_S + 0.2)  # what it has locked keeps its lease from being moved
    os.kill(pid, signal.SIGCONT)
    return [stage.wait(pid), stage.wait(other)] == [0, 0]
