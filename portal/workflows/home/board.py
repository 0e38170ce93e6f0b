"""What the home page shows of a period: four figures and five charts, put together from counted rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.core import charts
from portal.core.charts import Item, Moment, Series
from portal.i18n import formats, locale
from portal.i18n.locale import bilingual, plain_name
from portal.i18n.words import gettext as _
from portal.i18n.words import ngettext
from portal.workflows.home import queries, wording
from portal.workflows.home.periods import BEFORE, FIRST, Window

SLICES = 4
BARS = 6
Link = Callable[[UUID, str], str]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many runs ended how."""

    succeeded: int = 0
    failed: int = 0
    other: int = 0

    @property
    def runs(self) -> int:
        return self.succeeded + self.failed + self.other

    @property
    def rate(self) -> float | None:
        """The share that succeeded of the runs that ended by themselves; None while none has."""
        ended = self.succeeded + self.failed
        return self.succeeded / ended if ended else None


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the period, what it was in the period before, and its course.

    `change` is empty where nothing can be compared, and apart from its `unit`, for the sign stands left of the digits in both
    languages; `tone` says whether the change is welcome, `way` whether it is up or down.
    """

    code: str
    label: str
    value: str
    before: str
    change: str
    unit: str
    way: str
    tone: str
    spark: charts.Spark
    colour: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted: a tally and a median (seconds) of each stretch, and of the two periods."""

    stretches: tuple[Tally, ...]
    medians: tuple[float | None, ...]
    now: Tally
    before: Tally
    median: float | None
    median_before: float | None


@dataclass(frozen=True, slots=True)
class Board:
    """The period-dependent part of the home page; a chart is None where there is nothing to draw."""

    figures: tuple[Figure, ...]
    runs: charts.Stacked | None
    failures: charts.Bars | None
    durations: charts.Line | None
    shares: charts.Donut | None
    hours: charts.Heatmap | None


def count(tenant_id: UUID, window: Window) -> Counts:
    """Count the runs of the period and of the period before."""
    tallies: dict[int, dict[str, int]] = {}
    for row in queries.count_by_stretch(tenant_id, window):
        tallies.setdefault(row.bucket, {})[row.status] = row.runs
    stretches = tuple(_tally(tallies.get(FIRST + place, {})) for place in range(len(window.stretches)))
    took: dict[tuple[int | None, bool | None], float] = {}
    for row in queries.medians(tenant_id, window):
        took[row.bucket, row.is_now] = float(row.took_s)
    return Counts(
        stretches,
        tuple(took.get((FIRST + place, None)) for place in range(len(stretches))),
        Tally(sum(t.succeeded for t in stretches), sum(t.failed for t in stretches), sum(t.other for t in stretches)),
        _tally(tallies.get(BEFORE, {})),
        took.get((None, True)),
        took.get((None, False)),
    )


def make(tenant_id: UUID, window: Window, *, zone: str, link: Link) -> Board:
    """Return the board of a period.

    Args:
        zone: on whose clocks hours and days are told.
        link: the address of a workflow's runs with a status.
    """
    counts = count(tenant_id, window)
    workflows = queries.count_by_workflow(tenant_id, window)
    has_runs = counts.now.runs > 0
    return Board(
        _figures(counts),
        _runs(window, counts) if has_runs else None,
        _failures(workflows, link) if counts.now.failed else None,
        _durations(window, counts) if counts.median is not None else None,
        _shares(workflows) if has_runs else None,
        _hours(queries.count_by_hour(tenant_id, window, zone)) if has_runs and window.period != "24h" else None,
    )


def _tally(by_status: dict[str, int]) -> Tally:
    succeeded = by_status.get("succeeded", 0)
    failed = sum(by_status.get(each, 0) for each in ("failed", "timed_out", "compensated"))
    return Tally(succeeded, failed, sum(by_status.values()) - succeeded - failed)


def _figures(counts: Counts) -> tuple[Figure, ...]:
    now, before, each = counts.now, counts.before, counts.stretches
    return (
        _figure("runs", _("Runs"), now.runs, before.runs or None, [t.runs for t in each], formats.number, colour=1),
        _figure("rate", _("Success rate"), now.rate, before.rate, [t.rate for t in each], wording.percent, colour=3, welcome=1),
        _figure("median", _("Median duration"), counts.median, counts.median_before, counts.medians, _seconds, colour=5, welcome=-1),
        _figure("failed", _("Failed"), now.failed, before.failed if before.runs else None, [t.failed for t in each], formats.number,
                colour=4, welcome=-1),
    )  # fmt: skip


def _figure(
    code: str,
    label: str,
    now: float | None,
    before: float | None,
    course: Sequence[float | None],
    write: Callable[[float], str],
    *,
    colour: int,
    welcome: int = 0,
) -> Figure:
    """Compare a number with the one before; `welcome` is 1 when more is better, -1 when less is."""
    spark = charts.spark(course)
    value = "" if now is None else write(now)
    if now is None or before is None:
        return Figure(code, label, value, _("Nothing to compare with"), "", "", "", "neutral", spark, colour)
    change, text = _change(code, now - before, before)
    way = "up" if change > 0 else "down" if change < 0 else "same"
    tone = "neutral" if not change or not welcome else "success" if change * welcome > 0 else "danger"
    told = _("%(value)s in the period before", value=write(before))
    unit = _("points") if code == "rate" and change else ""
    return Figure(code, label, value, told, text, unit, way, tone, spark, colour)


def _change(code: str, change: float, before: float) -> tuple[float, str]:
    """Return a change, rounded as it is written: shares in points, failures by number, the rest in percent of what it was."""
    if code == "rate":
        change = round(change * 100, 1)
        text = wording.signed(change, formats.number(abs(change)))
    elif code == "failed" or not before:
        text = wording.signed(change, formats.number(abs(change)))
    else:
        change = round(change / before, 2)
        text = wording.signed(change, wording.percent(abs(change)))
    return (change, text) if change else (0, _("No change"))


def _seconds(value: float) -> str:
    return formats.duration(value * 1000)


def _is_rtl() -> bool:
    return locale.current().dir == "rtl"


def _runs(window: Window, counts: Counts) -> charts.Stacked:
    series = (
        Series(_("Succeeded"), 3, formats.number(counts.now.succeeded)),
        Series(_("Failed"), 4, formats.number(counts.now.failed)),
        Series(_("Open or cancelled"), 6, formats.number(counts.now.other)),
    )
    moments = []
    for stretch, tally in zip(window.stretches, counts.stretches, strict=True):
        name = wording.long_name(window, stretch)
        texts = tuple(formats.number(value) for value in (tally.succeeded, tally.failed, tally.other))
        words = {"when": name, "succeeded": texts[0], "failed": texts[1], "other": texts[2]}
        spoken = _("%(when)s: %(succeeded)s succeeded, %(failed)s failed, %(other)s open or cancelled", **words)
        moments.append(Moment(wording.short_name(window, stretch), name, spoken, (tally.succeeded, tally.failed, tally.other), texts))
    busiest = max(range(len(moments)), key=lambda place: counts.stretches[place].runs)
    summary = ngettext("%(num)d run. Busiest: %(when)s.", "%(num)d runs. Busiest: %(when)s.", counts.now.runs, when=moments[busiest].name)  # fmt: skip
    return charts.stacked(
        "chart-runs", series, moments,
        title=_("Runs over time"), summary=summary, when=_("When"), rtl=_is_rtl(), write=formats.number,
    )  # fmt: skip


def _durations(window: Window, counts: Counts) -> charts.Line:
    moments = []
    for stretch, took in zip(window.stretches, counts.medians, strict=True):
        name = wording.long_name(window, stretch)
        text = _("none") if took is None else _seconds(took)
        moments.append(
            Moment(
                wording.short_name(window, stretch), name, _("%(when)s: %(duration)s", when=name, duration=text), (took,), (text,)
            )
        )  # fmt: skip
    summary = _("Half of the successful runs took less than %(duration)s.", duration=_seconds(counts.median or 0))
    return charts.line(
        "chart-durations", [Series(_("Median duration"), 5)], moments,
        title=_("How long runs take"), summary=summary, when=_("When"), rtl=_is_rtl(),
        write=wording.brief_duration, ladder=charts.DURATIONS_S,
    )  # fmt: skip


def _failures(workflows: Sequence[Any], link: Link) -> charts.Bars:
    failing = sorted((row for row in workflows if row.failed), key=lambda row: -row.failed)
    items = [
        Item(
            bilingual(row),
            row.failed,
            formats.number(row.failed),
            _(
                "%(workflow)s: %(failed)s of %(runs)s runs failed",
                workflow=plain_name(row), failed=formats.number(row.failed), runs=formats.number(row.runs),
            ),
            link(row.id, "failed" if row.failed > row.timed_out else "timed_out"),
        )
        for row in failing[:BARS]
    ]  # fmt: skip
    summary = ngettext("%(num)d workflow had failures.", "%(num)d workflows had failures.", len(failing))
    heads = (_("Workflow"), _("Failed"))
    return charts.bars("chart-failures", items, title=_("Failures by workflow"), summary=summary, heads=heads, rtl=_is_rtl(), tone=4)


def _shares(workflows: Sequence[Any]) -> charts.Donut:
    total = sum(row.runs for row in workflows)
    shown = list(workflows) if len(workflows) == SLICES + 1 else list(workflows[:SLICES])
    parts = [(bilingual(row), row.runs) for row in shown]
    if rest := total - sum(row.runs for row in shown):
        parts.append((_("Other workflows"), rest))
    items = []
    for name, runs in parts:
        share = wording.percent(runs / total)
        spoken = ngettext(
            "%(workflow)s: %(num)d run, %(share)s",
            "%(workflow)s: %(num)d runs, %(share)s",
            runs,
            workflow=formats.isolate(name),
            share=share,
        )
        items.append(Item(name, runs, formats.number(runs), spoken))
    summary = ngettext("%(num)d workflow ran.", "%(num)d workflows ran.", len(workflows))
    return charts.donut(
        "chart-shares", items,
        title=_("Runs by workflow"), summary=summary, heads=(_("Workflow"), _("Runs")), rtl=_is_rtl(), total_text=formats.number(total),
    )  # fmt: skip


def _hours(counted: dict[tuple[int, int], int]) -> charts.Heatmap:
    days = wording.week()
    values = [[counted.get((day, hour), 0) for hour in range(24)] for day in days]
    long_names = {day: wording.weekday(day, width="wide") for day in days}
    spoken = [
        [
            _("%(day)s, %(hour)s: %(runs)s", day=long_names[day], hour=wording.hour(hour), runs=formats.number(counted.get((day, hour), 0)))
            for hour in range(24)
        ]
        for day in days
    ]
    busiest = max(counted, key=lambda place: (counted[place], place))
    return charts.heatmap(
        "chart-hours", values,
        rows=[wording.weekday(day, width="abbreviated") for day in days], columns=[wording.hour(hour) for hour in range(24)], spoken=spoken,
        title=_("When runs begin"),
        summary=_("Busiest: %(day)s, %(hour)s.", day=long_names[busiest[0]], hour=wording.hour(busiest[1])),
        when=_("Weekday"), rtl=_is_rtl(), write=formats.number,
    )  # fmt: skip
