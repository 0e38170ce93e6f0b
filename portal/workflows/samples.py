"""Workflows to begin from, in both languages; each runs as it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.core.config import current_settings
from portal.core.errors import NotFound
from portal.datatables import service as tables
from portal.i18n.locale import chosen_tag
from portal.i18n.words import lazy_gettext as _l

Built = tuple[list[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Sample:
    """A way to begin; `build` returns nodes and settings, and makes the data table that they write to."""

    slug: str
    icon: str
    name: Any
    description: Any
    category: str
    text: str | None
    text_ar: str | None
    kinds: tuple[str, ...]
    build: Callable[[UUID], Built]


def get(slug: str) -> Sample:
    """Return a sample.

    Raises:
        NotFound: there is none of this name.
    """
    found = SAMPLES.get(slug)
    if found is None:
        raise NotFound
    return found


def _blank(_tenant_id: UUID) -> Built:
    return [], {"inputs": [], "deadline_s": 86400}


def _leave_request(tenant_id: UUID) -> Built:
    table = tables.ensure_table(
        tenant_id,
        "leave_requests",
        name="Leave requests",
        name_ar="طلبات الإجازة",
        columns=[
            _column("employee", "text", "Employee", "الموظف"),
            _column("days", "number", "Days", "عدد الأيام"),
            _column("starts_on", "date", "Starts on", "تبدأ في"),
            _column("needs_manager", "boolean", "Needs the manager", "تحتاج إلى المدير"),
        ],
    )
    ask = _step(
        "ask_manager",
        "email",
        "Ask the manager",
        "مراسلة المدير",
        {
            "to": "${ input.manager_email }",
            "subject": _text(
                "${ input.employee } asks for ${ input.days } days of leave", "${ input.employee } يطلب إجازة مدتها ${ input.days } يوم"
            ),
            "body": _text(
                "${ input.employee } asks for ${ input.days } days of leave from ${ input.starts_on }.\n\nReason: ${ input.reason }",
                "${ input.employee } يطلب إجازة تبدأ في ${ input.starts_on } ومدتها ${ input.days } يوم.\n\nالسبب: ${ input.reason }",
            ),
        },
        parent="long_leave",
        lane="then",
    )
    confirm = _step(
        "confirm",
        "email",
        "Confirm to the employee",
        "تأكيد الطلب للموظف",
        {
            "to": "${ input.employee_email }",
            "subject": _text("Your leave of ${ input.days } days is noted", "سُجِّلت إجازتك (${ input.days } يوم)"),
            "body": _text(
                "Hello ${ input.employee },\n\nyour leave from ${ input.starts_on } is noted. No approval is needed.",
                "مرحبًا ${ input.employee }،\n\nسُجِّلت إجازتك التي تبدأ في ${ input.starts_on }، ولا تحتاج إلى موافقة.",
            ),
        },
        parent="long_leave",
        lane="else",
    )
    nodes = [
        _step("long_leave", "condition", "More than 5 days?", "أكثر من ٥ أيام؟", {"when": "input.days > 5"}),
        ask,
        confirm,
        _step(
            "note_down",
            "database",
            "Note the request down",
            "تسجيل الطلب",
            {
                "table": table,
                "operation": "insert",
                "values": _pairs(
                    employee="${ input.employee }",
                    days="${ input.days }",
                    starts_on="${ input.starts_on }",
                    needs_manager="${ steps.long_leave.result }",
                ),
            },
        ),
        _step(
            "tell_me",
            "notification",
            "Tell who asked",
            "إشعار مقدّم الطلب",
            {
                "to": "starter",
                "message": _text(
                    "The leave request of ${ input.employee } (${ input.days } days) is on its way.",
                    "طلب إجازة ${ input.employee } (${ input.days } يوم) قيد المعالجة.",
                ),
                "severity": "success",
            },
        ),
    ]
    return nodes, {
        "deadline_s": 86400,
        "inputs": [
            _input("employee", "text", "Employee", "الموظف"),
            _input("employee_email", "email", "Employee's e-mail", "بريد الموظف"),
            _input("manager_email", "email", "Manager's e-mail", "بريد المدير"),
            _input("days", "number", "Days", "عدد الأيام"),
            _input("starts_on", "date", "First day", "أول يوم"),
            _input("reason", "long_text", "Reason", "السبب", required=False),
        ],
    }


def _supplier_check(_tenant_id: UUID) -> Built:
    opened = [each for each in current_settings().openings if "/" not in each]
    address = f"http://{opened[0]}/suppliers" if opened else "https://example.com/suppliers"
    nodes = [
        _step(
            "ask_registry",
            "webhook",
            "Ask the registry",
            "الاستعلام من السجل",
            {
                "method": "POST",
                "url": address,
                "headers": [],
                "body": '{"supplier": "${ input.supplier }", "registration": "${ input.registration }"}',
                "if_cut_off": "repeat",
            },
        ),
        _step(
            "result",
            "set",
            "Keep the result",
            "حفظ النتيجة",
            {"values": _pairs(supplier="${ input.supplier }", accepted="${ steps.ask_registry.status == 200 }")},
        ),
        _step("accepted", "condition", "Accepted?", "هل قُبل؟", {"when": "steps.result.accepted"}),
        _step(
            "tell_accepted",
            "notification",
            "Tell everyone",
            "إشعار الجميع",
            {
                "to": "everyone",
                "message": _text("${ input.supplier } can be ordered from.", "يمكن الطلب من ${ input.supplier }."),
                "severity": "success",
            },
            parent="accepted",
            lane="then",
        ),
        _step(
            "tell_refused",
            "notification",
            "Tell the admins",
            "إشعار المشرفين",
            {
                "to": "admins",
                "message": _text("${ input.supplier } needs a second look.", "يحتاج ${ input.supplier } إلى مراجعة ثانية."),
                "severity": "warning",
            },
            parent="accepted",
            lane="else",
        ),
    ]
    return nodes, {
        "deadline_s": 86400,
        "inputs": [
            _input("supplier", "text", "Supplier", "المورّد"),
            _input("registration", "text", "Registration number", "رقم السجل التجاري"),
        ],
    }


def _daily_report(tenant_id: UUID) -> Built:
    table = tables.ensure_table(
        tenant_id,
        "daily_reports",
        name="Daily reports",
        name_ar="التقارير اليومية",
        columns=[
            _column("day", "date", "Day", "اليوم"),
            _column("orders", "number", "Orders", "الطلبات"),
            _column("revenue", "number", "Revenue", "الإيراد"),
            _column("average", "number", "Average order", "متوسط الطلب"),
        ],
    )
    nodes = [
        _step(
            "figures",
            "set",
            "Work out the figures",
            "حساب الأرقام",
            {"values": _pairs(average="${ input.orders > 0 ? double(input.revenue) / double(input.orders) : 0.0 }")},
        ),
        _step(
            "write_row",
            "database",
            "Write the report",
            "كتابة التقرير",
            {
                "table": table,
                "operation": "insert",
                "values": _pairs(
                    day="${ input.day }",
                    orders="${ input.orders }",
                    revenue="${ input.revenue }",
                    average="${ steps.figures.average }",
                ),
            },
        ),
        _step("settle_down", "wait", "Wait a moment", "انتظار قصير", {"mode": "for", "amount": 3, "unit": "seconds"}),
        _step(
            "count",
            "database",
            "Find this day's reports",
            "البحث عن تقارير اليوم",
            {"table": table, "operation": "find", "filters": _pairs(day="${ input.day }"), "limit": 100},
        ),
        _step(
            "tell_me",
            "notification",
            "Tell who reported",
            "إشعار صاحب التقرير",
            {
                "to": "starter",
                "message": _text(
                    "The report of ${ input.day } is written (${ steps.count.count } that day).",
                    "كُتب تقرير ${ input.day } (عدد تقارير اليوم: ${ steps.count.count }).",
                ),
                "severity": "info",
            },
        ),
    ]
    return nodes, {
        "deadline_s": 86400,
        "inputs": [
            _input("day", "date", "Day", "اليوم"),
            _input("orders", "number", "Orders", "عدد الطلبات"),
            _input("revenue", "number", "Revenue", "الإيراد"),
        ],
    }


def _text(english: str, arabic: str) -> str:
    """Return the text in the language of the person who begins with the sample: it is theirs to change from then on."""
    return arabic if chosen_tag() == "ar" else english


def _step(
    key: str, kind: str, name: str, name_ar: str, config: dict[str, Any], *, parent: str | None = None, lane: str | None = None
) -> dict[str, Any]:
    return {
        "key": key,
        "kind": kind,
        "name": name,
        "name_ar": name_ar,
        "parent": parent,
        "lane": lane,
        "config": config,
        "retry": {"attempts": 3},
        "timeout_s": 30,
    }


def _input(key: str, kind: str, label: str, label_ar: str, *, required: bool = True) -> dict[str, Any]:
    return {"key": key, "type": kind, "label": label, "label_ar": label_ar, "required": required, "choices": []}


def _column(key: str, kind: str, label: str, label_ar: str) -> dict[str, Any]:
    return {"key": key, "type": kind, "label": label, "label_ar": label_ar, "required": False}


def _pairs(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


SAMPLES = {
    sample.slug: sample
    for sample in (
        Sample(
            "blank", "file-plus", _l("Blank workflow"), _l("Begin with nothing and add your own steps."), "general", None, None, (), _blank
        ),
        Sample(
            "leave_request",
            "calendar-check",
            _l("Employee leave request"),
            _l("Long leaves go to the manager by e-mail, short ones are confirmed at once; all are noted in a data table."),
            "people",
            "Long leaves go to the manager, short ones are confirmed at once.",
            "الإجازات الطويلة تُرسَل إلى المدير، والقصيرة تُؤكَّد فورًا.",
            ("condition", "email", "database", "notification"),
            _leave_request,
        ),
        Sample(
            "supplier_check",
            "store",
            _l("New supplier check"),
            _l("Asks another system about a new supplier and tells the right people what it answered."),
            "purchasing",
            "Asks the registry about a new supplier.",
            "يستعلم من السجل عن مورّد جديد.",
            ("webhook", "set", "condition", "notification"),
            _supplier_check,
        ),
        Sample(
            "daily_report",
            "chart-column",
            _l("Daily report to a data table"),
            _l("Works out the figures of a day, writes them into a data table and tells you when it is done."),
            "reports",
            "Writes the figures of a day into a data table.",
            "يكتب أرقام اليوم في جدول بيانات.",
            ("set", "database", "wait", "notification"),
            _daily_report,
        ),
    )
}
