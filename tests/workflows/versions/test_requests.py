"""Maker and checker: nobody publishes alone, what goes live is what was looked at, and everybody is told."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core.access import Access, Actor
from portal.core.errors import Forbidden, NotFound
from portal.identity.roles import PERMISSIONS
from portal.tenants import service as tenants
from portal.workflows import queries as workflows
from portal.workflows import service as verbs
from portal.workflows.designer import drafts
from portal.workflows.errors import NeedsApproval, WrongState
from portal.workflows.versions import publishing, queries, service
from portal.workflows.versions.publishing import AskedAlready, NothingNew
from tests.workflows.engine.conftest import step, values

WHY = publishing.Called(note="why")
SETTINGS = {"inputs": [], "deadline_s": 86400}


@pytest.fixture
def workflow(engine, tenant):
    """A workflow whose draft the builder has changed since version 1; the organisation asks for a second person."""
    workflow_id = engine.publish(step("say", "set", **values(x="1")))
    with engine.in_house():
        tenants.save_security(tenant.id, {"publish_needs_approval": True}, by=engine.by)
    change(engine, workflow_id, "2", "builder", revision=0)
    return workflow_id


def change(engine, workflow_id, said, who, *, revision):
    with engine.in_house():
        nodes, by = [step("say", "set", **values(x=said))], Actor("person", engine.house.people[who])
        drafts.replace(engine.house.id, workflow_id, nodes, SETTINGS, revision=revision, label="step.changed", by=by)


def access_of(tenant, role):
    return Access(tenant.people[role], tenant.id, role, PERMISSIONS[role], role, tenant.name, None)


def ask(engine, workflow, *, who="builder", revision=1, number=None, called=WHY):
    with engine.in_house():
        by = Actor("person", engine.house.people[who])
        return publishing.ask(engine.house.id, workflow, number=number, revision=revision, called=called, by=by)


def state(engine, request_id):
    with engine.in_house():
        return publishing.get(engine.house.id, request_id).state


def told(engine, kind):
    with engine.in_house() as session:
        rows = session.execute(text("select person_id from notifications where type = :kind"), {"kind": kind})
        return {row[0] for row in rows}


def test_nobody_publishes_alone_in_any_way(engine, workflow, tenant):
    for publish in (
        lambda: verbs.publish_version(tenant.id, workflow, by=engine.by),
        lambda: drafts.publish(tenant.id, workflow, revision=1, by=engine.by),
    ):
        with pytest.raises(NeedsApproval), engine.in_house():
            publish()
    with engine.in_house():
        assert queries.list_versions(tenant.id, workflow)[0].number == 1


def test_somebody_else_agrees_and_exactly_that_goes_live(engine, workflow, tenant):
    request_id = ask(engine, workflow)

    assert tenant.people["owner"] in told(engine, "publish.asked") and tenant.people["builder"] not in told(engine, "publish.asked")
    with engine.in_house():
        assert publishing.approve(access_of(tenant, "owner"), request_id, note="good") == 2
    with engine.in_house() as session:
        live = queries.numbered(tenant.id, workflow, 2)
        assert live.nodes[0]["config"]["values"][0]["value"] == "2"
        assert live.author_id == tenant.people["builder"]
        assert queries.get_row(tenant.id, workflow, 2).note == "why"
        assert workflows.get_workflow(tenant.id, workflow).published_version_id == live.id
        actions = set(session.scalars(text("select action from audit_entries")))
    assert {"workflow.publish_asked", "workflow.publish_approved", "workflow.published"} <= actions
    assert told(engine, "publish.approved") == {tenant.people["builder"]}
    with pytest.raises(WrongState), engine.in_house():
        publishing.approve(access_of(tenant, "owner"), request_id, note="")


def test_neither_who_asks_nor_who_edited_agrees(engine, workflow, tenant):
    change(engine, workflow, "3", "owner", revision=1)
    request_id = ask(engine, workflow, who="admin", revision=2)

    for maker in ("admin", "owner", "builder"):
        with pytest.raises(Forbidden), engine.in_house():
            publishing.approve(access_of(tenant, maker), request_id, note="")
    with pytest.raises(Forbidden), engine.in_house():
        publishing.approve(access_of(tenant, "auditor"), request_id, note="")
    assert state(engine, request_id) == "open"


def test_a_change_of_the_draft_makes_the_request_void_for_good(engine, workflow, tenant):
    request_id = ask(engine, workflow)
    change(engine, workflow, "3", "builder", revision=1)

    assert state(engine, request_id) == "void"
    with engine.in_house():
        drafts.undo(tenant.id, workflow, revision=2, by=engine.by)
    with pytest.raises(WrongState), engine.in_house():
        publishing.approve(access_of(tenant, "owner"), request_id, note="")
    assert told(engine, "publish.void") == {tenant.people["builder"]}
    assert ask(engine, workflow, revision=1) != request_id


def test_no_is_said_with_a_reason_and_one_takes_back_only_ones_own(engine, workflow, tenant):
    request_id = ask(engine, workflow)
    with pytest.raises(AskedAlready):
        ask(engine, workflow)
    with pytest.raises(NotFound), engine.in_house():
        publishing.withdraw(access_of(tenant, "owner"), request_id)
    with engine.in_house():
        publishing.reject(access_of(tenant, "owner"), request_id, note="Too fast")
    assert told(engine, "publish.rejected") == {tenant.people["builder"]}

    again = ask(engine, workflow)
    with engine.in_house():
        publishing.withdraw(access_of(tenant, "builder"), again)
    assert state(engine, again) == "withdrawn"


def test_rolling_back_needs_a_second_person_too_and_edits_do_not_make_it_void(engine, workflow, tenant):
    with pytest.raises(NothingNew):
        ask(engine, workflow, number=1)
    first = ask(engine, workflow, called=publishing.Called())
    with engine.in_house():
        publishing.approve(access_of(tenant, "owner"), first, note="")
        assert queries.get_label(tenant.id, queries.get_row(tenant.id, workflow, 2).id) is None
    with pytest.raises(NeedsApproval), engine.in_house():
        service.roll_back(tenant.id, workflow, 1, by=engine.by)

    request_id = ask(engine, workflow, number=1)
    change(engine, workflow, "9", "owner", revision=1)
    with engine.in_house():
        assert publishing.approve(access_of(tenant, "owner"), request_id, note="") == 3


def test_a_request_names_its_version(engine, workflow, tenant, as_role):
    builder, owner, url = as_role("builder"), as_role("owner"), f"/workflows/{workflow}/publish-request"
    named = {"revision": "1", "name": "  The second ", "name_ar": "الثاني", "note": "Says two now"}

    refused = builder.post(url, data={**named, "name": "x" * 121})
    assert (refused.status_code, "Says two now" in refused.text) == (422, True)
    asked = builder.post(url, data=named).headers["Location"]
    assert "The second" in owner.get(asked).text and "Says two now" in owner.get(asked).text
    with engine.in_house():
        assert queries.get_row(tenant.id, workflow, 1).label is None, "nothing is named before somebody agrees"
    assert owner.post(f"{asked}/approve", data={"note": "fine"}).status_code == 303

    with engine.in_house():
        row = queries.get_row(tenant.id, workflow, 2)
        assert (row.label, row.label_ar, row.note) == ("The second", "الثاني", "Says two now")
    assert "The second" in owner.get(f"/workflows/{workflow}/versions").text


def test_the_pages_lead_from_publish_to_asking_to_deciding(engine, workflow, as_role):
    builder, owner = as_role("builder"), as_role("owner")

    led = builder.post(f"/workflows/{workflow}/design/publish", data={"revision": "1"})
    assert led.headers["Location"].endswith("/publish-request")
    page = builder.get(led.headers["Location"])
    assert "1 step changed" in page.text
    stale = builder.post(led.headers["Location"], data={"revision": "0", "note": "kept"})
    assert stale.status_code == 409 and "kept" in stale.text
    assert builder.post(led.headers["Location"], data={"revision": "1", "note": "x" * 1001}).status_code == 422
    asked = builder.post(led.headers["Location"], data={"revision": "1", "note": "please"})
    url = asked.headers["Location"]
    assert "Agree and publish" not in builder.get(url).text and "Take the request back" in builder.get(url).text
    assert builder.post(f"{url}/approve").status_code == 403

    assert "please" in owner.get(url).text and "1 step changed" in owner.get(url).text
    assert owner.post(f"{url}/reject", data={"note": ""}).status_code == 422
    assert owner.post(f"{url}/approve", data={"note": "fine"}).status_code == 303
    assert "became version 2" in owner.get(url).text
    assert owner.post(f"{url}/reject", data={"note": "late"}).status_code == 409


def test_a_request_that_nobody_can_agree_to_says_so_and_an_open_one_is_found_under_the_versions(engine, workflow, as_role, tenant):
    builder = as_role("builder")
    able = [role for role, held in PERMISSIONS.items() if "workflow:publish" in held and role in tenant.people]
    for number, role in enumerate([each for each in able if each != "builder"]):
        change(engine, workflow, str(number + 3), role, revision=number + 1)

    asked = builder.post(f"/workflows/{workflow}/publish-request", data={"revision": str(len(able))})
    page = builder.get(asked.headers["Location"])
    assert "Nobody is there who may agree" in page.text
    assert f'href="{asked.headers["Location"]}"' in as_role("owner").get(f"/workflows/{workflow}/versions").text

    builder.post(f"{asked.headers['Location']}/withdraw")
    assert "Nobody is there who may agree" not in builder.get(asked.headers["Location"]).text


def test_the_rule_is_set_with_a_fresh_proof_only(engine, workflow, as_role, tenant):
    browser = as_role("owner")
    given = {"factor": "off", "lockout": "off", "publishing": "alone"}

    refused = browser.post("/settings/security", data=given)
    with engine.in_house():
        kept = verbs.needs_approval(tenant.id)
    if refused.status_code == 303 and "/confirm" in refused.headers["Location"]:
        assert kept
    else:
        assert not kept
