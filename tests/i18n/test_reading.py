"""What people type: numbers, days and names, in any digits and with what they paste."""

from __future__ import annotations

from datetime import date

import pytest

from portal.core.digits import ascii_digits, read_number
from portal.i18n import dates, names


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12), ("١٢", 12), ("۱۲", 12), ("1,234.5", 1234.5), ("١٬٢٣٤٫٥", 1234.5), ("1 234", 1234), ("\u200f-٣\u200f", -3), ("٣-", -3),
        ("−3", -3), ("+7", 7), (".5", 0.5), ("٫٥", 0.5), ("0012", 12), ("1،234", 1234),
        ("1,5", None), ("12,34", None), ("1.2.3", None), ("", None), (".", None), ("-", None), ("1e5", None), ("0x1", None), ("①", None),
        ("٣x", None), ("1" * 16, None), ("NaN", None), ("1,234,56", None),
    ],
)  # fmt: skip
def test_numbers(text, number):
    assert read_number(text) == number and type(read_number(text)) is type(number)


def test_what_is_kept_is_ascii():
    assert ascii_digits("٠١٢٣٤٥٦٧٨٩ ۰۱۲۳۴۵۶۷۸۹") == "0123456789 0123456789"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-31", date(2026, 12, 31)), ("٢٠٢٦-١٢-٣١", date(2026, 12, 31)), ("2026/1/5", date(2026, 1, 5)), (" 2026.12.31 ", date(2026, 12, 31)),
        ("1448-06-12", date(2026, 11, 22)), ("١٤٤٨/٦/١٢ هـ", date(2026, 11, 22)), ("1447-09-01 AH", date(2026, 2, 18)), ("\u200f2026-12-31", date(2026, 12, 31)),
        ("31-12-2026", None), ("2026-13-01", None), ("2026-02-30", None), ("1448-06-31", None), ("1342-01-01", None), ("1699-01-01", None), ("", None),
        ("2026-12", None), ("next week", None), ("2026-12-31; drop", None),
    ],
)  # fmt: skip
def test_days_in_both_calendars(text, day):
    assert dates.read(text) == day


@pytest.mark.parametrize("offset", [0, 29, 59, 400, 9_000])
def test_a_day_shown_in_the_hijri_calendar_is_read_as_the_same_day(offset):
    from hijridate import Gregorian

    day = date.fromordinal(date(2001, 1, 1).toordinal() + offset)

    assert dates.read(Gregorian.fromdate(day).to_hijri().isoformat()) == day


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Leave   request ", "Leave request"), ("\u200fإجازة\u200e", "إجازة"), ("\u202aC:\\x\u202c", "C:\\x"), ("a\tb\r\nc", "a b c"), ("a\x00b", "ab"),
        ("می\u200cخواهم", "می\u200cخواهم"), ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"), ("e\u0301", "é"), ("\ufeffx\u2069", "x"),
    ],
)  # fmt: skip
def test_a_name_loses_what_nobody_sees(typed, kept):
    assert names.tidy(typed) == kept and names.tidy(kept) == kept
    assert names.problem(kept) == ""


def test_a_description_keeps_its_lines():
    assert names.tidy_lines(" a  b \r\n\r\n c ") == "a b\nc"
    assert names.tidy(None) is None


@pytest.mark.parametrize("sign", ["\u202e", "\u202d", "\x07", "\x7f", "\x9b", "\ue000", "\U000e0041"])
def test_a_name_that_deceives_is_refused_by_the_name_of_its_sign(sign):
    assert f"U+{ord(sign):04X}" in names.problem(names.tidy(f"invoice{sign}fdp.exe"))


@pytest.mark.parametrize("name", ["سورة ۝ ١", "A\u0301", "عمل (١) — [تجربة]", "Ünïcode ✓", ""])
def test_usual_names_are_fine(name):
    assert names.problem(names.tidy(name)) == ""


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("/workflows/new", {"name": "x\u202efdp", "sample": "blank"}), ("/workflows/new", {"name": "x", "name_ar": "س\u202eص", "sample": "blank"}),
        ("/tables/new", {"name": "x\u202efdp", "slug": "x", "column-0-key": "a", "column-0-type": "text"}),
        ("/tables/new", {"name": "x", "slug": "x", "column-0-key": "a", "column-0-type": "text", "column-0-label": "x\u202ey"}),
        ("/settings/themes", {"name": "x\u202efdp"}),
    ],
)  # fmt: skip
def test_forms_refuse_it_with_a_sentence_and_keep_what_was_typed(as_role, path, given):
    page = as_role("owner").post(path, data=given)

    assert page.status_code == 422
    assert "invisible" in page.text and "\u202e" in page.text
