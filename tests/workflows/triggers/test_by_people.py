"""By hand and through the interface: the same key starts one run."""

from __future__ import annotations

import re

import pytest

from portal.core import db
from portal.workflows.triggers import service
from tests.identity.tokens.conftest import Program, make_token
from tests.workflows.triggers.conftest import declared, step, values

QUICK = step("only", "set", **values(x="1"))


@pytest.fixture
def workflow_id(starts):
    return starts.publish_with(QUICK, inputs=[declared("who", required=True), declared("amount", "number")])


@pytest.fixture
def program(app, tenant):
    return Program(app, make_token(tenant, "member").secret)


def off(starts, workflow_id, kind):
    with db.transaction(starts.house.id):
        trigger_id = service.ensure_built_in(starts.house.id, workflow_id, kind)
    starts.switch(workflow_id, trigger_id, on=False)
    return trigger_id


def test_a_double_click_starts_one_run(starts, workflow_id, as_role):
    member = as_role("member")
    key = re.search(r'name="request_key" value="([^"]+)"', member.get(f"/workflows/{workflow_id}/run").text)[1]

    answers = [member.post(f"/workflows/{workflow_id}/run", data={"request_key": key, "who": "x"}) for _ in range(2)]
    changed = member.post(f"/workflows/{workflow_id}/run", data={"request_key": key, "who": "y"})

    assert answers[0].headers["Location"] == answers[1].headers["Location"] != changed.headers["Location"]
    assert len(starts.runs(workflow_id)) == 2


def test_a_key_with_other_inputs_is_refused(starts, workflow_id, program):
    path = f"/api/v1/workflows/{workflow_id}/runs"

    def start(**given):
        return program.post(path, json={"input": given}, headers={"Idempotency-Key": "k"})

    first, again, other = start(who="x", amount=1), start(amount=1, who="x"), start(who="x", amount=2)

    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 422)
    assert first.json["id"] == again.json["id"] and first.headers["Location"] == first.json["url"]
    assert [each["field"] for each in other.json["errors"]] == ["Idempotency-Key"]
    assert len(starts.runs(workflow_id)) == 1


def test_wrong_inputs_are_named_and_the_key_is_free_again(starts, workflow_id, program):
    path = f"/api/v1/workflows/{workflow_id}/runs"

    wrong = program.post(path, json={"input": {"amount": "many"}}, headers={"Idempotency-Key": "k"})
    right = program.post(path, json={"input": {"who": "x"}}, headers={"Idempotency-Key": "k"})

    assert wrong.status_code == 422 and {each["field"] for each in wrong.json["errors"]} == {"input.who", "input.amount"}
    assert right.status_code == 202


def test_keys_of_others_are_others(app, starts, workflow_id, tenant, program):
    another = Program(app, make_token(tenant, "builder").secret)
    path = f"/api/v1/workflows/{workflow_id}/runs"

    ids = {each.post(path, json={"input": {"who": "x"}}, headers={"Idempotency-Key": "k"}).json["id"] for each in (program, another)}

    assert len(ids) == 2


def test_a_way_that_is_switched_off_starts_nothing(starts, workflow_id, program, as_role):
    off(starts, workflow_id, "api")
    assert program.post(f"/api/v1/workflows/{workflow_id}/runs", json={"input": {"who": "x"}}).status_code == 409
    off(starts, workflow_id, "manual")
    assert as_role("member").post(f"/workflows/{workflow_id}/run", data={"who": "x"}).status_code == 303
    assert starts.runs(workflow_id) == []


def test_what_people_started_is_written_down(starts, workflow_id, tenant, program):
    program.post(f"/api/v1/workflows/{workflow_id}/runs", json={"input": {"who": "x"}})

    with db.transaction(tenant.id):
        trigger_id = service.ensure_built_in(tenant.id, workflow_id, "api")
    assert starts.outcomes(trigger_id) == ["started"]
    assert starts.runs(workflow_id)[0].executed_by == tenant.people["member"]
