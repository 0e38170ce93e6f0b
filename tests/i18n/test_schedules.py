"""Cron expressions, times and lengths of time, as people write and read them."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from flask_babel import force_locale

from portal.i18n import dates, schedules
from portal.i18n.preferences import Preferences
from portal.i18n.reader import of, reading

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RIYADH = ZoneInfo("Asia/Riyadh")


@pytest.mark.parametrize(
    ("expression", "english", "arabic"),
    [
        ("* * * * *", "Every minute, every day", "كل دقيقة، كل يوم"),
        ("*/15 * * * *", "Every 15 minutes, every day", "كل 15 دقيقة، كل يوم"),
        ("0 * * * *", "Every hour, on the hour, every day", "على رأس كل ساعة، كل يوم"),
        ("5 * * * *", "5 minutes after every full hour, every day", "بعد 5 دقائق من رأس كل ساعة، كل يوم"),
        ("0 */2 * * *", "Every 2 hours, every day", "كل ساعتين، كل يوم"),
        ("30 8 * * 0-4", "At 08:30, from Sunday to Thursday", "عند الساعة 08:30، من الأحد إلى الخميس"),
        ("30 8,17 * * 5", "At 08:30, 17:30, on Friday", "عند الساعة 08:30، 17:30، يوم الجمعة"),
        ("*/15 9-16 * * 1,3", "Every 15 minutes from 09:00 to 16:45, on Monday, Wednesday", "كل 15 دقيقة من 09:00 إلى 16:45، يومي الاثنين، الأربعاء"),
        ("0 8-16 * * *", "Every hour from 08:00 to 16:00, every day", "كل ساعة من 08:00 إلى 16:00، كل يوم"),
        ("0 6 1,15 * *", "At 06:00, on days 1, 15 of the month", "عند الساعة 06:00، في اليومين 1, 15 من الشهر"),
        ("0 6 L 1,7 *", "At 06:00, on the last day of the month, in January, July", "عند الساعة 06:00، في آخر يوم من الشهر، في يناير، يوليو"),
    ],
)  # fmt: skip
def test_an_expression_is_said_in_both_languages(app, expression, english, arabic):
    said = {}
    for tag in ("en", "ar"):
        with app.test_request_context(), reading(of(tag, Preferences(hours="24"))):
            said[tag] = schedules.explain(expression)

    assert said["en"] == english
    assert said["ar"] == arabic.replace("1, 15", "1، 15")


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
