"""The chain of a run's events: whatever is changed, taken out, moved, added or cut off is found, without a database."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from portal.cli import main
from portal.core import db
from portal.core.config import current_settings
from portal.workflows.history import events
from portal.workflows.history.chain import Broken, Event, Head, event_line, hash_of, head_line, read, verify_file
from tests.workflows.engine.conftest import step, values

HARD = 'quotes " and \\ and \n and \t, نص عربي, \u2028, \x7f, \U0001f600, </script>'


@pytest.fixture
def lines(engine: Any) -> list[str]:
    workflow = engine.publish(
        step("a", "set", **values(x="1")),
        step("b", "set", on_error="continue", **values(x="${ int('" + "no number" + "') }")),
        step("rounds", "repeat", rounds=2, until="round >= 2"),
        step("c", "set", parent="rounds", lane="each", **values(x="1")),
    )
    run = engine.go(workflow)
    return exported(engine, run.id)


def exported(engine: Any, run_id: Any) -> list[str]:
    with engine.in_house():
        return list(events.export(events.head_of(engine.house.id, run_id)))


def found(lines: list[str]) -> tuple[int, str] | None:
    """Return what the verifier says of a file, as it would read it."""
    try:
        verify_file(iter(re.findall(r"[^\n]*\n|[^\n]+", "".join(lines))))
    except Broken as broken:
        return broken.seq, broken.reason
    return None


def test_what_was_exported_holds_and_is_json(lines):
    assert found(lines) is None
    whole = json.loads("".join(lines))
    assert whole["count"] == len(whole["events"]) == len(lines) - 2
    assert whole["events"][-1]["hash"] == whole["head"]
    assert [event["kind"] for event in whole["events"]][:2] == ["run.accepted", "run.started"]


def test_every_single_byte_matters(lines):
    from portal.workflows.history import verify

    whole = "".join(lines).encode()
    missed = []
    for place in range(len(whole)):
        for other in {whole[place] ^ 1, whole[place] ^ 0x20, 0x20, 0xFF, 0x30} - {whole[place]}:
            changed = whole[:place] + bytes([other]) + whole[place + 1 :]
            try:
                verify_file(verify._lines(io.BytesIO(changed)))
            except Broken:
                continue
            missed.append((place, other))
    assert missed == []


def test_every_deletion_insertion_exchange_and_cut_is_found_at_its_place(lines):
    head, body, tail = lines[0], lines[1:-1], lines[-1]
    for place in range(len(body)):
        without = body[:place] + body[place + 1 :]
        assert found([head, *without, tail]) is not None
        assert found([head, *body[: place + 1], body[place], *body[place + 1 :], tail]) is not None
        assert found([head, *body[:place], tail]) is not None
        if place:
            moved = [*body[: place - 1], body[place], body[place - 1], *body[place + 1 :]]
            said = found([head, *moved, tail])
            assert said is not None and said[0] == place
    assert found([head, *body[:2], *body[3:], tail]) == (3, "number")
    assert found([head, *body]) == (len(body) + 1, "short")
    assert found([*lines, " "]) == (0, "file")
    assert found([]) == (0, "file")


def test_a_chain_that_was_written_anew_is_noticed_by_the_hash_that_was_noted(lines):
    whole = json.loads("".join(lines))
    head, before, told = Head(whole["tenant"], whole["run"], whole["count"], whole["head"]), "", []
    for line in lines[1:-1]:
        given = read(line.rstrip(",\n"))
        event = Event(**{**given, "seq": int(given["seq"]), "actor": "somebody else", "prev_hash": before})
        before = hash_of(head, event)
        told.append(Event(**{**{name: getattr(event, name) for name in Event.__slots__}, "hash": before}))
    forged = Head(head.tenant, head.run, head.count, before)
    written = [head_line(forged), *(event_line(each, is_last=each.seq == head.count) for each in told), lines[-1]]
    assert found(written) is None
    with pytest.raises(Broken):
        verify_file(iter(written), expected=whole["head"])


def test_events_of_another_run_do_not_fit(engine, lines):
    other = exported(engine, engine.go(engine.publish(step("a", "set", **values(x="1")))).id)
    assert found([lines[0], *other[1:]]) is not None
    assert found([lines[0].replace(json.loads("".join(lines))["run"], json.loads("".join(other))["run"]), *lines[1:]]) == (1, "changed")


def test_the_command_and_the_module_say_what_is_wrong(lines, tmp_path):
    fine, broken = tmp_path / "fine.json", tmp_path / "broken.json"
    fine.write_text("".join(lines))
    broken.write_text("".join([*lines[:3], lines[3].replace("step.", "stop."), *lines[4:]]))
    head = json.loads("".join(lines))["head"]

    good = CliRunner().invoke(main, ["verify-history", str(fine), "--head", head])
    bad = CliRunner().invoke(main, ["verify-history", str(broken)])
    other = CliRunner().invoke(main, ["verify-history", str(fine), "--head", "00" * 32])
    # Without any setting, and so without a database.
    module = subprocess.run([sys.executable, "-m", "portal.workflows.history.verify", str(broken)], capture_output=True, text=True, env={})

    assert (good.exit_code, good.output.startswith("OK: ")) == (0, True)
    assert (bad.exit_code, bad.output) == (1, "BROKEN: Event 3 is not as it was written.\n")
    assert (other.exit_code, other.output) == (1, "BROKEN: The last event is not the one that the head names.\n")
    assert (module.returncode, module.stdout) == (1, bad.output)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)


def test_any_data_is_hashed_here_as_in_the_database(engine):
    run_id = engine.start(engine.publish(step("a", "set", **values(x="1"))))

    @settings(max_examples=60, deadline=None)
    @given(st.dictionaries(st.text(max_size=6), ODD, max_size=4), st.text(max_size=20))
    def check(data: dict[str, Any], actor: str) -> None:
        tell(engine, run_id, db.to_json(data), db.to_json(actor)[1:-1])
        events.check(engine.house.id, run_id)
        assert found(exported(engine, run_id)) is None

    tell(engine, run_id, db.to_json({"hard": HARD, "1": 1.50, "exp": 1e22, "deep": {"bb": 1, "a": [1, None, -0.0]}}), HARD)
    events.check(engine.house.id, run_id)
    check()


def tell(engine: Any, run_id: Any, data: str, actor: str) -> None:
    with psycopg.connect(current_settings().database_owner_url) as connection:
        connection.execute(
            "with told as (insert into workflow_events (tenant_id, execution_id, seq, kind, actor, data)"
            " select tenant_id, id, event_seq + 1, 'test.told', %s, %s::jsonb from workflow_executions where id = %s returning seq, hash)"
            " update workflow_executions e set event_seq = told.seq, event_hash = told.hash from told where e.id = %s",
            (actor.replace("\x00", ""), data, run_id, run_id),
        )


CHANGES = {
    "changed": "update workflow_events set actor = 'somebody' where execution_id = %s and seq = 2",
    "later": "update workflow_events set at = at + interval '1 microsecond' where execution_id = %s and seq = 2",
    "deleted": "delete from workflow_events where execution_id = %s and seq = 2",
    "tail": "delete from workflow_events where execution_id = %s and seq = (select event_seq from workflow_executions e where e.id = execution_id)",
    "data": "update workflow_events set data = '{\"a\": 1}' where execution_id = %s and seq = 2",
}


@pytest.mark.parametrize("how", CHANGES)
def test_a_change_in_the_database_is_found_and_told_once(engine, how, monkeypatch):
    run = engine.go(engine.publish(step("a", "set", **values(x="1"))))
    with psycopg.connect(current_settings().database_owner_url) as connection:
        connection.execute("set session_replication_role = replica")  # who can do this passes every trigger by
        connection.execute(CHANGES[how], (run.id,))
    monkeypatch.setattr(events, "_sample", lambda: [(engine.house.id, run.id)])

    assert (events.watch(), events.watch()) == (1, 0)

    with db.transaction(engine.house.id) as session:
        entry = session.execute(text("select details from audit_entries where action = 'history.broken'")).one()
        bell = session.execute(text("select person_id, type, link from notifications where type = 'history.broken'")).all()
    assert entry.details["event"] in (2, run.event_seq)
    assert [(row.person_id, row.link) for row in bell if row.person_id == engine.house.people["owner"]] == [
        (engine.house.people["owner"], f"/runs/{run.id}")
    ]


def test_a_sound_history_gives_no_alarm_and_a_sample_takes_the_newest_runs(engine, monkeypatch):
    monkeypatch.setattr(events, "SAMPLE", 10_000)  # other tests of this database have newer ones
    run = engine.go(engine.publish(step("a", "set", **values(x="1"))))

    assert (engine.house.id, run.id) in events._sample()
    assert events.check(engine.house.id, run.id).count == run.event_seq


def test_events_do_not_go_while_their_run_stays(engine):
    run_id = engine.start(engine.publish(step("a", "set", **values(x="1"))))
    with pytest.raises(psycopg.errors.RestrictViolation), psycopg.connect(current_settings().database_owner_url) as connection:
        connection.execute("delete from workflow_events where execution_id = %s", (run_id,))


def test_an_event_can_only_stand_behind_another(engine):
    run_id = engine.start(engine.publish(step("a", "set", **values(x="1"))))
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation), psycopg.connect(current_settings().database_owner_url) as connection:
        connection.execute(
            "insert into workflow_events (tenant_id, execution_id, seq, kind) select tenant_id, id, event_seq + 2, 'x' from workflow_executions where id = %s",
            (run_id,),
        )
