"""A run played again from a step, with its own version or another one: what is the same is taken over, the rest is done anew."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import text

from portal.core.errors import Invalid, NotFound
from portal.workflows import service
from portal.workflows.errors import WrongState
from portal.workflows.versions import replaying
from tests.workflows.engine.conftest import step, values
from tests.workflows.versions.test_moving import SETTINGS, publish

A, B, C = step("a", "set", **values(x="1")), step("b", "set", **values(x="${ steps.a.x }")), step("c", "set", **values(x="${ steps.b.x }"))


def replay(engine, run_id, *, number=None, at=None, key="k", same=False):
    with engine.in_house():
        new_id = replaying.replay(engine.house.id, run_id, number=number, at=at, key=key, has_same_keys=same, by=engine.by)
    engine.pump()
    return new_id


def test_a_run_is_played_again_from_a_step_with_its_own_version(engine):
    run = engine.go(engine.publish(A, B, C))

    new_id = replay(engine, run.id, at="b")

    assert engine.run(new_id).status == "succeeded" and engine.run(new_id).replay_of == run.id
    assert engine.steps(new_id)["a"].attempt == 0, "taken over"
    assert engine.steps(new_id)["b"].attempt == 1
    assert replay(engine, run.id, at="b") == new_id, "the same key gives the same run"
    assert replay(engine, run.id, at="b", key="other") != new_id
    engine.assert_sound(new_id)


def test_with_another_version_only_what_is_unchanged_is_taken_over(engine):
    workflow = engine.publish(A, B, C)
    run = engine.go(workflow)
    changed, new = step("b", "set", **values(x="new")), step("between", "set", **values(x="1"))
    publish(engine, workflow, {**A, "name": "Another name"}, changed, C)
    publish(engine, workflow, A, new, B, C)

    second, third = replay(engine, run.id, number=2, at="c", key="2"), replay(engine, run.id, number=3, at="c", key="3")

    assert engine.outputs(second)["c"] == {"x": "new"}
    assert {key: each.attempt for key, each in engine.steps(second).items()} == {"a": 0, "b": 1, "c": 1}
    assert {key: each.attempt for key, each in engine.steps(third).items()} == {"a": 0, "between": 1, "b": 1, "c": 1}


def test_a_block_counts_as_changed_when_something_inside_it_was(engine):
    box, inner = step("box", "foreach", source="times", times=2), step("in", "set", parent="box", lane="each", **values(x="1"))
    workflow = engine.publish(A, box, inner, C | {"config": values(x="1")})
    run = engine.go(workflow)
    publish(engine, workflow, A, box, {**inner, "config": values(x="2")}, C | {"config": values(x="1")})

    with engine.in_house():
        same = replaying.planned(engine.house.id, run.id, run.version_id, at="c")
        assert list(same.reused) == ["a", "box"] and same.begins == "c"
    assert engine.steps(replay(engine, run.id, number=2, at="c"))["box"].attempt == 1


def test_the_way_that_was_taken_stays_taken(engine):
    fork = step("which", "condition", when="input.n == 'x'")
    yes, no = (
        step("yes", "set", parent="which", lane="then", **values(x="1")),
        step("no", "set", parent="which", lane="else", **values(x="1")),
    )
    run = engine.go(engine.publish(fork, yes, no, A, inputs=("n",)), n="x")

    states = engine.states(replay(engine, run.id, at="a"))

    assert states == {"which": "succeeded", "yes": "succeeded", "no": "skipped", "a": "succeeded"}


def test_what_cannot_be_is_refused(engine):
    workflow = engine.publish(A, step("pause", "wait", mode="for", amount=1, unit="hours"))
    run_id = engine.start(workflow)
    engine.pump()
    with pytest.raises(WrongState):
        replay(engine, run_id)
    done = engine.go(engine.publish(A))
    for number, at in ((None, "nothing"), (9, None)):
        with pytest.raises(NotFound):
            replay(engine, done.id, number=number, at=at)
    wanted = engine.publish(A)
    run = engine.go(wanted)
    with engine.in_house():
        from portal.workflows.designer import drafts

        settings = {"inputs": [{"key": "n", "type": "number", "label": "N", "label_ar": None, "required": True, "choices": []}]}
        drafts.replace(engine.house.id, wanted, [A], settings, revision=0, label="start.changed", by=engine.by)
        service.publish_version(engine.house.id, wanted, by=engine.by)
    with pytest.raises(Invalid):
        replay(engine, run.id, number=2)


def test_the_page_shows_what_is_taken_over_and_starts(engine, as_role):
    workflow = engine.publish(A, B, C)
    run = engine.go(workflow)
    publish(engine, workflow, A, {**B, "config": values(x="new")}, C)
    browser, url = as_role("owner"), f"/runs/{run.id}/replay"

    assert url in browser.get(f"/runs/{run.id}").text
    page = browser.get(f"{url}?which=2&at=c")
    assert "What is taken over" in page.text and "was changed in this version" in page.text
    assert browser.post(url, data={"which": "2", "at": "x"}).status_code == 422
    started = browser.post(url, data={"which": "2", "at": "c", "request_key": "one"})
    assert engine.run(started.headers["Location"].rpartition("/")[2]).keys_of is None
    repeated = browser.post(url, data={"which": "2", "at": "c", "request_key": "two", "keys": "same"})
    assert engine.run(repeated.headers["Location"].rpartition("/")[2]).keys_of == run.id
    assert started.status_code == 303 and str(run.id) not in started.headers["Location"]
    assert as_role("member").get(url).status_code == 404


def test_inputs_that_do_not_fit_are_called_by_their_labels(engine, as_role, monkeypatch):
    workflow = engine.publish(A, B, C)
    run = engine.go(workflow)
    asked = {"key": "amount", "type": "number", "label": "Price", "label_ar": "السعر", "required": True, "choices": []}
    monkeypatch.setitem(SETTINGS, "inputs", [asked])
    publish(engine, workflow, A, B, C)

    refused = as_role("owner").post(f"/runs/{run.id}/replay", data={"which": "2", "at": "c", "request_key": "one"})

    assert refused.status_code == 422
    assert "do not fit this version: \u2068Price\u2069" in refused.text and "amount" not in refused.text


def keys_of(engine, run_id):
    """Return the keys of all steps of a run and of those that it called: (workflow, step, frame) → key."""
    wanted = """select e.workflow_id, s.node_key, s.scope_path, s.idem_key from workflow_steps s
                join workflow_executions e on e.tenant_id = s.tenant_id and e.id = s.execution_id where e.id = :run or e.root_id = :run"""
    with engine.in_house() as session:
        return {(row[0], row[1], row[2]): row[3] for row in session.execute(text(wanted), {"run": run_id})}


def carried(engine, run_id):
    for _ in range(9):
        engine.pump()
        engine.sweep()
    return run_id


def test_with_the_same_keys_receivers_can_drop_repeats(engine, post, settings):
    settings(post.port)
    inner = engine.publish(step("mail", "email", to="inner@example.com", subject="s", body="b"))
    box, within = (
        step("box", "foreach", source="times", times=2),
        step("in", "email", parent="box", lane="each", to="in@example.com", subject="s", body="b"),
    )
    call = step("call", "subworkflow", workflow=str(inner), inputs=[])
    run = engine.go(engine.publish(A, box, within, call))
    assert run.status == "succeeded"

    new, same = carried(engine, replay(engine, run.id, key="1")), carried(engine, replay(engine, run.id, key="2", same=True))
    again = carried(engine, replay(engine, same, key="3", same=True))

    first = keys_of(engine, run.id)
    assert len(first) == 6
    assert not set(keys_of(engine, new).values()) & set(first.values()), "by default all of them are new"
    assert keys_of(engine, same) == first == keys_of(engine, again)
    sent = Counter(message["X-Nasij-Idempotency-Key"] for _from, _to, message in post.mails)
    assert sorted(sent.values()) == [1, 1, 1, 3, 3, 3], "a receiver sees what it has had before"
    for each in (new, same, again):
        assert engine.run(each).status == "succeeded"
        engine.assert_sound(each)


def test_an_address_that_is_called_back_answers_one_run_only(engine):
    run_id = engine.start(engine.publish(step("answer", "callback")))
    engine.pump()
    with engine.in_house():
        service.cancel_run(engine.house.id, run_id, by=engine.by)

    again = replay(engine, run_id, same=True)

    assert not set(keys_of(engine, again).values()) & set(keys_of(engine, run_id).values())
