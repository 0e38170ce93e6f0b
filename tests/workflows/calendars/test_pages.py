"""The pages of calendars, as people use them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import Actor
from portal.core.errors import Conflict
from portal.workflows.calendars import queries, service
from portal.workflows.calendars.service import Draft

FORM = {
    "name": "Riyadh office", "name_ar": "مكتب الرياض", "timezone": "Riyadh", "weekend": ["5", "6"],
    "hours_from_1": "08:00", "hours_to_1": "12:00", "hours_from_2": "١٣:٠٠", "hours_to_2": "17:00", "ramadan_from_1": "10:00", "ramadan_to_1": "15:00",
}  # fmt: skip


@pytest.fixture
def office(app, tenant):
    draft = Draft("Office", "المكتب", "Asia/Riyadh", (5, 6), ((480, 1020),))
    with app.app_context(), db.transaction(tenant.id):
        return service.add_calendar(tenant.id, draft, by=Actor("person", tenant.people["owner"]))


def kept(tenant, calendar_id):
    with db.transaction(tenant.id):
        return queries.get(tenant.id, calendar_id)


def test_a_calendar_is_made_and_read_back(tenant, as_role):
    browser = as_role("builder")
    assert browser.get("/settings/calendars").text_of(".empty-title") or "No calendar yet" in browser.get("/settings/calendars").text

    answer = browser.post("/settings/calendars/new", data=FORM)

    assert answer.status_code == 303
    row = kept(tenant, answer.headers["Location"].rpartition("/")[2])
    assert (row.weekend, row.hours, row.ramadan_hours) == ([5, 6], [[480, 720], [780, 1020]], [[600, 900]])
    assert row.is_default, "the first one is the usual one"
    page = browser.get(answer.headers["Location"])
    assert 'value="13:00"' in page.text and 'value="Riyadh, Saudi Arabia"' in page.text
    with db.transaction(tenant.id) as session:
        assert session.scalar(text("select count(*) from audit_entries where action = 'calendar.added'")) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "", "name_ar": ""}, "name"),
        ({"timezone": "Atlantis"}, "timezone"),
        ({"weekend": list("1234567")}, "weekend"),
        ({"hours_from_1": "", "hours_to_1": "", "hours_from_2": "", "hours_to_2": ""}, "hours_from_1"),
        ({"hours_to_1": "25:00"}, "hours_to_1"),
        ({"hours_to_1": "07:00"}, "hours_to_1"),
        ({"hours_from_2": "11:00"}, "hours_from_2"),
        ({"name": "a\u202eb"}, "name"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(as_role, change, field):
    page = as_role("builder").post("/settings/calendars/new", data={**FORM, **change})

    assert page.status_code == 422
    assert f'href="#f-{field}"' in page.text
    assert "مكتب الرياض" in page.text or "name_ar" in change


def test_a_name_that_is_taken_is_refused(as_role, office):
    assert as_role("builder").post("/settings/calendars/new", data={**FORM, "name": "OFFICE"}).status_code == 422


def test_two_working_days_from_now_are_shown(as_role, office, tenant):
    page = as_role("member").get(f"/settings/calendars/{office}?amount=2&unit=days")

    shown = page.tree().find(".//*[@data-until]").get("data-until")
    with db.transaction(tenant.id):
        expected = service.after(tenant.id, office, 2, "days")
    assert abs((datetime.fromisoformat(shown) - expected).total_seconds()) < 60
    assert expected > datetime.now(UTC)
    assert as_role("member").get(f"/settings/calendars/{office}?amount=soon").text_of(".error")
    assert 'id="preview"' in as_role("member").get(f"/settings/calendars/{office}?amount=2", fragment=True).text


def test_a_holiday_of_either_calendar_is_added_and_taken_out(as_role, office, tenant):
    browser, where = as_role("builder"), f"/settings/calendars/{office}/holidays"

    browser.post(where, data={"holiday": "Eid", "holiday_ar": "العيد", "day": "١٤٤٨-١٠-٠١", "days": "4", "repeats": "1"})
    browser.post(where, data={"holiday": "Moved house", "day": "2026-12-03", "days": "1"})

    first, second = kept(tenant, office).holidays
    assert (first["is_hijri"], first["year"], first["month"], first["day"], first["days"]) == (True, None, 10, 1, 4)
    assert (second["is_hijri"], second["year"], second["month"], second["day"]) == (False, 2026, 12, 3)
    page = browser.get(f"/settings/calendars/{office}")
    assert "1 Shawwal" in page.text and "3 December 2026" in page.text
    browser.post(f"{where}/take", data={"place": "0", "name": "Eid"})
    browser.post(f"{where}/take", data={"place": "0", "name": "Eid"})
    assert [each["name"] for each in kept(tenant, office).holidays] == ["Moved house"]
    assert browser.post(where, data={"holiday": "x", "day": "3/4/2026", "days": "0"}).status_code == 422


def test_members_look_and_do_not_change(as_role, office, stranger):
    member = as_role("member")
    assert member.get(f"/settings/calendars/{office}").status_code == 200
    assert member.post(f"/settings/calendars/{office}", data=FORM).status_code == 403
    assert stranger.get(f"/settings/calendars/{office}").status_code == 404
    assert stranger.post(f"/settings/calendars/{office}", data=FORM).status_code == 404


def test_the_usual_one_changes_hands_before_it_goes(as_role, app, office, tenant):
    browser = as_role("admin")
    other = browser.post("/settings/calendars/new", data=FORM).headers["Location"].rpartition("/")[2]

    assert browser.post(f"/settings/calendars/{office}/delete").status_code == 409
    browser.post(f"/settings/calendars/{other}/usual")
    assert browser.post(f"/settings/calendars/{office}/delete").status_code == 303

    assert kept(tenant, other).is_default
    with app.app_context(), db.transaction(tenant.id):
        assert service.calendar_of(tenant.id, office).hours == ((480, 720), (780, 1020)), "one that is gone means the usual one"
        with pytest.raises(Conflict):
            service.delete_calendar(tenant.id, other, by=Actor("person", tenant.people["owner"]))


def test_without_a_calendar_the_region_says_how_it_works(app, tenant):
    with app.app_context(), db.transaction(tenant.id):
        assert service.calendar_of(tenant.id).weekend == frozenset({5, 6})
