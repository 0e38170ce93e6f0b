"""Geometry of charts: what is drawn is in proportion, on the plot, and in order."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import charts
from portal.core.charts import Item, Moment, Series

AMOUNTS = st.floats(min_value=1e-3, max_value=1e9, allow_nan=False)
COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=40)
WORDS = {"title": "Title", "summary": "Summary", "rtl": False}


def moments(values):
    return [Moment(f"d{at}", f"day {at}", f"day {at}: {each}", tuple(each), tuple(map(str, each))) for at, each in enumerate(values)]


def stacked(values, **more):
    series = [Series("a", 3), Series("b", 4), Series("c", 6)]
    return charts.stacked("x", series, moments(values), when="When", write=lambda value: f"{value:g}", **{**WORDS, **more})


def line(values, **more):
    series = [Series(f"s{at}", 1) for at in range(len(values[0]))]
    return charts.line("x", series, moments(values), when="When", write=lambda value: f"{value:g}", **{**WORDS, **more})


def items(*values):
    return [Item(f"i{at}", value, str(value), f"i{at}: {value}") for at, value in enumerate(values)]


@given(AMOUNTS)
def test_ticks_are_round_even_and_reach_the_highest(highest):
    ticks = charts.nice_ticks(highest)
    step = ticks[1]

    assert ticks[0] == 0 and ticks[-1] >= highest * (1 - 1e-9)
    assert ticks[-1] - step < highest, "one line too many"
    assert 2 <= len(ticks) <= 6
    assert round(step / 10 ** math.floor(math.log10(step) + 1e-9), 6) in (1, 2, 5)


@given(st.integers(1, 1_000_000))
def test_ticks_of_counts_have_no_fractions(highest):
    assert all(tick == int(tick) for tick in charts.nice_ticks(highest, whole=True))


@pytest.mark.parametrize(("highest", "step"), [(0.03, 0.01), (3, 1), (50, 15), (400, 120), (9_000, 3600), (200_000, 86_400)])
def test_ticks_of_durations_are_those_of_a_clock(highest, step):
    assert charts.nice_ticks(highest, ladder=charts.DURATIONS_S)[1] == step


def test_nothing_at_all_still_has_an_axis():
    assert charts.nice_ticks(0) == [0, 1]


@given(COUNTS)
def test_columns_stand_on_the_ground_in_proportion_and_inside_the_plot(values):
    chart = stacked(values)
    top = charts.nice_ticks(max(map(sum, values)), whole=True)[-1]
    scale = (charts.PLOT_PX - charts.HEAD_PX) / top

    for column, counts in zip(chart.columns, values, strict=True):
        assert [part.series for part in column.parts] == [at for at, count in enumerate(counts) if count]
        bottom = charts.PLOT_PX
        for part in column.parts:
            assert part.y + part.height == pytest.approx(bottom, abs=0.02)
            assert part.height == pytest.approx(counts[part.series] * scale, abs=0.03)
            bottom = part.y
        assert bottom >= charts.HEAD_PX - 0.02
        assert column.band_x <= column.x and column.x + column.width <= column.band_x + column.band_width + 0.02


@given(COUNTS, st.booleans())
def test_time_runs_from_left_to_right_in_both_languages(values, rtl):
    chart = stacked(values, rtl=rtl)

    assert [column.spoken for column in chart.columns] == [each.spoken for each in moments(values)]
    assert sorted(column.x for column in chart.columns) == [column.x for column in chart.columns]
    assert chart.columns[0].band_x == 0 and chart.columns[-1].band_x + chart.columns[-1].band_width == pytest.approx(100, abs=0.5)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=60))
def test_labels_name_the_last_stretch_and_fit(lengths):
    texts = ["x" * length for length in lengths]
    made = charts.labels(texts)

    assert made[-1].text == texts[-1]
    phone = [label for label in made if not label.is_minor]
    assert len(made) * max(lengths) <= 2 * charts.NARROW_LETTERS + 3 * max(lengths)
    assert len(phone) * max(lengths) <= charts.NARROW_LETTERS + 3 * max(lengths)


def test_a_label_that_would_stick_out_of_the_card_is_left_out_on_a_phone():
    made = charts.labels(["26 أغسطس", *["x"] * 11, "17 نوفمبر"])

    assert made[0].text == "26 أغسطس" and made[0].is_minor


def test_a_line_is_broken_where_nothing_was_measured():
    chart = line([(1.0,), (None,), (2.0,), (4.0,)])

    assert chart.paths[0].count("M") == 2
    assert [dot.spoken for dot in chart.dots] == ["day 0: (1.0,)", "day 2: (2.0,)", "day 3: (4.0,)"]
    assert [dot.text for dot in chart.dots] == ["", "", "4.0"], "the highest point carries its figure"
    assert chart.dots[2].y == charts.HEAD_PX


def test_each_line_has_points_of_its_own():
    chart = line([(1.0, 2.0), (3.0, 1.0)])

    assert [dot.series for dot in chart.dots] == [0, 0, 1, 1]
    assert len(chart.paths) == 2


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=8))
def test_bars_begin_at_the_start_edge(values):
    english = charts.bars("x", items(*values), heads=("a", "b"), **WORDS)
    arabic = charts.bars("x", items(*values), heads=("a", "b"), **{**WORDS, "rtl": True})

    for left, right in zip(english.bars, arabic.bars, strict=True):
        assert left.x == 0
        assert right.x + right.width == pytest.approx(100)
        assert left.width == right.width
    assert max(bar.width for bar in english.bars) == (100 if any(values) else 0)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=5).filter(any))
def test_slices_of_a_ring_join_up_clockwise_from_the_top(values):
    ring = charts.donut("x", items(*values), heads=("a", "b"), total_text="t", **WORDS)

    for piece, value in zip(ring.slices, values, strict=True):
        share = value / sum(values)
        assert bool(piece.path) == (share > charts.RING_GAP or share == 1)
    first = next(piece.path for piece, value in zip(ring.slices, values, strict=True) if piece.path)
    if values[0] / sum(values) > charts.RING_GAP:
        assert first.startswith("M0 -48A")


def test_a_ring_of_six_is_refused():
    with pytest.raises(ValueError, match="five"):
        charts.donut("x", items(1, 1, 1, 1, 1, 1), heads=("a", "b"), total_text="6", **WORDS)


def test_a_ring_never_colours_a_thing_like_a_failure():
    ring = charts.donut("x", items(1, 1, 1, 1, 1), heads=("a", "b"), total_text="5", **WORDS)

    assert 4 not in {piece.series.tone for piece in ring.slices}


@given(st.lists(st.lists(st.integers(0, 99), min_size=24, max_size=24), min_size=7, max_size=7))
def test_cells_grow_and_darken_with_their_value(values):
    spoken = [[str(value) for value in row] for row in values]
    chart = charts.heatmap("x", values, rows=list("abcdefg"), columns=[str(at) for at in range(24)], spoken=spoken, when="Day",
                           write=str, **WORDS)  # fmt: skip
    cells = sorted(
        (value, cell.level, cell.size) for value, cell in zip([value for row in values for value in row], chart.cells, strict=True)
    )

    assert [level for _value, level, _size in cells] == sorted(level for _value, level, _size in cells)
    assert all((level == 0) == (value == 0) for value, level, _size in cells)
    assert len({level for _v, level, _s in cells}) == len({size for _v, _l, size in cells})
    assert len(chart.frame.rows) == 7 and len(chart.frame.rows[0][1]) == 24


@given(st.lists(st.none() | st.floats(0, 1e6), max_size=40))
def test_a_small_line_stays_in_its_box(values):
    made = charts.spark(values)

    for x, y in re.findall(r"[ML](-?[\d.]+(?:e-?\d+)?) (-?[\d.]+)", made.path):
        assert 0 <= float(x) <= 100.01 and 0 <= float(y) <= made.height_px
    assert (made.end_y is None) == (not values or values[-1] is None)


def test_every_chart_has_its_table():
    chart = stacked([(1, 2, 3), (4, 5, 6)])

    assert chart.frame.heads == ("When", "a", "b", "c")
    assert chart.frame.rows == (("day 0", ("1", "2", "3")), ("day 1", ("4", "5", "6")))
