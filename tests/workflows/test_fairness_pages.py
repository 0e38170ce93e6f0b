"""The pages of the fair share: what a tenant sees, what staff see and set, and where limits are set and told."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from portal.workflows.engine import runner
from portal.workflows.engine.store import leasing
from portal.workflows.fairness import figures, service
from portal.workflows.fairness.service import Place
from portal.workflows.models import WorkflowTemplate
from tests.conftest import make_house
from tests.connections.systems import connect
from tests.workflows.engine.conftest import Engine, step, values


@pytest.fixture
def crowd(engine):
    """Two tenants whose runs have been carried out; the second one is nobody's business."""
    with db.transaction(system=True) as session:
        session.execute(text("delete from workflow_shares"))  # of the tests before, which would fill the page
    other = Engine(make_house("Somebody else"))
    for one in (engine, other):
        workflow = one.publish(step("only", "set", **values(x="1")))
        for _ in range(4):
            one.start(workflow)
    runner.pump(worker="pages", budget_s=20)
    return engine, other


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_a_tenant_sees_its_own_share_and_nobody_elses(crowd, sign_in, tenant, locale):
    browser = sign_in(tenant, "owner", locale)

    page = browser.get("/settings/fairness")

    assert page.status_code == 200
    assert 'id="lane-fast"' in page.text
    assert page.text.count('aria-labelledby="lane-') == 1
    assert "Somebody else" not in page.text
    assert browser.get("/settings/fairness?span=day").status_code == 200


def test_before_anything_has_run_the_page_says_so(tenant, as_role):
    page = as_role("admin").get("/settings/fairness")

    assert "Nothing has waited for a worker" in page.text


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("builder", 403), ("member", 403), ("auditor", 403)])
def test_who_may_open_it(tenant, as_role, role, status):
    assert as_role(role).get("/settings/fairness").status_code == status


def test_staff_see_all_and_set_weights_and_limits(crowd, as_staff, tenant):
    staff = as_staff()
    url = f"/staff/tenants/{tenant.id}/limits"

    assert "Somebody else" in staff.get("/staff/fairness").text
    refused = staff.post(url, data={"weight-fast": "0", "cap-fast": "many"})
    assert (refused.status_code, 'value="many"' in refused.text) == (422, True)

    form = {f"weight-{lane}": "1" for lane in ("io", "ai", "bulk")} | {"weight-fast": "٣", "cap-fast": "5"}
    assert staff.post(url, data=form).status_code == 303
    with db.transaction(tenant.id) as session:
        rows = session.execute(text("select lane, weight, cap from workflow_lanes where cap is not null")).all()
    assert [tuple(row) for row in rows] == [("fast", 3, 5)]
    with db.transaction(system=True) as session:
        told = session.scalar(text("select count(*) from workflow_lanes where tenant_id = :id and weight = 3"), {"id": tenant.id})
    assert told == 1


def test_a_tenant_lowers_its_own_limit_and_never_raises_it(engine, tenant, as_role):
    with db.transaction(system=True) as session:
        session.execute(text("insert into workflow_lanes (lane, tenant_id, cap) values ('fast', :id, 3)"), {"id": tenant.id})
    admin, url = as_role("admin"), "/settings/fairness"

    for typed in ("4", "0", "-1", "many", "²"):
        refused = admin.post(url, data={"cap-fast": typed, "cap-io": "7"})
        assert (refused.status_code, f'value="{typed}"' in refused.text, 'value="7"' in refused.text) == (422, True, True), typed
    assert as_role("builder").post(url, data={"cap-fast": "1"}).status_code == 403
    assert set(service.places_of(tenant.id).values()) == {Place(), Place(cap=3)}
    assert admin.post(url, data={"cap-fast": "١"}).status_code == 303

    assert service.places_of(tenant.id)["fast"] == Place(cap=3, own_cap=1)
    assert "at most 1 step in hand at once" in as_role("owner").get(url).text
    with engine.in_house() as session:
        entry = text("select actor_id, details ->> 'limit' from audit_entries where action = 'organisation.own_limit_set'")
        assert [tuple(row) for row in session.execute(entry)] == [(tenant.people["admin"], "1")]
    workflow = engine.publish(step("only", "set", **values(x="1")))
    for _ in range(2):
        engine.start(workflow)
    assert leasing.claim(worker="a", lease_s=30) is not None
    assert leasing.claim(worker="b", lease_s=30) is None, "its own limit holds in the claim"

    assert admin.post(url, data={"cap-fast": ""}).status_code == 303
    assert leasing.claim(worker="b", lease_s=30) is not None, "what staff allow holds again"


@pytest.mark.parametrize(("cap", "own", "limit"), [(None, None, None), (3, None, 3), (None, 2, 2), (3, 2, 2), (1, 2, 1)])
def test_the_lower_limit_counts(cap, own, limit):
    assert Place(1, cap, own).limit == limit


def test_a_connection_is_limited_on_its_page(engine, tenant, as_role):
    connection = connect(tenant.id, "http_bearer", hosts="example.com", token="a-long-token-1")
    admin, url = as_role("admin"), f"/settings/connections/{connection}"

    refused = admin.post(f"{url}/rate", data={"rate": "many", "per": "second"})
    assert (refused.status_code, 'value="many"' in refused.text) == (422, True)
    assert admin.post(f"{url}/rate", data={"rate": "٢٠", "per": "minute"}).status_code == 303
    assert 'value="20"' in admin.get(url).text

    with engine.in_house() as session:
        assert tuple(session.execute(text("select rate_count, rate_per from connections")).one()) == (20, "minute")
        assert session.scalar(text("select count(*) from audit_entries where action = 'connection.limited'")) == 1


def settings_of(engine, workflow):
    with engine.in_house() as session:
        return session.get(WorkflowTemplate, workflow).settings


def start_card(engine, workflow, **given):
    with engine.in_house() as session:
        revision = session.get(WorkflowTemplate, workflow).draft_revision
    usual = {"revision": revision, "count": "0", "deadline": "1", "deadline_unit": "86400", "when_full": "queue", "priority": "3"}
    return {**usual, "most": "", "gate_key": "", **given}


def test_the_start_card_says_how_many_may_go_on_at_once(engine, as_role):
    workflow = engine.publish(step("only", "set", **values(x="1")))
    builder, url = as_role("builder"), f"/workflows/{workflow}/design/start"

    wrong = builder.post(url, data=start_card(engine, workflow, most="0"))
    assert wrong.status_code == 422
    wrong = builder.post(url, data=start_card(engine, workflow, most="2", gate_key="input.nobody"))
    assert (wrong.status_code, 'value="input.nobody"' in wrong.text) == (422, True)

    given = start_card(engine, workflow, most="2", when_full="refuse", priority="1", is_bulk="1")
    assert builder.post(url, data=given).status_code in (200, 303)
    kept = settings_of(engine, workflow)
    assert kept["concurrency"] == {"limit": 2, "key": "", "when_full": "refuse"}
    assert (kept["priority"], kept["lane"]) == (1, "bulk")


def test_a_run_over_the_limit_says_why_it_waits_and_a_refusal_keeps_the_form(engine, as_role):
    owner = as_role("owner")
    workflow = engine.publish(step("pause", "wait", mode="for", amount=1, unit="hours"), inputs=("who",))
    given = start_card(engine, workflow, most="1")
    given |= {"count": "1", "i-0-key": "who", "i-0-label": "who", "i-0-label_ar": "who", "i-0-type": "text"}
    owner.post(f"/workflows/{workflow}/design/start", data=given)
    with engine.in_house() as session:
        revision = session.get(WorkflowTemplate, workflow).draft_revision
    assert owner.post(f"/workflows/{workflow}/design/publish", data={"revision": revision}).status_code in (200, 303)
    engine.start(workflow, who="a")
    waits = engine.start(workflow, who="b")

    assert "It waits for its turn" in owner.get(f"/runs/{waits}").text

    owner.post(
        f"/workflows/{workflow}/design/start", data=start_card(engine, workflow, **{**given, "revision": revision, "when_full": "refuse"})
    )
    with engine.in_house() as session:
        revision = session.get(WorkflowTemplate, workflow).draft_revision
    owner.post(f"/workflows/{workflow}/design/publish", data={"revision": revision})
    refused = owner.post(f"/workflows/{workflow}/run", data={"who": "c"})
    assert refused.status_code == 422
    assert "Try again when one of them has ended" in refused.text
    assert 'value="c"' in refused.text
    assert owner.client.post(f"/workflows/{workflow}/run", json={"who": "c"}).status_code == 409


def test_the_figures_of_the_proof():
    bins = [0] * 48
    bins[0], bins[10], bins[20] = 50, 45, 5

    assert figures.percentile(bins, 0.5) == 1.0
    assert figures.percentile(bins, 0.95) == 32.0
    assert figures.percentile(bins, 1.0) == 1024.0
    assert figures.percentile([0] * 48, 0.5) is None
    assert figures.bound_turns(1, 5, 2) == 7
    assert figures.bound_turns(4, 5, 2) == 4
