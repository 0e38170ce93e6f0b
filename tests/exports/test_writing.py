"""Files that are safe to open, in both scripts."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.exports.writing import FORMULA_STARTS, write

HEADS = ["Name", "الاسم"]


def sheet(content):
    return openpyxl.load_workbook(io.BytesIO(content)).active


@pytest.mark.parametrize("evil", ["=cmd|'/C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", '=HYPERLINK("http://x")'])
def test_a_text_that_looks_like_a_formula_is_none(evil):
    text = write("csv", HEADS, [[evil, "ok"]], right_to_left=False)[0].decode("utf-8-sig")
    cell = sheet(write("xlsx", HEADS, [[evil, "ok"]], right_to_left=False)[0])["A2"]

    assert text.splitlines()[1].lstrip('"').startswith("'")
    assert cell.data_type == "s"


@given(st.text(max_size=40))
def test_no_csv_cell_begins_as_a_formula_whatever_the_text(text):
    import csv

    content, count = write("csv", ["x"], [[text]], right_to_left=False)
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))

    assert count == 1
    assert not (rows[1] and rows[1][0].startswith(FORMULA_STARTS))


def test_arabic_is_read_as_arabic_and_the_sheet_begins_at_the_right():
    csv_file = write("csv", HEADS, [["سلمى", "الرياض، العليا"]], right_to_left=True)[0]
    xlsx = sheet(write("xlsx", HEADS, [["سلمى", "الرياض، العليا"]], right_to_left=True)[0])

    assert csv_file.startswith(b"\xef\xbb\xbf")
    assert "سلمى" in csv_file.decode("utf-8-sig")
    assert xlsx.sheet_view.rightToLeft
    assert [cell.value for cell in xlsx[1]] == HEADS
    assert xlsx["A2"].value == "سلمى"


def test_numbers_stay_numbers_times_are_iso_and_hidden_marks_go():
    moment = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
    rows = [[-2.5, moment], [True, "a\u202etxt.exe\x00"], [None, "x" * 40_000]]

    text = write("csv", HEADS, rows, right_to_left=False)[0].decode("utf-8-sig")
    xlsx = sheet(write("xlsx", HEADS, rows, right_to_left=False)[0])

    assert text.splitlines()[1] == "-2.5,2026-11-23T08:30:00+00:00"
    assert (xlsx["A2"].value, xlsx["A3"].value, xlsx["A4"].value) == (-2.5, True, None)
    assert xlsx["B3"].value == "atxt.exe"
    assert len(xlsx["B4"].value) == 32_767
