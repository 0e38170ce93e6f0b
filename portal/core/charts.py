"""Geometry of charts: scales, nice ticks, bars, lines, arcs. Pure; the `ui.chart_*` components draw what stands here.

Across, everything is in percent of the plot's width, so a chart fits any screen without a script and its text keeps its size;
down, it is in pixels. Time runs from left to right in both languages; bars begin at the start edge, so they know `rtl`.
Texts come ready from the caller: this module formats and translates nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

PLOT_PX = 200
HEAD_PX = 18  # room for the figure above the highest column
FOOT_PX = 26  # the row of labels under the plot
BAND_FILL = 0.72
NARROW_LETTERS = 34  # how many letters of labels fit side by side on a phone
EDGE = 5  # how far a label may stick out of the plot, in percent of its width
RING_RADIUS = 48
RING_GAP = 0.008
RING_TONES = (1, 5, 2, 3, 6)  # without red: a thing that is merely counted has not failed
DECADE = (1.0, 2.0, 5.0, 10.0)
# Steps of a time axis, in seconds: nobody reads "100 seconds", everybody reads "2 minutes".
DURATIONS_S = (
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
    3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Series:
    """One measure in a chart; `tone` is the data-viz colour 1–6, its place in the chart decides pattern and marker."""

    name: str
    tone: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a time chart knows of one stretch of time.

    `short` stands under the axis, `name` in the table, `spoken` is the whole sentence for whoever reaches it by keyboard.
    A value is None where nothing was measured, which is not zero.
    """

    short: str
    name: str
    spoken: str
    values: tuple[float | None, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the value axis."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Label:
    """A label under the time axis; `is_minor` ones are left out on a phone."""

    x: float
    text: str
    is_minor: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One series' share of a column."""

    series: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """One stretch of time in a stacked chart: its band, its bar within, the bar's parts from the bottom up."""

    band_x: float
    band_width: float
    x: float
    width: float
    middle: float
    top: float
    total_text: str
    spoken: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """What every chart has: its name, its summary, its size, and the rows of its table."""

    id: str
    title: str
    summary: str
    rtl: bool
    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Axes:
    """The two axes of a time chart."""

    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    is_wide: bool
    plot_px: int = PLOT_PX
    height_px: int = PLOT_PX + FOOT_PX


@dataclass(frozen=True, slots=True)
class Stacked:
    """Columns of several series over time."""

    frame: Frame
    axes: Axes
    series: tuple[Series, ...]
    columns: tuple[Column, ...]
    shows_totals: bool


@dataclass(frozen=True, slots=True)
class Dot:
    """One measured point of a line."""

    series: int
    x: float
    y: float
    spoken: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """Lines over time; a path is broken where nothing was measured."""

    frame: Frame
    axes: Axes
    series: tuple[Series, ...]
    paths: tuple[str, ...]
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a categorical chart compares."""

    name: str
    value: float
    text: str
    spoken: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A horizontal bar that begins at the start edge."""

    x: float
    width: float
    item: Item


@dataclass(frozen=True, slots=True)
class Bars:
    """Horizontal bars, one a thing."""

    frame: Frame
    tone: int
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """An arc of a ring around 0 0, as a path to be stroked; empty for nothing."""

    series: Series
    path: str
    spoken: str


@dataclass(frozen=True, slots=True)
class Donut:
    """A ring of at most five slices."""

    frame: Frame
    slices: tuple[Slice, ...]
    total_text: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One hour of one weekday: the more, the larger and darker."""

    x: float
    y: float
    size: float
    level: int
    spoken: str


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Seven rows of twenty-four cells, or any other grid."""

    frame: Frame
    axes: Axes
    columns: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Spark:
    """A line without axes, for beside a figure."""

    path: str
    area: str
    end_y: float | None
    height_px: int


def trim(value: float) -> float:
    """Return a coordinate with two decimals, whole numbers without any: pages hold hundreds of them."""
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def nice_step(rough: float, ladder: Sequence[float] | None = None) -> float:
    """Return the round step that is at least `rough`: 1, 2 or 5 times a power of ten, or the next of the ladder."""
    if ladder:
        return next((each for each in ladder if each >= rough), math.ceil(rough / ladder[-1]) * ladder[-1])
    power = 10.0 ** math.floor(math.log10(rough))
    return next((each * power for each in DECADE if each * power >= rough * (1 - 1e-9)), 10 * power)


def nice_ticks(highest: float, *, count: int = 4, whole: bool = False, ladder: Sequence[float] | None = None) -> list[float]:
    """Return round values from 0 to at least `highest`, some `count` steps apart; `whole` leaves no fractions between."""
    if highest <= 0:
        return [0.0, 1.0]
    step = nice_step(highest / count, ladder)
    if whole:
        step = max(1.0, math.ceil(step))
    steps = max(1, math.ceil(highest / step - 1e-9))
    return [each * step for each in range(steps + 1)]


def label_steps(lengths: Sequence[int]) -> tuple[int, int]:
    """Return every how many stretches a label stands on a wide screen and on a phone; the second is a multiple of the first."""
    if not lengths:
        return 1, 1
    longest = max(1, *lengths)
    wide = math.ceil(len(lengths) / max(2, 2 * NARROW_LETTERS // longest))
    narrow = math.ceil(len(lengths) / max(2, NARROW_LETTERS // longest))
    return wide, wide * math.ceil(narrow / wide)


def labels(texts: Sequence[str]) -> tuple[Label, ...]:
    """Return the labels that fit under the middle of their stretch, counted from the last one: now is always named."""
    wide, narrow = label_steps([len(text) for text in texts])
    last = len(texts) - 1
    return tuple(
        Label(_middle(place, len(texts)), text, is_minor=(last - place) % narrow != 0 or _overhangs(_middle(place, len(texts)), text))
        for place, text in enumerate(texts)
        if (last - place) % wide == 0
    )


def _overhangs(middle: float, text: str) -> bool:
    """Say whether a label would stick out of its card at the beginning of the axis on a phone."""
    return middle + EDGE < len(text) / 2 / NARROW_LETTERS * 100


def stacked(
    chart_id: str,
    series: Sequence[Series],
    moments: Sequence[Moment],
    *,
    title: str,
    summary: str,
    when: str,
    rtl: bool,
    write: Callable[[float], str],
) -> Stacked:
    """Lay out columns of series over time, in the order of the moments, from left to right in both languages.

    Args:
        when: the table's word for its first column.
        write: how a value of the axis and a column's total are written.
    """
    totals = [sum(value or 0 for value in moment.values) for moment in moments]
    values = nice_ticks(max(totals, default=0), whole=True)
    columns = tuple(_column(place, len(moments), moment, values[-1], write) for place, moment in enumerate(moments))
    axes = _axes(values, [moment.short for moment in moments], write)
    return Stacked(_frame(chart_id, title, summary, rtl, when, series, moments), axes, tuple(series), columns, len(moments) <= 14)


def line(
    chart_id: str,
    series: Sequence[Series],
    moments: Sequence[Moment],
    *,
    title: str,
    summary: str,
    when: str,
    rtl: bool,
    write: Callable[[float], str],
    ladder: Sequence[float] | None = None,
) -> Line:
    """Lay out lines over time, from left to right in both languages; the highest point of each carries its figure."""
    known = [value for moment in moments for value in moment.values if value is not None]
    values = nice_ticks(max(known, default=0), ladder=ladder)
    dots, paths = [], []
    for place in range(len(series)):
        points = [(_middle(at, len(moments)), moment.values[place]) for at, moment in enumerate(moments)]
        placed = [None if value is None else (x, _y(value, values[-1])) for x, value in points]
        paths.append(path_of(placed))
        highest = max((value for _x, value in points if value is not None), default=None)
        named = next((at for at, (_x, value) in enumerate(points) if value == highest), None)
        dots += [
            Dot(place, point[0], point[1], moment.spoken, moment.texts[place] if at == named else "")
            for at, (point, moment) in enumerate(zip(placed, moments, strict=True))
            if point is not None
        ]
    axes = _axes(values, [moment.short for moment in moments], write)
    return Line(_frame(chart_id, title, summary, rtl, when, series, moments), axes, tuple(series), tuple(paths), tuple(dots))


def bars(chart_id: str, items: Sequence[Item], *, title: str, summary: str, heads: tuple[str, str], rtl: bool, tone: int = 1) -> Bars:
    """Lay out horizontal bars, in the order of the items; they begin at the right edge when the page does."""
    highest = max((item.value for item in items), default=0) or 1
    drawn = []
    for item in items:
        width = trim(max(0.0, item.value) / highest * 100)
        drawn.append(Bar(trim(100 - width) if rtl else 0, width, item))
    rows = tuple((item.name, (item.text,)) for item in items)
    return Bars(Frame(chart_id, title, summary, rtl, heads, rows), tone, tuple(drawn))


def donut(chart_id: str, items: Sequence[Item], *, title: str, summary: str, heads: tuple[str, str], rtl: bool, total_text: str) -> Donut:
    """Lay out a ring, clockwise from the top in both languages, as a clock is.

    Raises:
        ValueError: more than five items; put the small ones together first.
    """
    if len(items) > 5:
        raise ValueError("a ring shows at most five slices")
    total = sum(item.value for item in items)
    gap = RING_GAP if sum(item.value > 0 for item in items) > 1 else 0.0
    slices, begin = [], 0.0
    for place, item in enumerate(items):
        share = item.value / total if total else 0.0
        slices.append(Slice(Series(item.name, RING_TONES[place], item.text), arc_of(begin, max(0.0, share - gap)), item.spoken))
        begin += share
    rows = tuple((item.name, (item.text,)) for item in items)
    return Donut(Frame(chart_id, title, summary, rtl, heads, rows), tuple(slices), total_text)


def heatmap(
    chart_id: str,
    values: Sequence[Sequence[float]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    spoken: Sequence[Sequence[str]],
    title: str,
    summary: str,
    when: str,
    rtl: bool,
    write: Callable[[float], str],
    row_px: int = 26,
) -> Heatmap:
    """Lay out a grid whose cells grow and darken with their value; columns run from left to right in both languages."""
    highest = max((value for row in values for value in row), default=0)
    cells = tuple(
        Cell(_middle(x, len(columns)), y * row_px + row_px / 2, size_of(level), level, spoken[y][x])
        for y, row in enumerate(values)
        for x, level in enumerate(level_of(value, highest) for value in row)
    )
    ticks = tuple(Tick(y * row_px + row_px / 2, name) for y, name in enumerate(rows))
    plot = row_px * len(rows)
    axes = Axes(ticks, labels(columns), is_wide=True, plot_px=plot, height_px=plot + FOOT_PX)
    table = tuple((name, tuple(write(value) for value in row)) for name, row in zip(rows, values, strict=True))
    return Heatmap(Frame(chart_id, title, summary, rtl, (when, *columns), table), axes, len(columns), cells)


def spark(values: Sequence[float | None], *, height_px: int = 32) -> Spark:
    """Lay out a small line; all zeros lie on the ground, and nothing measured draws nothing."""
    highest = max((value for value in values if value is not None), default=0) or 1
    inner = height_px - 6
    step = 100 / max(1, len(values) - 1)
    placed = [None if value is None else (trim(at * step), trim(3 + inner * (1 - value / highest))) for at, value in enumerate(values)]
    areas = [
        f"M{run[0][0]} {height_px}{''.join(f'L{x} {y}' for x, y in run)}L{run[-1][0]} {height_px}Z"
        for run in runs_of(placed)
        if len(run) > 1
    ]
    last = placed[-1] if placed else None
    return Spark(path_of(placed), "".join(areas), last[1] if last else None, height_px)


def level_of(value: float, highest: float) -> int:
    """Return 0 for nothing, else 1 to 4 by the share of the highest."""
    return 0 if value <= 0 or highest <= 0 else min(4, math.ceil(value / highest * 4))


def size_of(level: int) -> float:
    """Return a cell's edge in pixels: size says the same as colour, for those who cannot tell the colours apart."""
    return (3, 6, 8, 10, 12)[level]


def runs_of(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """Return the unbroken stretches of a line."""
    found: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            found.append([])
        else:
            found[-1].append(point)
    return [each for each in found if each]


def path_of(points: Sequence[tuple[float, float] | None]) -> str:
    """Return the SVG path of a line, broken at None; a lone point becomes a dot under a round pen."""
    return "".join("M" + "L".join(f"{x} {y}" for x, y in run) + ("h0" if len(run) == 1 else "") for run in runs_of(points))


def arc_of(begin: float, share: float) -> str:
    """Return the path of a part of the ring, clockwise from the top; a whole ring needs two arcs, for one would end where it begins."""
    if share <= 0:
        return ""
    large = int(share > 0.5)
    if share >= 1:
        return f"M{_on_ring(0)}A{RING_RADIUS} {RING_RADIUS} 0 1 1 {_on_ring(0.5)}A{RING_RADIUS} {RING_RADIUS} 0 1 1 {_on_ring(0)}"
    return f"M{_on_ring(begin)}A{RING_RADIUS} {RING_RADIUS} 0 {large} 1 {_on_ring(begin + share)}"


def _on_ring(turn: float) -> str:
    angle = 2 * math.pi * turn
    return f"{trim(RING_RADIUS * math.sin(angle))} {trim(-RING_RADIUS * math.cos(angle))}"


def _middle(place: int, count: int) -> float:
    return trim((place + 0.5) * 100 / count)


def _y(value: float, highest: float) -> float:
    return trim(HEAD_PX + (PLOT_PX - HEAD_PX) * (1 - value / highest))


def _column(place: int, count: int, moment: Moment, highest: float, write: Callable[[float], str]) -> Column:
    band = 100 / count
    parts, reached = [], 0.0
    for index, value in enumerate(moment.values):
        if value:
            top, bottom = _y(reached + value, highest), _y(reached, highest)
            parts.append(Part(index, top, trim(bottom - top)))
            reached += value
    return Column(
        band_x=trim(place * band),
        band_width=trim(band),
        x=trim(place * band + band * (1 - BAND_FILL) / 2),
        width=trim(band * BAND_FILL),
        middle=_middle(place, count),
        top=_y(reached, highest),
        total_text=write(reached) if reached else "",
        spoken=moment.spoken,
        parts=tuple(parts),
    )


def _axes(values: Sequence[float], texts: Sequence[str], write: Callable[[float], str]) -> Axes:
    ticks = tuple(Tick(_y(value, values[-1]), write(value)) for value in values)
    return Axes(ticks, labels(texts), is_wide=max(len(tick.text) for tick in ticks) > 4)


def _frame(chart_id: str, title: str, summary: str, rtl: bool, when: str, series: Sequence[Series], moments: Sequence[Moment]) -> Frame:
    rows = tuple((moment.name, moment.texts) for moment in moments)
    return Frame(chart_id, title, summary, rtl, (when, *(each.name for each in series)), rows)
