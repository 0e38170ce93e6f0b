"""Cron expressions, times and lengths of time, as people write and read them."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from flask_babel import force_locale

from portal.i18n import dates, schedules

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RIYADH = ZoneInfo("Asia/Riyadh")


@pytest.mark.parametrize(
    ("expression", "english", "arabic"),
    [
        ("*/15 * * * *", "Every 15 minutes. Every day.", "كل 15 دقيقة. كل يوم."),
        ("0 8 * * SUN-THU", "At 8:00", "الأحد"),
        ("30 6 1,15 * *", "On these days of the month: 1, 15.", "أيام الشهر"),
        ("0 0 1 1-3 1", "and also on: Monday", "يناير"),
        ("0 0 L * *", "the last", "الأخير"),
        ("0 9 * * 1#2", "Monday number 2 of the month", "الاثنين"),
        ("* 8-9 * * *", "In each minute of these hours: 8, 9.", "8"),
    ],
)
def test_a_cron_expression_in_words(app, expression, english, arabic):
    with app.test_request_context():
        said = {}
        for tag in ("en", "ar"):
            with force_locale(tag):
                said[tag] = "".join(each for each in " ".join(schedules.say(expression)) if each not in "\u2066\u2067\u2068\u2069")
    assert english in said["en"] and arabic in said["ar"], said


@pytest.mark.parametrize("expression", ["1,2,7 3 * * *", "0 6 1 * 1", "0 6 * * 1#2", "3-9 2,11 * * *"])
def test_a_tangled_expression_is_named_and_still_has_moments(app, expression):
    with app.test_request_context(), force_locale("en"):
        found = schedules.explained(expression, after=NOON, zone=RIYADH)

    assert len(found.moments) == 5 and found.moments[0] > NOON
    assert found.sentence


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "* * * * * *",
        "61 * * * *",
        "0 0 30 2 *",
        "@daily",
        "a b c d e",
        "0 0 * * *; drop",
        "1" * 200 + " * * * *",
        "*/0 * * * *",
    ],
)
def test_what_is_no_expression(text):
    assert schedules.read(text) is None


def test_arabic_digits_and_spaces_are_read():
    assert schedules.read("  ٣٠   ٨ * * ٠-٤ ") == "30 8 * * 0-4"


def test_the_next_moments_are_in_the_zone_and_follow_its_clock():
    said = schedules.upcoming("30 2 * * *", after=datetime(2026, 3, 28, 0, tzinfo=UTC), zone=ZoneInfo("Europe/Berlin"), count=3)

    assert [f"{at:%d %H:%M%z}" for at in said] == ["28 02:30+0100", "29 03:00+0200", "30 02:30+0200"], "02:30 does not exist on the 29th"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("08:30", time(8, 30)), ("٨:٣٠", time(8, 30)), ("8.05", time(8, 5)), ("5:30 PM", time(17, 30)), ("٥:٣٠ م", time(17, 30)), ("12 am", time(0)),
     ("24:00", None), ("8", None), ("13 pm", None), ("8:3", None), ("", None), ("08:30:00", None)],
)  # fmt: skip
def test_a_time_of_day_is_read(text, expected):
    assert dates.read_time(text) == expected


@pytest.mark.parametrize(
    ("amount", "unit", "expected"),
    [
        ("90", "min", 5400),
        ("١٫٥", "h", 5400),
        ("1.5", "h", 5400),
        ("0", "s", 0),
        ("-1", "d", None),
        ("2", "weeks", None),
        ("", "min", None),
        ("1e9", "s", None),
    ],
)
def test_a_length_of_time_is_read(amount, unit, expected):
    assert dates.read_duration(amount, unit) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(None, ("", "min")), (90, ("90", "s")), (5400, ("90", "min")), (172_800, ("2", "d")), (0, ("0", "min"))]
)
def test_a_length_of_time_is_shown_in_its_largest_whole_unit(seconds, expected):
    assert dates.split_duration(seconds) == expected
