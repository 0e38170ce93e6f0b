"""What is usual where nobody chose, and that nothing odd gets in."""

from __future__ import annotations

import pytest

from portal.i18n import preferences, zones
from portal.i18n.preferences import REGIONS, Preferences, allowed, resolve, usual


@pytest.mark.parametrize(
    ("region", "first_day", "weekend", "hours"),
    [
        ("SA", 6, "fri_sat", "12"), ("AE", 0, "sat_sun", "12"), ("EG", 5, "fri_sat", "12"), ("KW", 5, "fri_sat", "12"), ("JO", 5, "fri_sat", "12"),
        ("MA", 0, "sat_sun", "24"), ("DZ", 5, "fri_sat", "12"), ("GB", 0, "sat_sun", "24"), ("US", 6, "sat_sun", "12"), ("DE", 0, "sat_sun", "24"),
    ],
)  # fmt: skip
def test_the_week_and_the_hours_of_a_region(region, first_day, weekend, hours):
    assert usual(region) == {"first_day": first_day, "weekend": weekend, "hours": hours}


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_that_can_be_chosen_is_known(region):
    assert Preferences(**usual(region)).week[0] == usual(region)["first_day"]


def test_the_person_comes_before_the_organisation_and_that_before_the_region():
    ours = {"region": "MA", "hours": "12", "numerals": "arab", "timezone": "Africa/Casablanca"}

    found = resolve({"hours": "24"}, ours, timezone="Asia/Riyadh")

    assert (found.hours, found.numerals, found.first_day, found.timezone) == ("24", "arab", 0, "Africa/Casablanca")
    assert resolve({"region": "US"}, ours, timezone="Asia/Riyadh").hours == "12"
    assert resolve({}, {}, timezone="Asia/Dubai").timezone == "Asia/Dubai"


@pytest.mark.parametrize(
    "odd",
    [{"first_day": True}, {"first_day": "6"}, {"weekend": ["x"]}, {"timezone": "x"}, {"timezone": 5}, {"hours": 12}, {"x": 1}, {"region": None}],
)  # fmt: skip
def test_what_is_not_known_is_dropped(odd):
    assert allowed(odd) == {}


def test_the_days_off_stand_in_the_week():
    reader = Preferences(first_day=5, weekend="fri_sat")

    assert reader.week == (5, 6, 0, 1, 2, 3, 4) and reader.weekend_days == (4, 5)


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("الرياض", "Asia/Riyadh"), ("riyadh", "Asia/Riyadh"), ("القاهره", "Africa/Cairo"), ("Asia/Dubai", "Asia/Dubai"), ("utc", "UTC"),
        ("Riyadh, Saudi Arabia", "Asia/Riyadh"), ("Atlantis", None), ("", None),
    ],
)  # fmt: skip
def test_a_time_zone_is_found_by_its_city_in_both_languages(typed, zone):
    assert zones.find(typed) == zone


@pytest.mark.parametrize("tag", ["ar", "en"])
def test_every_name_that_is_offered_is_understood(tag):
    wrong = [each for each in zones.listed(tag) if zones.find(each.name) != each.id]

    assert wrong == []
    assert preferences.zones() >= {each.id for each in zones.listed(tag)}
