"""Months to choose a day from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from portal.i18n.locale import current
from portal.i18n.months import month_of


def month(app, text, *, first_day=6, calendar="gregorian", chosen=None, focus=None):
    with app.test_request_context():
        reader = current()
        reader = replace(reader, preferences=replace(reader.preferences, first_day=first_day, weekend="fri_sat", calendar=calendar))
        return month_of(text, chosen=chosen, focus=focus, today=date(2026, 12, 3), reader=reader)


@pytest.mark.parametrize(("first_day", "begins"), [(6, "2026-11-29"), (0, "2026-11-30"), (5, "2026-11-28")])
def test_weeks_are_whole_and_begin_as_the_reader_s_do(app, first_day, begins):
    found = month(app, "2026-12", first_day=first_day)
    days = [day for week in found.weeks for day in week]
    assert days[0].iso == begins and {len(week) for week in found.weeks} == {7}
    assert [day.iso for day in days if not day.is_other] == [f"2026-12-{number:02}" for number in range(1, 32)]
    assert [day.iso for day in days if day.is_today] == ["2026-12-03"]
    assert {date.fromisoformat(day.iso).weekday() for day in days if day.is_off} == {4, 5}


@pytest.mark.parametrize(
    ("chosen", "focus", "entry"),
    [(None, None, "2026-12-03"), (date(2026, 12, 8), None, "2026-12-08"), (date(2026, 12, 8), date(2026, 12, 9), "2026-12-09")],
)
def test_one_day_takes_the_focus(app, chosen, focus, entry):
    found = month(app, "2026-12", chosen=chosen, focus=focus)
    assert [day.iso for week in found.weeks for day in week if day.is_entry] == [entry]


def test_hijri_days_stand_beside_for_who_wants_them(app):
    found = month(app, "2026-12", calendar="umalqura")
    first = next(day for week in found.weeks for day in week if day.iso == "2026-12-01")
    assert first.hijri == "21" and "1448" in first.name
    assert found.hijri.count("1448") == 2
    plain = month(app, "2026-12")
    assert plain.hijri == "" and not any(day.hijri for week in plain.weeks for day in week)


@pytest.mark.parametrize("text", ["", "nonsense", "2026-13", "1800-01", "9999-12"])
def test_what_is_no_month_means_this_one(app, text):
    assert month(app, text).iso == "2026-12"


def test_the_known_months_have_ends(app):
    assert month(app, "1925-01").previous == "" and month(app, "2076-12").following == ""


def test_a_month_is_a_page_of_its_own_too(as_role, visitor):
    page = as_role("member").get("/calendar?month=2026-12&chosen=2026-12-08")
    assert page.status_code == 200 and 'aria-pressed="true"' in page.text
    assert visitor.get("/calendar").status_code == 303
