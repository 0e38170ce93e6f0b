"""Versions by the interface: read, published, tried."""

from __future__ import annotations

import pytest

from portal.core.access import Actor
from portal.tenants import service as tenants
from portal.workflows.designer import drafts
from tests.identity.tokens.conftest import Program, make_token
from tests.workflows.engine.conftest import step, values

NEEDED = ["workflow:read", "workflow:edit", "workflow:publish", "run:read"]


@pytest.fixture
def program(app, tenant):
    return Program(app, make_token(tenant, "owner", wanted=NEEDED).secret)


def test_versions_are_read_published_and_tried(engine, program, tenant):
    workflow = engine.publish(step("say", "set", **values(x="1")))
    url = f"/api/v1/workflows/{workflow}"
    nodes = [step("say", "set", **values(x="2")), step("mail", "email", to="a@example.com", subject="s", body="b")]
    with engine.in_house():
        drafts.replace(tenant.id, workflow, nodes, {"inputs": []}, revision=0, label="step.changed", by=engine.by)

    tried = program.post(f"{url}/dry-runs", json={"input": {}})
    assert (tried.status_code, tried.json["status"]) == (200, "succeeded")
    assert [each.get("effect") for each in tried.json["steps"]] == [None, "not_sent"]
    assert program.post(f"{url}/dry-runs", json={"version": 1}).json["output"] == {"x": "1"}
    assert program.post(f"{url}/dry-runs", json={"version": 9}).status_code == 404
    assert program.post(f"{url}/dry-runs", json={"input": [], "answers": 1}).status_code == 422

    made = program.post(f"{url}/versions")
    assert (made.status_code, made.json["number"], made.json["is_new"]) == (201, 2, True)
    assert program.post(f"{url}/versions").status_code == 200
    assert [(each["number"], each["is_live"]) for each in program.get(f"{url}/versions").json["items"]] == [(2, True), (1, False)]
    assert program.get(made.json["url"]).json["steps"][0]["key"] == "say"
    assert program.get(f"{url}/versions/9").status_code == 404


def test_nobody_publishes_alone_by_the_interface_either(engine, program, tenant):
    workflow = engine.publish(step("say", "set", **values(x="1")))
    with engine.in_house():
        tenants.save_security(tenant.id, {"publish_needs_approval": True}, by=Actor("person", tenant.people["owner"]))

    assert program.post(f"/api/v1/workflows/{workflow}/versions").status_code == 409


def test_a_draft_that_cannot_run_names_its_fields(engine, program, tenant):
    workflow = engine.publish(step("say", "set", **values(x="1")))
    with engine.in_house():
        drafts.replace(tenant.id, workflow, [step("mail", "email")], {"inputs": []}, revision=0, label="step.changed", by=engine.by)

    for path in ("versions", "dry-runs"):
        refused = program.post(f"/api/v1/workflows/{workflow}/{path}", json={})
        assert refused.status_code == 422 and "mail" in refused.text
