"""Every page there is, with one thing of every kind on it, and somebody who looks at them in either language."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from portal.admin import service as staff
from portal.admin.gallery import GROUPS
from portal.core import clock, db
from portal.core.access import Access, Actor
from portal.core.config import ROOT
from portal.datatables import service as tables
from portal.exports import service as exports
from portal.identity.factors import service as factors
from portal.identity.roles import PERMISSIONS
from portal.identity.support import service as support
from portal.lists import service as lists
from portal.notifications import service as notifications
from portal.tenants.themes import service as themes
from portal.workflows import service
from portal.workflows.exchange import service as exchange
from tests.browser.chromium import enter
from tests.whole.test_routes import pages_of
from tests.workflows.engine.conftest import Engine, step, values
from tests.workflows.home.conftest import Ground


@pytest.fixture
def pages(app, tenant):
    """A tenant with one thing of every kind, and the address of every page."""
    ground, now, by = Ground(tenant), clock.now(), Actor("person", tenant.people["owner"])
    with app.app_context(), db.transaction() as session:
        session.execute(
            text("update tenants set name = :name where id = :id"), {"name": "A rather long name of an organisation", "id": tenant.id}
        )
    published = ground.workflow("A rather long name of a workflow", name_ar="اسم طويل بعض الشيء لمسار عمل")
    runs = [
        ground.run(published, now - timedelta(hours=hours), status) for hours, status in ((1, "succeeded"), (5, "failed"), (30, "failed"))
    ]
    with app.app_context(), db.transaction(tenant.id):
        sample = service.create_workflow(tenant.id, name="Leave", name_ar="إجازة", sample="leave_request", by=by)
        service.publish_version(tenant.id, sample, by=by)
        columns = [{"key": "amount", "type": "number", "label": "Amount", "label_ar": "المبلغ", "required": True}]
        table = tables.create_table(tenant.id, "orders", name="Orders", name_ar="الطلبات", columns=columns, by=by)
        tables.insert_row(tenant.id, "orders", {"amount": 1250.5})
        notifications.notify(tenant.id, [tenant.people["owner"]], type="run.failed", message="", severity="error", link=f"/runs/{runs[1]}")
        exports.request_export(tenant.id, tenant.people["owner"], "workflows.runs", {}, file_format="csv", locale="en", by=by)
    with app.app_context(), db.transaction(tenant.id):
        files = [(ROOT / "tests/workflows/exchange/n8n" / f"{name}.json").read_bytes() for name in ("41_agent", "36_form")]
        imported = [exchange.bring_in(tenant.id, each, may_use_connections=True, by=by)[0].id for each in files]
    with app.app_context(), db.transaction(tenant.id):
        theme = themes.add_theme(tenant.id, name="Corporate", name_ar="الهوية", by=by)
        themes.save_theme(tenant.id, theme, {"colors": {"light": {"primary": "#ffcc00"}}}, by=by)
    with app.test_request_context(), db.transaction(tenant.id):
        here = Access(by.id, tenant.id, "owner", PERMISSIONS["owner"], "Owner", tenant.name, None)
        kind = lists.get("runs")
        state = lists.read(kind, {"status": ["failed"], "from": ["2026-01-01"]})
        view = lists.save_view(here, kind, name="A rather long name of a view", state=state, is_shared=True)
        lists.open_first(here, view, is_first=True)
        gone = lists.save_view(here, lists.get("workflows"), name="Gone", state=lists.read(lists.get("workflows"), {}), is_shared=False)
        lists.delete_view(here, gone)
        factor = factors.begin_app(by.id)
        bulk = lists.ask(here, kind, kind.verb("cancel"), ids=runs, state=state)
        lists.undo(here, bulk)
    flow, told = f"/workflows/{sample}", f"/runs/{_told(app, tenant)}"
    return [
        "/home", "/workflows", "/workflows/new", "/templates", "/templates?q=nothing+of+this", "/templates/show?template=nca_ecc_review", f"{flow}/template", "/workflows/import", f"/workflows/{imported[0]}/import", f"/workflows/{imported[1]}/import",
        f"/workflows/import/done?w={imported[0]}&w={imported[1]}", f"/workflows/{imported[0]}", flow, f"{flow}/describe", f"{flow}/design", f"{flow}/design?step=ask_manager",
        f"{flow}/design/add?after=long_leave&parent=&lane=", f"{flow}/run", "/runs", "/runs?status=cancelled", f"/runs?view={view}", f"/runs?view={view}&status=failed&sort=duration",
        f"/views/{view}", f"/bulk/{bulk}", f"/workflows?view=all&deleted={gone}&state=x", f"/runs/{runs[0]}",
        f"/runs/{runs[1]}", f"{told}?step=first", f"{told}?step=first&view=json", f"{told}?step=inside", f"{told}?step=ask", f"{told}?step=after", f"/runs/{runs[0]}/compare",
        f"/runs/{runs[0]}/compare/{runs[1]}", "/runs?view=all&where=input.days+gt+1", "/runs?view=all&where_path=nothing", "/tables", "/tables/new", f"/tables/{table}", "/notifications", "/exports", "/nowhere",
        "/settings/sign-in", f"/settings/sign-in/app/{factor}", "/settings/security",
        "/settings/preferences", "/settings/themes", f"/settings/themes/{theme}", f"/settings/themes/{theme}/versions", "/search", "/search?q=leave", "/shortcuts", "/calendar?month=2026-12",
        "/settings", "/settings/password", "/settings/devices", "/settings/support", "/confirm", "/password/forgotten", "/password/reset?token=x",
    ]  # fmt: skip


def _told(app, tenant):
    """A run with something to show in the inspector: values, rounds, a question, a step that it has not reached."""
    form = [{"type": "text", "label": "Why", "label_ar": "لماذا", "key": "why", "required": True}]
    with app.app_context():
        engine = Engine(tenant)
        run_id = engine.start(
            engine.publish(
                step("first", "set", **values(amount="${ 1250.5 }", who="ليلى", lines="${ [1, 2, {'a b': 'x'}] }")),
                step("each", "foreach", source="list", list="['a', 'b']"),
                step("inside", "set", parent="each", lane="each", **values(n="${ item }")),
                step("ask", "approval", title="May it?", candidates=["role:owner"], form=form),
                step("after", "set", **values(y="1")),
            )
        )
        engine.pump()
    return run_id


@pytest.fixture
def routed(app, ours, pages, as_role):
    """The addresses of all pages that an owner can open, but those of `pages`."""
    return sorted(set(pages_of(app, ours, as_role("owner"))) - set(pages))


@pytest.fixture
def staff_pages(app, tenant, staffer, as_staff, pages):
    """Every kind of page that staff see; the tenant lets them look."""
    by = Actor("person", tenant.people["owner"])
    with app.app_context(), db.unit_of_work(tenant.id):
        support.grant(tenant.id, 4, by=by)
    until = clock.now() + timedelta(hours=1)
    staff.announce(text="Slow today", text_ar="بطء اليوم", tone="warning", since=None, until=until, by=Actor("person", staffer.id))
    return [
        "/staff", "/staff/tenants", "/staff/tenants?q=nothing-at-all", f"/staff/tenants/{tenant.id}", f"/staff/tenants/{tenant.id}/visit",
        "/staff/jobs", "/staff/announcements", "/staff/switches", "/settings", "/search?q=a", "/shortcuts", "/settings/preferences", "/settings/sign-in", "/settings/password", "/settings/devices", "/staff/gallery", *(f"/staff/gallery/{group}" for group in GROUPS),
    ]  # fmt: skip


def signed_in(chromium, address, tenant, locale, theme="light", *, staffer=None, **look):
    who = {"email": staffer.email, "home": "/staff"} if staffer else {}
    context, page = enter(chromium, address, tenant, "en", [], **who)
    context.add_cookies([{"name": "theme", "value": theme, "url": address}])
    if locale == "ar":
        page.click("[data-lang-switch] button")
        page.wait_for_selector("html[dir=rtl]")
    if look:
        page.set_viewport_size(look)
    return context, page
