"""The demo: one organisation, four people, workflows ready to run and ways to start them, a draft, two months of runs, open tasks, the
tables of every template; and staff."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import text

from portal.admin import service as admin
from portal.connections import service as connections
from portal.connections.checking import Given
from portal.core import clock, db, secrets
from portal.core.access import SYSTEM, Actor
from portal.core.ids import new_id
from portal.devkit import past, registers
from portal.identity import service as identity
from portal.identity.factors import service as factors
from portal.tenants import service as tenants
from portal.workflows import definition, list_queries, service
from portal.workflows.samples import catalogue
from portal.workflows.tasks import doubts
from portal.workflows.triggers import base, registry
from portal.workflows.triggers import service as triggers

PASSWORD = "weave-every-thread-1447"
PEOPLE = (
    ("salma@nasij.example", "Salma Al-Harbi", "سلمى الحربي", "owner", "ar"),
    ("omar@nasij.example", "Omar Haddad", "عمر حداد", "builder", "en"),
    ("layla@nasij.example", "Layla Nasser", "ليلى ناصر", "member", "ar"),
    ("noor@nasij.example", "Noor Saleh", "نور صالح", "auditor", "en"),
)
STAFF = ("staff@nasij.example", "Dana Al-Qahtani", "دانة القحطاني", "staff", "en")
# The phones of those who must have a second step; whoever tries the demo sees on the page what they show.
KEYS = {"salma@nasij.example": "KVKFKRCPNZQUYMLXOVYDSQKJKZDTSRLD", "staff@nasij.example": "PJWUC3LMMUQGC3TEEB2GQ4TFMFSCA5DP"}
LIVED = ("leave_request", "supplier_check", "daily_report")
# These begin without a past: their runs are real ones, and wait for somebody.
ALIVE = ("purchase_approval", "new_colleague", "overdue_invoices")
PURCHASES = (
    ("member", {"item": "12 × Office chair", "supplier": "Najd Paper Mills", "amount": 8400, "reason": "The new room on the second floor"}),
    ("member", {"item": "طابعة ملوّنة", "supplier": "شركة الواحة للنقل", "amount": 3150, "reason": "الطابعة القديمة لا تُصلَح"}),
    ("builder", {"item": "Standing desk", "supplier": "Blue Dune Textiles", "amount": 1990, "reason": ""}),
)
ORDER_INPUTS = [
    {"key": "supplier", "type": "text", "label": "Supplier", "label_ar": "المورّد", "required": True, "choices": []},
    {"key": "amount", "type": "number", "label": "Amount", "label_ar": "المبلغ", "required": True, "choices": []},
]


def _step(
    key: str, kind: str, name: str, name_ar: str, *, parent: str | None = None, lane: str | None = None, **config: Any
) -> dict[str, Any]:
    return {
        "key": key, "kind": kind, "name": name, "name_ar": name_ar, "parent": parent, "lane": lane, "config": config,
        "retry": {"attempts": definition.DEFAULT_ATTEMPTS}, "timeout_s": definition.DEFAULT_TIMEOUT_S,
    }  # fmt: skip


# A report of what came from a list, as a PDF that is mailed: what an office asks for first.
REPORT_LIST = '[{"city": "الرياض", "amount": 1200}, {"city": "جدة", "amount": 800}, {"city": "الرياض", "amount": 450}]'
REPORT_NODES = [
    _step(
        "by_city", "aggregate", "Add up by city", "الجمع حسب المدينة", list=REPORT_LIST, groups=[{"name": "city", "value": "item.city"}],
        figures=[{"name": "orders", "value": "count()"}, {"name": "total", "value": "sum(item.amount)"}],
    ),
    _step(
        "report", "document", "Make the report", "إعداد التقرير", format="pdf", title="الطلبات حسب المدينة",
        rows="steps.by_city.items",
        columns=[{"name": "city", "value": "المدينة"}, {"name": "orders", "value": "الطلبات"}, {"name": "total", "value": "المجموع"}],
    ),
    _step(
        "mail", "email", "Mail the report", "إرسال التقرير",
        to="finance@nasij.example", subject="الطلبات حسب المدينة", body="التقرير مرفق.", files="${ steps.report.file }",
    ),
]  # fmt: skip
ORDER_NODES = [
    _step("large", "condition", "Above 10,000?", "أكثر من 10,000؟", when="input.amount > 10000"),
    _step(
        "ask_finance", "email", "Ask finance", "مراسلة المالية", parent="large", lane="then",
        to="finance@nasij.example", subject="أمر شراء من ${ input.supplier }", body="المبلغ: ${ input.amount }",
    ),
    _step(
        "tell_me", "notification", "Tell who ordered", "إشعار صاحب الطلب",
        to="starter", message="أمر الشراء من ${ input.supplier } قيد المعالجة.", severity="success",
    ),
]  # fmt: skip
ORDER_NEXT = _step(
    "tell_admins", "notification", "Tell the admins", "إشعار المشرفين",
    to="admins", message="أمر شراء جديد من ${ input.supplier }.", severity="info",
)  # fmt: skip
WELCOME_NODES = [
    _step(
        "welcome", "notification", "Tell everyone", "إشعار الجميع",
        to="everyone", message="انضم إلينا ${ input.colleague }.", severity="info",
    ),
]  # fmt: skip


def seed() -> list[dict[str, Any]]:
    """Add what is missing of the demo, and return its sign-ins: [{email, password, name, name_ar, role, totp}]. Safe to repeat."""
    tenant_id = tenants.add_tenant("weavers", name="Weavers Trading", name_ar="شركة النسّاجين")
    ids = {}
    for email, name, name_ar, role, locale in PEOPLE:
        ids[role] = identity.add_person(email, name=name, name_ar=name_ar, password=PASSWORD, locale=locale)
        identity.add_member(tenant_id, ids[role], role, by=SYSTEM)
    ids["staff"] = _add_staff()
    for (email, *_), person_id in zip((*PEOPLE, STAFF), ids.values(), strict=True):
        if email in KEYS and not factors.has_factor(person_id):
            factors.add_app(person_id, KEYS[email])
    by = Actor("person", ids["owner"])
    with db.transaction(tenant_id):
        missing = not list_queries.count_workflows(tenant_id)
    if missing:
        _live_through(tenant_id, ids, by)
    registers.fill(tenant_id)
    return [
        {"email": email, "password": PASSWORD, "name": name, "name_ar": name_ar, "role": role, "totp": KEYS.get(email, "")}
        for email, name, name_ar, role, _locale in (*PEOPLE, STAFF)
    ]


def _live_through(tenant_id: UUID, people: dict[str, UUID], by: Actor) -> None:
    """Make the workflows as if two months ago, one draft as if yesterday, and the runs between."""
    now = clock.now()
    made = {}
    for slug in LIVED:
        with db.transaction(tenant_id):
            made[slug] = _begin(tenant_id, slug, by)
    made["purchase_order"] = _write(tenant_id, "Purchase order", "أمر شراء", ORDER_NODES, ORDER_INPUTS, by)
    for place, workflow_id in enumerate(made.values()):
        past.publish_then(tenant_id, workflow_id, at=now - timedelta(days=past.DAYS + 2 + place), by=people["owner"])
    past.change_draft(tenant_id, made["purchase_order"], ORDER_NEXT, at=now - timedelta(hours=5), by=people["builder"])
    colleague = {"key": "colleague", "type": "text", "label": "Name", "label_ar": "الاسم", "required": True, "choices": []}
    report = _write(tenant_id, "Report of orders", "تقرير الطلبات", REPORT_NODES, [], by)
    past.publish_then(tenant_id, report, at=now - timedelta(days=3), by=people["owner"])
    _connect(tenant_id, by)
    _come_alive(tenant_id, people, by)
    _write(tenant_id, "Welcome a new colleague", "الترحيب بزميل جديد", WELCOME_NODES, [colleague], by)
    past.write(tenant_id, made, [people["owner"], people["builder"], people["member"]])
    with db.transaction(tenant_id) as session:
        for run_id in session.scalars(text("select distinct execution_id from workflow_steps where state = 'in_doubt'")).all():
            doubts.ask(tenant_id, run_id)


def _come_alive(tenant_id: UUID, people: dict[str, UUID], by: Actor) -> None:
    """Make the workflows that ask people and go through lists, the ways in which they start, and some runs that wait."""
    made = {}
    for slug in ALIVE:
        with db.transaction(tenant_id):
            made[slug] = _begin(tenant_id, slug, by)
            service.publish_version(tenant_id, made[slug], by=by)
    purchase, colleague, invoices = made.values()
    _start(tenant_id, purchase, "form", "Purchase form", "نموذج الشراء", by)
    _start(tenant_id, purchase, "webhook", "From the shop", "من المتجر", by)
    title = {"title": "Tell us about a new colleague", "title_ar": "أخبرونا عن زميل جديد", "who": "everybody"}
    open_form = _start(tenant_id, colleague, "form", "Form for the departments", "نموذج الأقسام", by, **title)
    _start(tenant_id, invoices, "schedule-cron", "Every workday at eight", "كل يوم عمل عند الثامنة", by)
    with db.transaction(tenant_id):
        triggers.switch_trigger(tenant_id, colleague, open_form, is_enabled=True, by=by)
        for role, given in PURCHASES:
            service.start_run(tenant_id, purchase, given=given, by=Actor("person", people[role]))
        starts_on = (clock.now() + timedelta(days=6)).date().isoformat()
        given = {"name": "ريم الدوسري", "department": "المالية", "starts_on": starts_on}
        service.start_run(tenant_id, colleague, given=given, by=Actor("person", people["builder"]))
        service.start_run(tenant_id, invoices, given={}, by=by)


def _begin(tenant_id: UUID, slug: str, by: Actor) -> UUID:
    """Make a workflow from a template, under the template's own names."""
    sample = catalogue.get(slug)
    return service.create_workflow(tenant_id, name=sample.name, name_ar=sample.name_ar, sample=slug, by=by)


def _start(tenant_id: UUID, workflow_id: UUID, kind_name: str, name: str, name_ar: str, by: Actor, **config: Any) -> UUID:
    """Add a way of starting a workflow."""
    kind = registry.find(kind_name)
    assert kind is not None
    usual = {**base.defaults(kind), **({"mode": kind.variant} if kind.variant else {}), **config}
    if "zone" in usual:
        usual["zone"] = "Asia/Riyadh"
    with db.transaction(tenant_id):
        place = triggers.place_of(tenant_id, workflow_id, timezone="Asia/Riyadh")
        return triggers.add_trigger(tenant_id, workflow_id, kind, name=name, name_ar=name_ar, config=usual, place=place, by=by)


def _connect(tenant_id: UUID, by: Actor) -> None:
    """Add a connection to the webhook echo, which takes any token."""
    url = urlsplit(os.environ.get("NASIJ_ECHO_URL", "http://127.0.0.1:8026"))
    facts = {"hosts": [url.netloc], "test_url": f"{url.geturl()}/me"}
    given = Given("Finance system", "النظام المالي", facts, {"token": secrets.new_token()}, [url.netloc])
    with db.transaction(tenant_id):
        connections.add_connection(tenant_id, "http_bearer", given, by=by)


def _add_staff() -> UUID:
    """Add somebody of the house itself, who belongs to no organisation."""
    email, name, name_ar, _role, locale = STAFF
    person_id = identity.add_person(email, name=name, name_ar=name_ar, password=PASSWORD, locale=locale)
    admin.add_staff(person_id)
    return person_id


def _write(tenant_id: UUID, name: str, name_ar: str, nodes: list[dict[str, Any]], inputs: list[dict[str, Any]], by: Actor) -> UUID:
    """Add a workflow with these steps and inputs as a draft."""
    with db.transaction(tenant_id):
        return service.add_workflow(
            tenant_id, new_id(), nodes, {"inputs": inputs, "deadline_s": 86400},
            name=name, name_ar=name_ar, category=catalogue.get("blank").category, sample="blank", by=by,
        )  # fmt: skip
