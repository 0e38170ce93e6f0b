"""Samples in which people are asked, and lists are gone through."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.datatables import service as tables
from portal.workflows.sample_parts import asked, column, pairs, step, text

Built = tuple[list[dict[str, Any]], dict[str, Any]]
DAY_S = 86_400


def purchase_approval(tenant_id: UUID) -> Built:
    """Return an approval whose four ends have lanes of their own."""
    table = tables.ensure_table(
        tenant_id, "purchases", name="Purchases", name_ar="المشتريات",
        columns=[
            column("item", "text", "Item", "الصنف"), column("supplier", "text", "Supplier", "المورّد"),
            column("amount", "number", "Amount", "المبلغ"), column("approved_by", "text", "Approved by", "وافق عليه"),
        ],
    )  # fmt: skip
    ask = step(
        "ask", "approval", "May it be bought?", "هل يُشترى؟",
        {
            "title": "${ input.item }: ${ input.amount } SAR", "title_ar": "${ input.item }: ${ input.amount } ريال",
            "details": text(
                "Supplier: ${ input.supplier }\nWhy: ${ input.reason }", "المورّد: ${ input.supplier }\nالسبب: ${ input.reason }"
            ),
            "candidates": ["role:owner", "role:admin"], "may_return": True, "own_lanes": True, "limit": 2, "limit_unit": "working_days",
            "remind_h": 8,
        },
    )  # fmt: skip
    nodes = [
        ask,
        _in_lane(
            "approve", "order", "database", "Note the purchase down", "تسجيل الشراء",
            table=table, operation="insert",
            values=pairs(
                item="${ input.item }", supplier="${ input.supplier }", amount="${ input.amount }", approved_by="${ steps.ask.by }"
            ),
        ),
        _tell("approve", "tell_approved", "success", "It can be ordered: ${ input.item }.", "يمكن طلب ${ input.item }."),
        _tell(
            "return", "tell_returned", "warning",
            "${ input.item } was sent back: ${ steps.ask.note }", "أُعيد طلب ${ input.item } للتعديل: ${ steps.ask.note }",
        ),
        _tell(
            "reject", "tell_refused", "warning", "${ input.item } was refused: ${ steps.ask.note }", "رُفض ${ input.item }: ${ steps.ask.note }"
        ),
        _tell("expired", "tell_late", "error", "Nobody decided on ${ input.item } in time.", "لم يبتّ أحد في ${ input.item } في الوقت."),
    ]  # fmt: skip
    return nodes, {
        "deadline_s": 14 * DAY_S,
        "inputs": [
            asked("item", "text", "What is needed", "المطلوب"), asked("supplier", "text", "Supplier", "المورّد"),
            asked("amount", "number", "Amount in SAR", "المبلغ بالريال"), asked("reason", "long_text", "Why", "السبب", required=False),
        ],
    }  # fmt: skip


def new_colleague(_tenant_id: UUID) -> Built:
    """Return two tasks side by side, each with outcomes and a form of its own."""
    serial = asked("serial", "text", "Serial number of the laptop", "الرقم التسلسلي للحاسوب")
    nodes = [
        step("ready", "parallel", "Prepare at the same time", "التجهيز في وقت واحد", {"lanes": 2}),
        _task(
            "desk", "lane_1", "Prepare the desk", "تجهيز المكتب",
            "A desk and a laptop for ${ input.name }", "مكتب وحاسوب من أجل ${ input.name }", form=[serial],
        ),
        _task(
            "accounts", "lane_2", "Set up the accounts", "إنشاء الحسابات",
            "Accounts for ${ input.name } (${ input.department })", "حسابات ${ input.name } (${ input.department })", form=[],
        ),
        step(
            "tell", "notification", "Tell everyone", "إشعار الجميع",
            {
                "to": "everyone", "severity": "success",
                "message": text(
                    "${ input.name } begins on ${ input.starts_on }: everything is ready.", "ينضم ${ input.name } إلينا في ${ input.starts_on }، وكل شيء جاهز."
                ),
            },
        ),
    ]  # fmt: skip
    return nodes, {
        "deadline_s": 30 * DAY_S,
        "inputs": [
            asked("name", "text", "Name", "الاسم"), asked("department", "text", "Department", "القسم"),
            asked("starts_on", "date", "First day", "أول يوم"),
        ],
    }  # fmt: skip


INVOICES = """[{"customer": "شركة الواحة", "email": "wahah@nasij.example", "amount": 4200},
 {"customer": "Najd Paper Mills", "email": "no address", "amount": 900},
 {"customer": "مؤسسة الإتقان", "email": "itqan@nasij.example", "amount": 15300}]"""


def overdue_invoices(_tenant_id: UUID) -> Built:
    """Return a for-each in which one item fails, is caught in its error lane, and is counted."""
    mail = step(
        "remind", "email", "Remind the customer", "تذكير العميل",
        {
            "to": "${ item.email }", "subject": text("Your invoice of ${ item.amount } SAR", "فاتورتكم بمبلغ ${ item.amount } ريال"),
            "body": text(
                "Dear ${ item.customer },\n\nour invoice of ${ item.amount } SAR is overdue.",
                "السادة ${ item.customer }،\n\nتأخّر سداد فاتورتنا بمبلغ ${ item.amount } ريال.",
            ),
        },
        parent="each", lane="each",
    )  # fmt: skip
    nodes = [
        step(
            "each", "foreach", "For each invoice", "لكل فاتورة",
            {"source": "list", "list": INVOICES, "at_once": 2, "if_fails": "continue"},
        ),
        {**mail, "on_error": "lane"},
        step(
            "call_them", "set", "To be called instead", "يُتصل به بدلًا من ذلك",
            {"values": pairs(customer="${ item.customer }", why="${ error.code }")}, parent="remind", lane="error",
        ),
        step(
            "tell", "notification", "Tell the admins", "إشعار المشرفين",
            {
                "to": "admins", "severity": "info",
                "message": text("${ steps.each.count } overdue invoices were gone through.", "رُوجعت الفواتير المتأخرة، وعددها ${ steps.each.count }."),
            },
        ),
    ]  # fmt: skip
    return nodes, {"deadline_s": DAY_S, "inputs": []}


def _in_lane(lane: str, key: str, kind: str, name: str, name_ar: str, **config: Any) -> dict[str, Any]:
    return step(key, kind, name, name_ar, config, parent="ask", lane=lane)


def _tell(lane: str, key: str, severity: str, english: str, arabic: str) -> dict[str, Any]:
    """Tell the admins: a run that a form or another system started has nobody else."""
    return _in_lane(
        lane, key, "notification", "Tell the admins", "إشعار المشرفين", to="admins", message=text(english, arabic), severity=severity
    )


def _task(key: str, lane: str, name: str, name_ar: str, title: str, title_ar: str, *, form: list[dict[str, Any]]) -> dict[str, Any]:
    config = {
        "title": title, "title_ar": title_ar, "candidates": ["role:owner", "role:admin", "role:builder"], "form": form,
        "outcomes": [
            {"key": "done", "label": "Done", "label_ar": "تم"}, {"key": "not_possible", "label": "Not possible", "label_ar": "غير ممكن"},
        ],
        "limit": 3, "limit_unit": "working_days", "escalate_h": 8, "escalate_to": ["role:owner"],
    }  # fmt: skip
    return step(key, "task", name, name_ar, config, parent="ready", lane=lane)
