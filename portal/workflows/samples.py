"""Workflows to begin from, in both languages; each runs as it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.core.config import current_settings
from portal.core.errors import NotFound
from portal.datatables import service as tables
from portal.i18n.words import lazy_gettext as _l
from portal.workflows import office_samples
from portal.workflows.sample_parts import asked, column, pairs, step, text

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
            column("employee", "text", "Employee", "الموظف"),
            column("days", "number", "Days", "عدد الأيام"),
            column("starts_on", "date", "Starts on", "تبدأ في"),
            column("needs_manager", "boolean", "Needs the manager", "تحتاج إلى المدير"),
        ],
    )
    ask = step(
        "ask_manager",
        "email",
        "Ask the manager",
        "مراسلة المدير",
        {
            "to": "${ input.manager_email }",
            "subject": text(
                "${ input.employee } asks for ${ input.days } days of leave", "${ input.employee } يطلب إجازة مدتها ${ input.days } يوم"
            ),
            "body": text(
                "${ input.employee } asks for ${ input.days } days of leave from ${ input.starts_on }.\n\nReason: ${ input.reason }",
                "${ input.employee } يطلب إجازة تبدأ في ${ input.starts_on } ومدتها ${ input.days } يوم.\n\nالسبب: ${ input.reason }",
            ),
        },
        parent="long_leave",
        lane="then",
    )
    confirm = step(
        "confirm",
        "email",
        "Confirm to the employee",
        "تأكيد الطلب للموظف",
        {
            "to": "${ input.employee_email }",
            "subject": text("Your leave of ${ input.days } days is noted", "سُجِّلت إجازتك (${ input.days } يوم)"),
            "body": text(
                "Hello ${ input.employee },\n\nyour leave from ${ input.starts_on } is noted. No approval is needed.",
                "مرحبًا ${ input.employee }،\n\nسُجِّلت إجازتك التي تبدأ في ${ input.starts_on }، ولا تحتاج إلى موافقة.",
            ),
        },
        parent="long_leave",
        lane="else",
    )
    nodes = [
        step("long_leave", "condition", "More than 5 days?", "أكثر من ٥ أيام؟", {"when": "input.days > 5"}),
        ask,
        confirm,
        step(
            "note_down",
            "database",
            "Note the request down",
            "تسجيل الطلب",
            {
                "table": table,
                "operation": "insert",
                "values": pairs(
                    employee="${ input.employee }",
                    days="${ input.days }",
                    starts_on="${ input.starts_on }",
                    needs_manager="${ steps.long_leave.result }",
                ),
            },
        ),
        step(
            "tell_me",
            "notification",
            "Tell who asked",
            "إشعار مقدّم الطلب",
            {
                "to": "starter",
                "message": text(
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
            asked("employee", "text", "Employee", "الموظف"),
            asked("employee_email", "email", "Employee's e-mail", "بريد الموظف"),
            asked("manager_email", "email", "Manager's e-mail", "بريد المدير"),
            asked("days", "number", "Days", "عدد الأيام"),
            asked("starts_on", "date", "First day", "أول يوم"),
            asked("reason", "long_text", "Reason", "السبب", required=False),
        ],
    }


def _supplier_check(_tenant_id: UUID) -> Built:
    opened = [each for each in current_settings().openings if "/" not in each]
    address = f"http://{opened[0]}/suppliers" if opened else "https://example.com/suppliers"
    nodes = [
        step(
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
        step(
            "result",
            "set",
            "Keep the result",
            "حفظ النتيجة",
            {"values": pairs(supplier="${ input.supplier }", accepted="${ steps.ask_registry.status == 200 }")},
        ),
        step("accepted", "condition", "Accepted?", "هل قُبل؟", {"when": "steps.result.accepted"}),
        step(
            "tell_accepted",
            "notification",
            "Tell everyone",
            "إشعار الجميع",
            {
                "to": "everyone",
                "message": text("${ input.supplier } can be ordered from.", "يمكن الطلب من ${ input.supplier }."),
                "severity": "success",
            },
            parent="accepted",
            lane="then",
        ),
        step(
            "tell_refused",
            "notification",
            "Tell the admins",
            "إشعار المشرفين",
            {
                "to": "admins",
                "message": text("${ input.supplier } needs a second look.", "يحتاج ${ input.supplier } إلى مراجعة ثانية."),
                "severity": "warning",
            },
            parent="accepted",
            lane="else",
        ),
    ]
    return nodes, {
        "deadline_s": 86400,
        "inputs": [
            asked("supplier", "text", "Supplier", "المورّد"),
            asked("registration", "text", "Registration number", "رقم السجل التجاري"),
        ],
    }


def _daily_report(tenant_id: UUID) -> Built:
    table = tables.ensure_table(
        tenant_id,
        "daily_reports",
        name="Daily reports",
        name_ar="التقارير اليومية",
        columns=[
            column("day", "date", "Day", "اليوم"),
            column("orders", "number", "Orders", "الطلبات"),
            column("revenue", "number", "Revenue", "الإيراد"),
            column("average", "number", "Average order", "متوسط الطلب"),
        ],
    )
    nodes = [
        step(
            "figures",
            "set",
            "Work out the figures",
            "حساب الأرقام",
            {"values": pairs(average="${ input.orders > 0 ? double(input.revenue) / double(input.orders) : 0.0 }")},
        ),
        step(
            "write_row",
            "database",
            "Write the report",
            "كتابة التقرير",
            {
                "table": table,
                "operation": "insert",
                "values": pairs(
                    day="${ input.day }",
                    orders="${ input.orders }",
                    revenue="${ input.revenue }",
                    average="${ steps.figures.average }",
                ),
            },
        ),
        step("settle_down", "wait", "Wait a moment", "انتظار قصير", {"mode": "for", "amount": 3, "unit": "seconds"}),
        step(
            "count",
            "database",
            "Find this day's reports",
            "البحث عن تقارير اليوم",
            {"table": table, "operation": "find", "filters": pairs(day="${ input.day }"), "limit": 100},
        ),
        step(
            "tell_me",
            "notification",
            "Tell who reported",
            "إشعار صاحب التقرير",
            {
                "to": "starter",
                "message": text(
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
            asked("day", "date", "Day", "اليوم"),
            asked("orders", "number", "Orders", "عدد الطلبات"),
            asked("revenue", "number", "Revenue", "الإيراد"),
        ],
    }


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
        Sample(
            "purchase_approval",
            "stamp",
            _l("Purchase approval"),
            _l("Asks the right people, and goes on by what they decide: ordered, sent back, refused, or nobody in time."),
            "purchasing",
            "Asks for an approval and goes on by what was decided.",
            "يطلب الموافقة ثم يتابع بحسب القرار.",
            ("approval", "database", "notification"),
            office_samples.purchase_approval,
        ),
        Sample(
            "new_colleague",
            "user-plus",
            _l("First day of a new colleague"),
            _l("Gives the desk and the accounts to prepare to two people at once, and says when all is ready."),
            "people",
            "Two tasks side by side, then a word to everyone.",
            "مهمتان معًا، ثم إشعار الجميع.",
            ("parallel", "task", "notification"),
            office_samples.new_colleague,
        ),
        Sample(
            "overdue_invoices",
            "list-ordered",
            _l("Reminders of overdue invoices"),
            _l("Goes through the open invoices, reminds each customer, and lists those whose reminder failed."),
            "finance",
            "Reminds each customer, and lists what failed.",
            "يذكّر كل عميل، ويجمع ما تعذّر إرساله.",
            ("foreach", "email", "set", "notification"),
            office_samples.overdue_invoices,
        ),
    )
}
