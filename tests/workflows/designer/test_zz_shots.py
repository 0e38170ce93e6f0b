import json, os
import pytest
from portal.core import db
from portal.core.access import Actor
from portal.workflows import service, queries
from portal.workflows.designer import drafts, clips
from portal.workflows.designer.edits import Place
from tests.workflows.designer.test_hands import *  # noqa
from tests.workflows.designer.test_hands import open_design, chromium, address

def node(key, kind, name, ar, parent=None, lane=None, **config):
    note = config.pop("note", None)
    return {"key": key, "kind": kind, "name": name, "name_ar": ar, "parent": parent, "lane": lane, "config": config, "retry": {"attempts": 3}, "timeout_s": 30, **({"note": note} if note else {})}

TWELVE = [
    node("set", "set", "Collect what is asked", "جمع المطلوب", values=[{"name": "total", "value": "${ input.days }"}], note="The numbers come from the old sheet; ask Salma before you change them."),
    node("switch", "switch", "How large is it?", "ما حجمه؟", cases=[{"name": "Small", "value": "input.days < 3"}, {"name": "Large", "value": "input.days > 10"}]),
    node("a", "email", "Tell the team", "إخبار الفريق", "switch", "case_1", to="team@example.com", subject="x", body="y"),
    node("b", "approval", "The manager agrees", "موافقة المدير", "switch", "case_2", title="Agree?", candidates=["role:owner"], own_lanes=True),
    node("c", "notification", "It is agreed", "تمت الموافقة", "b", "approve", to="starter", title="ok", message="ok"),
    node("d", "stop", "Not agreed", "لم يوافق", "b", "reject", outcome="failed"),
    node("e", "wait", "Wait a day", "انتظار يوم", "switch", "otherwise", amount=1, unit="days"),
    node("loop", "foreach", "Each order", "كل طلب", source="list", list="steps.set.total"),
    node("f", "database", "Write it down (orders)", "تدوينه (الطلبات)", "loop", "each", operation="insert", table="orders"),
    node("if", "condition", "Is it paid?", "هل دُفع؟", when="input.days > 5"),
    node("g", "webhook", "Book it in the ledger", "قيده في الدفتر", "if", "then", url="https://ledger.example/api"),
    node("h", "goto", "Ask again", "السؤال من جديد", "if", "else", to="set"),
]

@pytest.mark.parametrize("locale", ["ar", "en"])
def test_shots(open_design, tenant, locale, address):
    by = Actor("person", tenant.people["builder"])
    with db.transaction(tenant.id):
        wid = service.create_workflow(tenant.id, name="Orders of the season", name_ar="طلبات الموسم", sample="blank", by=by)
        drafts.replace(tenant.id, wid, TWELVE, {"inputs": [{"key": "days", "type": "number", "label": "Days", "label_ar": "الأيام", "required": True, "choices": []}]}, revision=0, label="step.added", by=by)
    out = f"/tmp/shots"; os.makedirs(out, exist_ok=True)
    for width in (1280, 390):
        page = open_design(locale, width=width)
        for theme in ("light", "dark"):
            if os.environ.get("ONLY") and f"{width}-{theme}" not in os.environ["ONLY"]: continue
            for name, q in (("plain", ""), ("step", "?step=set"), ("start", "?step=start"), ("choose", "?select=1"), ("map", "/map"), ("mapfit", "/map?fit=1")):
                if os.environ.get("PAGES") and name not in os.environ["PAGES"].split(","): continue
                page.goto(f"{address}/workflows/{wid}/design{q}")
                page.evaluate(f"document.documentElement.dataset.theme='{theme}'")
                if name == "choose":
                    for k in ("a", "b"): page.check(f"#choose-{k}")
                page.screenshot(path=f"{out}/{name}-{locale}-{width}-{theme}.png", full_page=name in ("plain", "choose", "map"))
