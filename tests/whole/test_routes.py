"""Every route: guarded on purpose, and closed to strangers whatever id they hold."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Access
from portal.datatables import service as tables
from portal.exports import service as exports
from portal.identity.roles import PERMISSIONS
from portal.lists import service as lists
from portal.notifications import service as notifications
from portal.tenants.themes import service as themes
from portal.workflows import service as workflows
from tests.workflows.engine.conftest import Engine, step, values

CANARY = "canary-5502"


def test_every_route_says_who_may_enter(app):
    unguarded = [
        str(rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        and not hasattr(app.view_functions[rule.endpoint], "guarded_by")
        and not hasattr(app.view_functions[rule.endpoint], "public_because")
    ]
    assert unguarded == []


def test_what_is_for_staff_exists_for_nobody_else(app, as_role, visitor):
    paths = [rule.rule for rule in app.url_map.iter_rules() if getattr(app.view_functions[rule.endpoint], "guarded_by", "") == "staff"]
    assert paths
    for browser in (as_role("owner"), visitor):
        assert {browser.client.get(path.replace("<group>", "actions")).status_code for path in paths} == {404}


@pytest.fixture
def ours(app, tenant):
    """One thing of every kind that has an id, all marked with a canary."""
    with app.app_context():
        engine = Engine(tenant)
        workflow_id = engine.publish(step("only", "set", **values(x=CANARY)), step("pause", "wait", mode="for", amount=1, unit="hours"))
        with db.transaction(tenant.id) as session:
            session.execute(text("update workflow_templates set name = :name"), {"name": CANARY})
            columns = [{"key": "a", "type": "text", "label": CANARY, "label_ar": None, "required": False}]
            table_id = tables.create_table(tenant.id, "things", name=CANARY, name_ar=None, columns=columns, by=engine.by)
            notifications.notify(tenant.id, [tenant.people["owner"]], type="x", message=CANARY)
            notification_id = session.scalar(text("select id from notifications"))
            wanted = {"file_format": "csv", "locale": "en", "by": engine.by}
            export_id = exports.request_export(tenant.id, tenant.people["owner"], "workflows.runs", {"status": CANARY}, **wanted)
            theme_id = themes.add_theme(tenant.id, name=CANARY, name_ar=None, by=engine.by)
        run_id = engine.start(workflow_id)
        engine.pump()
        with db.transaction(tenant.id):
            here = Access(tenant.people["owner"], tenant.id, "owner", PERMISSIONS["owner"], "Owner", tenant.name, None)
            state = lists.read(lists.get("runs"), {})
            view_id = lists.save_view(here, lists.get("runs"), name=CANARY, state=state, is_shared=True)
            bulk_id = lists.ask(here, lists.get("runs"), lists.get("runs").verb("cancel"), ids=[run_id], state=state)
            lists.undo(here, bulk_id)
        return {
            "workflow_id": workflow_id,
            "run_id": run_id,
            "export_id": export_id,
            "view_id": view_id,
            "bulk_id": bulk_id,
            "table_id": table_id,
            "notification_id": notification_id,
            "node_key": "pause",
            "key": "only",
            "group": "actions",
            "theme_id": theme_id,
            "slot": "light",
            # Public by their hashes, which nobody guesses.
            "tenant_id": tenant.id,
            "sha": "nothing",
            "name": "nothing.webp",
        }


def fingerprint(tenant_id):
    """Count and sum up every row of the tenant: any change shows."""
    with db.transaction(tenant_id) as session:
        names = session.scalars(
            text("select distinct table_name from information_schema.columns where table_schema = 'public' and column_name = 'tenant_id'")
        ).all()
        return {
            name: session.scalar(text(f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {name} t where tenant_id = :id"),
                                 {"id": tenant_id})
            for name in names
            if name != "sessions"
        }  # fmt: skip


def urls(app, ids):
    for rule in app.url_map.iter_rules():
        if not rule.arguments or rule.endpoint == "static":
            continue
        assert rule.arguments <= set(ids), f"{rule} has an id that this test does not know: add one to `ours`"
        with app.app_context():
            path = app.url_map.bind("localhost").build(rule.endpoint, {name: ids[name] for name in rule.arguments})
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield method, path


def test_a_stranger_finds_nothing_and_changes_nothing(app, tenant, ours, stranger):
    before = fingerprint(tenant.id)
    tried = list(urls(app, ours))
    assert len(tried) > 15

    for method, path in tried:
        data = {"revision": "0", "kind": "set", "decision": "done", "direction": "up", "name": "x"}
        for headers in ({}, {"HX-Request": "true"}, {"Accept": "application/json"}):
            answer = stranger.client.open(path, method=method, headers=headers, data=data if method == "POST" else None)
            assert answer.status_code == 404, f"{method} {path} answered {answer.status_code}"
            assert CANARY not in answer.get_data(as_text=True), f"{method} {path} shows the canary"

    assert fingerprint(tenant.id) == before


def test_a_visitor_is_sent_to_the_sign_in_page(app, ours, visitor):
    for method, path in urls(app, ours):
        answer = visitor.client.open(path, method=method)
        if path.startswith(("/staff/", "/theme/")):
            assert answer.status_code == 404, f"{method} {path}"
            continue
        assert answer.status_code == 303, f"{method} {path}"
        assert answer.headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("role", ["auditor", "member"])
def test_who_may_not_edit_is_told_so(app, ours, as_role, role):
    browser = as_role(role)

    assert browser.get(f"/workflows/{ours['workflow_id']}").status_code == 200
    assert browser.post(f"/workflows/{ours['workflow_id']}/design/publish", data={"revision": "0"}).status_code == 403
    assert browser.get("/workflows/new").status_code == 403
    assert browser.get("/tables/new").status_code == 403


def test_a_member_handles_only_their_own_runs(app, tenant, ours, as_role):
    member = as_role("member")

    assert member.post(f"/runs/{ours['run_id']}/cancel").status_code == 404
    with db.transaction(tenant.id):
        assert workflows.queries.get_run(tenant.id, ours["run_id"]).status == "running"


def test_lists_show_only_ones_own(app, ours, stranger):
    for path in ("/home", "/workflows", "/runs", "/tables", "/notifications", "/exports"):
        page = stranger.get(path)
        assert page.status_code == 200
        assert CANARY not in page.text
