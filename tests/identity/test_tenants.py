"""Several organisations: the switch between them, and that nothing of one is seen from the other."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from portal.core import db
from portal.core.access import SYSTEM
from portal.identity import queries
from portal.identity import service as identity


@pytest.fixture
def both(app, tenant, other_tenant, sign_in):
    """The owner of one organisation, who is an auditor in the other."""
    with app.app_context():
        identity.add_member(other_tenant.id, tenant.people["owner"], "auditor", by=SYSTEM)
    return sign_in(tenant, "owner")


def book(tenant_id):
    with db.transaction(tenant_id) as session:
        return list(session.scalars(text("select action from audit_entries where action like 'session.%' order by at")))


def test_who_is_in_one_organisation_sees_no_switch(as_role):
    page = as_role("owner").get("/workflows")

    assert "tenant-menu" not in page.text
    assert "Test house" in page.text


def test_the_switch_changes_organisation_role_and_session(both, tenant, other_tenant):
    assert "Other house" in both.get("/workflows").text
    before = both.client.get_cookie("sid").value

    answer = both.post("/tenant", data={"tenant": str(other_tenant.id)})

    assert answer.status_code == 303
    assert both.client.get_cookie("sid").value != before
    assert "· \u2068Other house\u2069</title>" in both.get("/workflows").text
    assert both.get("/workflows/new").status_code == 403
    assert book(tenant.id)[-1] == "session.left"
    assert book(other_tenant.id) == ["session.entered"]


def test_the_session_before_the_switch_is_dead(app, both, other_tenant):
    before = both.client.get_cookie("sid").value
    both.post("/tenant", data={"tenant": str(other_tenant.id)})
    thief = app.test_client()
    thief.set_cookie("sid", before)

    assert thief.get("/workflows").status_code == 303


@pytest.mark.parametrize("wanted", ["", "no-id", "01a20ab7-d9bd-7ab1-abbd-7e94df80a01e"])
def test_an_organisation_that_is_not_there_is_not_entered(both, tenant, wanted):
    assert both.post("/tenant", data={"tenant": wanted}).status_code == 404
    assert both.get("/workflows").status_code == 200
    assert "session.left" not in book(tenant.id)


def test_nobody_enters_an_organisation_of_others(as_role, other_tenant):
    browser = as_role("owner")

    assert browser.post("/tenant", data={"tenant": str(other_tenant.id)}).status_code == 404
    assert "Other house" not in browser.get("/workflows").text
    assert book(other_tenant.id) == []


def test_a_closed_organisation_is_not_offered(both, other_tenant):
    with db.transaction() as session:
        session.execute(text("update tenants set status = 'suspended' where id = :id"), {"id": other_tenant.id})

    assert "Other house" not in both.get("/workflows").text
    assert both.post("/tenant", data={"tenant": str(other_tenant.id)}).status_code == 404


def test_asking_for_ones_organisations_opens_no_other_members(app, both, tenant, other_tenant):
    from portal.identity import queries

    with app.app_context(), db.transaction(tenant.id) as session:
        assert len(queries.tenants_of(tenant.people["owner"])) == 2
        seen = session.scalars(text("select distinct tenant_id from memberships")).all()
    assert seen == [tenant.id]


def test_a_part_of_a_page_says_that_the_session_ended_and_leads_nowhere(visitor):
    answer = visitor.get("/search", fragment=True)

    assert answer.status_code == 401
    assert "HX-Redirect" not in answer.headers
    assert answer.headers["HX-Reswap"] == "none"


def test_a_form_sent_without_a_session_comes_back_to_its_page(app, tenant):
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        answer = app.test_client().post("/tables/new", data={"name": "kept"}, headers={"Referer": "http://localhost/tables/new?x=1"})
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=/tables/new?x%3D1"


def test_an_open_page_keeps_its_session(as_role, visitor):
    assert as_role("owner").get("/session").status_code == 204
    assert visitor.get("/session", fragment=True).status_code == 401


def test_without_its_database_a_page_says_so_instead_of_breaking(as_role, monkeypatch):
    """What a restart of PostgreSQL looks like to who is signed in: the question for their session fails."""
    browser = as_role("owner")

    def away(*_asked, **_more):
        raise OperationalError("select", {}, ConnectionError("the server closed the connection"))

    monkeypatch.setattr(queries, "session_row", away)
    page = browser.get("/workflows")

    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    monkeypatch.undo()
    assert browser.get("/workflows").status_code == 200
