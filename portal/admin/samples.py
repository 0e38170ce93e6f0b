"""What the gallery shows inside components that take more than texts, in the reader's language. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from portal.core import charts, clock
from portal.core.access import access
from portal.core.charts import Item, Moment, Series
from portal.core.paging import Listing
from portal.core.palette import Entry, Kind
from portal.i18n import formats, locale, schedules
from portal.i18n.months import Month, month_of
from portal.lists import service as lists


def say(english: str, arabic: str) -> str:
    """Return the text of the reader's language; samples are no strings of the product, so no catalogue has them."""
    return arabic if locale.current().tag == "ar" else english


def samples() -> dict[str, Any]:
    """Return every sample by the name that the gallery's templates use."""
    now = clock.now().replace(microsecond=0)
    return {
        "say": say,
        "now": now,
        "earlier": now - timedelta(hours=5),
        "cards": _cards(),
        "run_card": _run_card(),
        "month": _month(),
        "schedule": schedules.explained("*/15 9-16 * * 0-4", after=now, zone=ZoneInfo("Asia/Riyadh")),
        **_list(),
        "entries": _entries(),
        "charts": _charts(),
        "happened": _happened(now),
    }


def _happened(now: datetime) -> list[dict[str, Any]]:
    rows = (
        ("Run started", "بدأت عملية التشغيل", "info", "play", 9),
        ("The manager was asked", "سُئل المدير", "neutral", "mail", 8),
        ("The mail server was busy", "كان خادم البريد مشغولًا", "warning", "triangle-alert", 7),
        ("Succeeded", "تم بنجاح", "success", "circle-check", 2),
    )
    return [
        {"at": now - timedelta(minutes=minutes), "title": say(english, arabic), "text": "", "tone": tone, "icon": icon}
        for english, arabic, tone, icon, minutes in rows
    ]


def _card(key: str, kind: str, names: tuple[str, str], label: tuple[str, str], **more: Any) -> SimpleNamespace:
    place = SimpleNamespace(parent=None, lane=None)
    made = {"summary": [], "problems": [], "lanes": [], "state": None, "place": place, "crowd": None, "node": {}, **more}
    made["inside"] = sum(1 + each.inside for lane in made["lanes"] for each in lane.cards)
    made["lane_groups"] = [made["lanes"]] if made["lanes"] else []
    return SimpleNamespace(key=key, kind=kind, name=names[0], name_ar=names[1], label=say(*label), **made)


def _month() -> Month:
    reader = locale.current()
    both = replace(reader, preferences=replace(reader.preferences, calendar="umalqura"))
    return month_of("2026-12", chosen=date(2026, 12, 8), focus=None, today=date(2026, 12, 3), reader=both)


def _entries() -> list[Entry]:
    about = say("Published, version 3", "منشور، الإصدار 3")
    return [
        Entry(Kind.PAGE, say("Workflows", "مسارات العمل"), "workflow", "#sample-palette_group"),
        Entry(Kind.WORKFLOW, say("Leave request", "طلب إجازة"), "workflow", "#sample-palette_group", about=about),
    ]


def _state(state: str) -> SimpleNamespace:
    return SimpleNamespace(state=state, duration_ms=1840, attempt=1, error=None, due_at=None)


def _cards() -> list[SimpleNamespace]:
    mail, condition = ("Send an e-mail", "إرسال بريد إلكتروني"), ("Condition", "شرط")
    inside = _card("gallery_deeper", "notification", ("Tell the team", "أخبِر الفريق"), ("Notify", "إشعار"), state=_state("skipped"))
    lanes = [
        SimpleNamespace(name="then", cards=[inside], is_taken=False, label=say("Yes", "نعم"), icon="check"),
        SimpleNamespace(name="else", cards=[], is_taken=True, label=say("No", "لا"), icon="x"),
    ]
    problem = SimpleNamespace(step="gallery_first", field="to", message=say("Say who gets it.", "حدّد المستلم."))
    return [
        _card(
            "gallery_first", "email", ("Ask the manager", "اسأل المدير"), mail,
            summary=[("text", say("to", "إلى")), ("code", "manager@example.com")], problems=[problem], state=_state("succeeded"),
            node={"note": say("Ask Salma before you change it.", "اسأل سلمى قبل تعديله.")},
        ),
        _card("gallery_second", "condition", ("Is it long?", "هل هي طويلة؟"), condition, lanes=lanes, state=_state("leased")),
    ]  # fmt: skip


def _list() -> dict[str, Any]:
    """Return a list of runs, narrowed, sorted and on its second page, as its components take it."""
    here, kind = access(), lists.get("runs")
    shown = lists.open_list(kind, {"status": ["failed"]}, here, url="#sample-view_tabs")
    view = lists.View(here.person_id, say("Failed lately", "فشلت مؤخرًا"), lists.read(kind, {}), is_shared=True, is_mine=True, is_first=True)
    shown = replace(shown, views=(view,))
    listing: Listing[str] = Listing(["one"] * 25, "next", 312, "previous", 25)
    return {"shown": shown, "listing": listing, "range": lists.range_of(listing), "verbs": kind.verbs[:2]}


def _run_card() -> SimpleNamespace:
    names = ("Write the row", "كتابة السجل")
    return _card("gallery_run", "database", names, ("Write to a table", "كتابة في جدول"), state=_state("succeeded"))


def _charts() -> dict[str, Any]:
    """Return one chart of each kind, small enough to be seen through."""
    rtl = locale.current().dir == "rtl"
    days = [(say(english, arabic), right, wrong) for english, arabic, right, wrong in WEEK]
    series = (Series(say("Succeeded", "ناجحة"), 3, "53"), Series(say("Failed", "فاشلة"), 4, "7"))
    moments = [
        Moment(day, day, f"{day}: {right} / {wrong}", (right, wrong), (formats.number(right), formats.number(wrong)))
        for day, right, wrong in days
    ]
    items = [Item(say(english, arabic), value, str(value), f"{say(english, arabic)}: {value}") for english, arabic, value in SHARES]
    told: dict[str, Any] = {
        "title": say("A week of runs", "عمليات التشغيل في أسبوع"),
        "summary": say("60 runs in a week.", "60 عملية في أسبوع."),
        "rtl": rtl,
    }
    when, heads = say("Day", "اليوم"), (say("Workflow", "مسار العمل"), say("Runs", "عمليات التشغيل"))
    hours = [[(day * 7 + hour * 3) % 11 for hour in range(12)] for day in range(3)]
    names = [day for day, _right, _wrong in days[:3]]
    columns = [f"{hour:02}" for hour in range(0, 24, 2)]
    spoken = [[f"{name} {columns[place]}: {value}" for place, value in enumerate(row)] for name, row in zip(names, hours, strict=True)]
    return {
        "stacked": charts.stacked("gallery-stacked", series, moments, when=when, write=formats.number, **told),
        "line": charts.line("gallery-line", series, moments, when=when, write=formats.number, **told),
        "bars": charts.bars("gallery-bars", items, heads=heads, tone=4, **told),
        "donut": charts.donut("gallery-donut", items, heads=heads, total_text="60", **told),
        "heatmap": charts.heatmap(
            "gallery-heatmap", hours, rows=names, columns=columns, spoken=spoken, when=when, write=formats.number, **told
        ),
        "figure": SimpleNamespace(
            code="runs", label=say("Runs", "عمليات التشغيل"), value="60", before=say("48 in the week before", "48 في الأسبوع السابق"),
            change="+25%", unit="", way="up", tone="success", spark=charts.spark([value for _day, value, _wrong in days]), colour=1,
        ),
    }  # fmt: skip


WEEK: tuple[tuple[str, str, int, int], ...] = (
    ("Sun", "الأحد", 9, 1), ("Mon", "الإثنين", 12, 2), ("Tue", "الثلاثاء", 7, 0), ("Wed", "الأربعاء", 14, 3), ("Thu", "الخميس", 11, 1),
)  # fmt: skip
SHARES: tuple[tuple[str, str, int], ...] = (
    ("Leave request", "طلب إجازة", 31),
    ("New supplier", "مورّد جديد", 18),
    ("Daily report", "التقرير اليومي", 11),
)
