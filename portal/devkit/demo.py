"""The demo: an organisation with four people and three workflows ready to run, and a small second one that staff are in as well."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.admin import service as admin
from portal.core import db
from portal.core.access import SYSTEM, Actor
from portal.identity import service as identity
from portal.tenants import service as tenants
from portal.workflows import queries, samples, service

PASSWORD = "weave-every-thread-1447"
PEOPLE = (
    ("salma@nasij.example", "Salma Al-Harbi", "سلمى الحربي", "owner", "ar"),
    ("omar@nasij.example", "Omar Haddad", "عمر حداد", "builder", "en"),
    ("layla@nasij.example", "Layla Nasser", "ليلى ناصر", "member", "ar"),
    ("noor@nasij.example", "Noor Saleh", "نور صالح", "auditor", "en"),
)
STAFF = ("staff@nasij.example", "Dana Al-Qahtani", "دانة القحطاني", "en")
NAMES_AR = {
    "leave_request": "طلب إجازة موظف",
    "supplier_check": "التحقق من مورّد جديد",
    "daily_report": "التقرير اليومي إلى جدول بيانات",
}


def seed() -> list[dict[str, Any]]:
    """Add what is missing of the demo, and return its sign-ins: [{email, password, name, role}]. Safe to repeat."""
    tenant_id = tenants.add_tenant("weavers", name="Weavers Trading", name_ar="شركة النسّاجين")
    ids = {}
    for email, name, name_ar, role, locale in PEOPLE:
        ids[role] = identity.add_person(email, name=name, name_ar=name_ar, password=PASSWORD, locale=locale)
        identity.add_member(tenant_id, ids[role], role, by=SYSTEM)
    _add_staff(tenant_id)
    by = Actor("person", ids["owner"])
    with db.transaction(tenant_id):
        missing = not queries.list_workflows(tenant_id)
    for slug, name_ar in NAMES_AR.items() if missing else ():
        with db.transaction(tenant_id):
            name = str(samples.get(slug).name)
            workflow_id = service.create_workflow(tenant_id, name=name, name_ar=name_ar, sample=slug, by=by)
            service.publish_version(tenant_id, workflow_id, by=by)
    people = [(email, name, role) for email, name, _ar, role, _locale in PEOPLE] + [(*STAFF[:2], "staff")]
    return [{"email": email, "password": PASSWORD, "name": name, "role": role} for email, name, role in people]


def _add_staff(tenant_id: UUID) -> None:
    """Somebody of the house itself, who reads in the demo organisation and has one of their own to switch to."""
    email, name, name_ar, locale = STAFF
    person_id = identity.add_person(email, name=name, name_ar=name_ar, password=PASSWORD, locale=locale)
    identity.add_member(tenant_id, person_id, "auditor", by=SYSTEM)
    own_id = tenants.add_tenant("nasij-team", name="Nasij Team", name_ar="فريق نسيج")
    identity.add_member(own_id, person_id, "owner", by=SYSTEM)
    admin.add_staff(person_id)
