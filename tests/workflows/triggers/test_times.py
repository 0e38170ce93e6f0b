# ruff: noqa: DTZ001 - what a wall clock shows has no zone
"""When a schedule is due: the rules of clock changes, and ours against another library and against counting every minute.

Where croniter differs, each difference has a class with its reason; a difference without a class fails.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter

from portal.workflows.triggers import times
from portal.workflows.triggers.times import Plan

NEW_YORK, RIYADH, CAIRO, LORD_HOWE, APIA, BEIRUT = map(
    ZoneInfo, ("America/New_York", "Asia/Riyadh", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Beirut")
)


def local(expression: str, zone: ZoneInfo, begin: datetime, count: int) -> list[str]:
    plan = Plan("cron", zone, cron=expression)
    return [each.astimezone(zone).strftime("%d %H:%M%z")[:11] for each in times.upcoming(plan, begin.replace(tzinfo=zone), count)]


@pytest.mark.parametrize(
    ("expression", "zone", "begin", "expected"),
    [
        # The clock jumps from 02:00 to 03:00 on 8 March 2026.
        ("30 2 * * *", NEW_YORK, datetime(2026, 3, 7, 12), ["08 03:00-04", "09 02:30-04"]),
        ("*/15 2 * * *", NEW_YORK, datetime(2026, 3, 7, 12), ["08 03:00-04", "09 02:00-04"]),
        ("30 1-3 * * *", NEW_YORK, datetime(2026, 3, 8, 0), ["08 01:30-05", "08 03:00-04", "08 03:30-04", "09 01:30-04"]),
        ("0 * * * *", NEW_YORK, datetime(2026, 3, 8, 0), ["08 01:00-05", "08 03:00-04", "08 04:00-04"]),
        # The hour from 01:00 comes twice on 1 November 2026.
        ("30 1 * * *", NEW_YORK, datetime(2026, 10, 31, 12), ["01 01:30-04", "02 01:30-05"]),
        ("0,30 1 * * *", NEW_YORK, datetime(2026, 10, 31, 12), ["01 01:00-04", "01 01:30-04", "02 01:00-05"]),
        ("30 * * * *", NEW_YORK, datetime(2026, 11, 1, 0, 45), ["01 01:30-04", "01 01:30-05", "01 02:30-05"]),
        # Midnight itself is in the gap, half an hour is the gap, a whole day is the gap.
        ("0 0 * * *", BEIRUT, datetime(2026, 3, 28, 12), ["29 01:00+03", "30 00:00+03"]),
        ("30 0 * * *", CAIRO, datetime(2026, 4, 23, 12), ["24 01:00+03", "25 00:30+03"]),
        ("15 2 * * *", LORD_HOWE, datetime(2026, 10, 3, 12), ["04 02:30+11", "05 02:15+11"]),
        ("45 1 * * *", LORD_HOWE, datetime(2026, 4, 4, 12), ["05 01:45+11", "06 01:45+10"]),
        ("0 12 * * *", APIA, datetime(2011, 12, 29, 13), ["31 00:00+14", "31 12:00+14"]),
    ],
)
def test_the_rules_of_clock_changes(expression, zone, begin, expected):
    assert local(expression, zone, begin, len(expected)) == expected


def test_asking_in_the_middle_of_a_change_gives_the_same_as_asking_before():
    plan = Plan("cron", NEW_YORK, cron="*/20 1,2 * * *")
    for begin in (datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC)):
        whole = list(islice(times.after(plan, begin), 40))
        for minutes in range(0, 3 * 24 * 60, 7):
            moment = begin + timedelta(minutes=minutes)
            assert times.next_after(plan, moment) == next(each for each in whole if each > moment)


def fields_of(rng: random.Random) -> str:
    def field(low: int, high: int, star: float) -> str:
        kind = rng.random()
        if kind < star:
            return "*"
        if kind < star + 0.15:
            return f"*/{rng.choice([2, 3, 5, 7, 10, 15])}"
        if kind < star + 0.3:
            first = rng.randint(low, high - 1)
            return f"{first}-{rng.randint(first, high)}"
        return ",".join(str(each) for each in sorted(rng.sample(range(low, high + 1), rng.choice([1, 1, 2, 3]))))

    return " ".join([field(0, 59, 0.1), field(0, 23, 0.25), field(1, 28, 0.6), field(1, 12, 0.75), field(0, 6, 0.6)])


def fires_by_counting(expression: str, zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    """The oracle: look at every real minute and every minute of the wall, by nothing but the words of the rules."""
    from cronsim import CronSim

    cron = CronSim(expression, datetime(2026, 1, 1))
    minutes, hours = cron.minutes, cron.hours

    def fits(wall: datetime) -> bool:
        day, weekday = wall.day in cron.days, wall.isoweekday() % 7 in {each % 7 for each in cron.weekdays}
        dated = day and weekday if cron.day_and else day or weekday
        return wall.minute in minutes and wall.hour in hours and wall.month in cron.months and dated

    found: set[datetime] = set()
    seen: set[datetime] = set()
    moment, before = begin - timedelta(days=2), None
    while moment <= end:
        wall = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        if expression.split()[1].startswith("*"):
            if fits(wall):
                found.add(moment)
        else:
            # Every minute of the wall up to this one that was not shown before: more than one after a gap, none in a doubled hour.
            each = before + timedelta(minutes=1) if before is not None else wall
            while each <= wall:
                if each not in seen and fits(each):
                    found.add(moment)
                seen.add(each)
                each += timedelta(minutes=1)
            before = max(before or wall, wall)
        moment += timedelta(minutes=1)
    return sorted(each for each in found if begin < each <= end)


CHANGES = [
    (NEW_YORK, datetime(2026, 3, 7, tzinfo=UTC)),
    (NEW_YORK, datetime(2026, 10, 31, tzinfo=UTC)),
    (LORD_HOWE, datetime(2026, 4, 4, tzinfo=UTC)),
    (LORD_HOWE, datetime(2026, 10, 3, tzinfo=UTC)),
    (CAIRO, datetime(2026, 4, 23, tzinfo=UTC)),
    (CAIRO, datetime(2026, 10, 29, tzinfo=UTC)),
    (BEIRUT, datetime(2026, 3, 28, tzinfo=UTC)),
    (RIYADH, datetime(2026, 3, 28, tzinfo=UTC)),
]


@pytest.mark.parametrize(("zone", "begin"), CHANGES, ids=lambda each: str(each)[:20])
def test_counting_every_minute_gives_the_same(zone, begin):
    rng = random.Random(f"{zone}{begin}")
    end = begin + timedelta(days=2)
    for _ in range(10):
        expression = fields_of(rng).rsplit(" ", 3)[0] + " * * " + rng.choice(["*", "0-6", "1,3,5"])
        ours = [each for each in times.upcoming(Plan("cron", zone, cron=expression), begin, 3_000) if each <= end]
        assert ours == fires_by_counting(expression, zone, begin, end), expression


ZONES = ["Asia/Riyadh", "Asia/Kolkata", "UTC", "America/New_York", "Europe/London", "Africa/Cairo", "Australia/Sydney", "America/Santiago"]
WITHOUT_CHANGES = {"Asia/Riyadh", "Asia/Kolkata", "UTC"}
NUMBER = 2_400
RANGE = re.compile(r"\b(\d+)-(\d+)\b")


def class_of(ours: list[datetime], theirs: list[datetime], expression: str, zone: ZoneInfo) -> str:
    """Name why two lists differ; empty if nothing explains it."""
    odd = set(ours) ^ set(theirs)

    def near_change(moment: datetime) -> bool:
        around = {(moment + timedelta(hours=h)).astimezone(zone).utcoffset() for h in (-4, 4)}
        return len(around) > 1

    _minute, hour, day, _month, weekday = expression.split()
    if any(first == last for first, last in RANGE.findall(expression)):
        return "a range of one: for us 5-5 is 5, croniter reads it as the whole field"
    if day.startswith("*/") or weekday.startswith("*/"):
        return "a step in a day field: for us `*/n` is still a star (both must fit), as in Debian's cron; for croniter it is a list"
    if all(near_change(each) for each in odd):
        gap = (min(odd) + timedelta(hours=4)).astimezone(zone).utcoffset() > (min(odd) - timedelta(hours=4)).astimezone(zone).utcoffset()
        if gap:
            return "a time in the gap: we fire once right after it, croniter leaves it out or moves it by an hour"
        if not hour.startswith("*"):
            return "the doubled hour: croniter fires a wall-clock time twice (or, from within it, at the second), we once at the first"
        return "the doubled hour of an hourly rule: we count real hours, croniter loses or repeats one of them"
    return ""


def test_thousands_of_expressions_agree_with_another_library():
    rng = random.Random(20261128)
    classes: Counter[str] = Counter()
    agreed = {False: 0, True: 0}
    for number in range(NUMBER):
        expression, name = fields_of(rng), ZONES[number % len(ZONES)]
        zone = ZoneInfo(name)
        begin = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=rng.randrange(0, 365 * 24 * 60))
        ours = times.upcoming(Plan("cron", zone, cron=expression), begin, 12)
        other = croniter(expression, begin.astimezone(zone), day_or=True)
        theirs = [other.get_next(datetime).astimezone(UTC) for _ in range(12)]
        # The lists end at different moments once they differ: compare what both cover.
        end = min(ours[-1], theirs[-1])
        a, b = [each for each in ours if each <= end], [each for each in theirs if each <= end]
        if a == b:
            agreed[name in WITHOUT_CHANGES] += 1
            continue
        reason = class_of(a, b, expression, zone)
        assert reason, f"unexplained: {expression} in {name} from {begin}: {sorted(set(a) ^ set(b))[:4]}"
        if "a step in" not in reason and "a range of" not in reason:
            assert name not in WITHOUT_CHANGES, f"{expression} in {name}: there is no change of clocks to differ about"
        classes[reason] += 1
    assert sum(agreed.values()) + sum(classes.values()) == NUMBER
    assert agreed[False] > 1_000 and agreed[True] > 600, (agreed, classes)


def test_intervals_are_real_time_from_an_anchor():
    plan = Plan("interval", NEW_YORK, every=timedelta(hours=6), anchor=datetime(2026, 10, 31, 4, tzinfo=UTC))
    found = times.upcoming(plan, datetime(2026, 10, 31, 4, tzinfo=UTC), 6)

    assert {b - a for a, b in pairwise(found)} == {timedelta(hours=6)}
    assert found[0] == datetime(2026, 10, 31, 10, tzinfo=UTC)
    assert times.next_after(plan, datetime(2026, 10, 31, 9, 59, 59, tzinfo=UTC)) == found[0]
    assert times.next_after(plan, found[0]) == found[1]


def test_hijri_dates():
    plan = Plan("hijri", RIYADH, month=9, day=1, at=time(8))
    found = times.upcoming(plan, datetime(2026, 1, 1, tzinfo=UTC), 4)

    assert [each.astimezone(RIYADH).strftime("%Y-%m-%d %H:%M") for each in found] == [
        "2026-02-18 08:00", "2027-02-08 08:00", "2028-01-28 08:00", "2029-01-16 08:00",
    ]  # fmt: skip
    # Twice in one Gregorian year: 1 Ramadan of 1451 and of 1452.
    twice = times.upcoming(plan, datetime(2030, 1, 1, tzinfo=UTC), 2)
    assert [each.year for each in twice] == [2030, 2030]


def test_the_thirtieth_of_a_short_hijri_month_is_its_last_day():
    from hijridate import Gregorian

    found = times.upcoming(Plan("hijri", RIYADH, month=0, day=30, at=time(0)), datetime(2026, 1, 1, tzinfo=UTC), 24)

    assert len(found) == 24
    for each in found:
        day = each.astimezone(RIYADH).date()
        follows = day + timedelta(days=1)
        assert Gregorian(follows.year, follows.month, follows.day).to_hijri().day == 1


def test_hijri_dates_end_with_the_tables():
    plan = Plan("hijri", RIYADH, month=9, day=1)
    found = times.upcoming(plan, datetime(2070, 1, 1, tzinfo=UTC), 100)

    assert 5 < len(found) < 12 and found[-1].year <= 2077
    assert times.next_after(plan, datetime(2090, 1, 1, tzinfo=UTC)) is None


def test_first_and_last_day():
    begins, ends = times.start_of(date(2026, 3, 1), RIYADH), times.start_of(date(2026, 3, 4), RIYADH)
    plan = Plan("cron", RIYADH, cron="0 0,12 * * *", begins=begins, ends=ends)

    found = list(times.after(plan, datetime(2020, 1, 1, tzinfo=UTC)))

    assert found[0] == begins and found[-1] == ends - timedelta(hours=12) and len(found) == 6


def test_looking_back_is_bounded():
    plan = Plan("cron", RIYADH, cron="* * * * *")
    now = datetime(2026, 6, 1, tzinfo=UTC)

    found = times.due(plan, datetime(2016, 1, 1, tzinfo=UTC), now, limit=100)

    assert len(found) == 100 and found[-1] == now and found[0] == now - timedelta(minutes=99)
    rare = times.due(Plan("cron", RIYADH, cron="0 0 1 1 *"), datetime(2016, 1, 1, tzinfo=UTC), now, limit=100)
    assert len(rare) == 10
