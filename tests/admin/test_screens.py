"""Staff see how the house stands, and never what tenants keep."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from portal.core import clock, db, flags
from portal.core.ids import new_id
from tests.identity.letters import letters_to
from tests.workflows.engine.conftest import Engine, step, values

CANARY = "canary-7741"


@pytest.mark.parametrize("path", ["/staff", "/staff/tenants", "/staff/jobs", "/staff/announcements", "/staff/switches"])
def test_each_screen_opens_for_staff_in_both_languages_and_for_nobody_else(as_staff, as_role, visitor, path):
    for locale in ("ar", "en"):
        assert as_staff(locale).get(path).status_code == 200
    assert as_role("owner").get(path).status_code == 404
    assert visitor.get(path).status_code == 404


def test_staff_start_at_their_own_home(as_staff):
    assert as_staff().get("/").headers["Location"] == "/staff"
    assert as_staff().get("/settings/devices").status_code == 200


@pytest.mark.parametrize("how", ["name", "arabic", "slug", "id", "email"])
def test_an_organisation_is_found(app, tenant, as_staff, how):
    with db.transaction() as session:
        session.execute(text("update tenants set name = 'Falcon Logistics', name_ar = 'شركة الصَّقر', search_key = :key where id = :id"),
                        {"id": tenant.id, "key": _key("Falcon Logistics", "شركة الصَّقر")})  # fmt: skip
        slug = session.scalar(text("select slug from tenants where id = :id"), {"id": tenant.id})
    words = {"name": "falcon", "arabic": "الصقر", "slug": slug, "id": str(tenant.id), "email": tenant.email("member").upper()}[how]

    page = as_staff().get("/staff/tenants", query_string={"q": words})

    assert f"/staff/tenants/{tenant.id}" in page.text


def _key(*names):
    from portal.i18n import search

    return search.key(*names)


@pytest.mark.parametrize("words", ["%", "_", "nothing like it", "' or 1=1 --", "\\"])
def test_odd_words_find_nothing_and_break_nothing(tenant, as_staff, words):
    page = as_staff().get("/staff/tenants", query_string={"q": words})

    assert page.status_code == 200 and "No organisation matches" in page.text


def test_the_page_of_an_organisation_shows_people_and_runs_but_not_what_they_carry(app, tenant, as_staff):
    with app.app_context():
        engine = Engine(tenant)
        workflow_id = engine.publish(step("only", "set", **values(x=CANARY)))
        engine.start(workflow_id, secret=CANARY)
        engine.pump()

    page = as_staff().get(f"/staff/tenants/{tenant.id}")

    assert tenant.email("owner") in page.text and "Succeeded" in page.text
    assert CANARY not in page.text
    assert as_staff().get(f"/staff/tenants/{new_id()}").status_code == 404


def test_a_failing_job_is_tried_now_or_given_up(app, staffer, as_staff):
    first, second = new_id(), new_id()
    with db.transaction(system=True) as session:
        session.execute(text("select 1"))
    with db.transaction() as session:
        for job_id in (first, second):
            session.execute(text("insert into outbox (id, name, arguments, available_at) values (:id, 'mail.letter', '[]', clock_timestamp() + interval '6 hours')"), {"id": job_id})  # fmt: skip
    with db.transaction(system=True) as session:
        session.execute(text("update outbox set attempts = 5 where id in (:a, :b)"), {"a": first, "b": second})
    browser = as_staff()
    assert str(first) in browser.get("/staff/jobs").text

    assert browser.post(f"/staff/jobs/{first}/retry").status_code == 303
    assert browser.post(f"/staff/jobs/{second}/drop").status_code == 303

    with db.transaction(system=True) as session:
        rows = session.execute(
            text("select id, available_at <= clock_timestamp() as is_due from outbox where id in (:a, :b)"), {"a": first, "b": second}
        ).all()
        session.execute(text("delete from outbox where id = :id"), {"id": first})
    assert [(row.id, row.is_due) for row in rows] == [(first, True)]
    assert browser.post(f"/staff/jobs/{second}/drop").status_code == 404


def announce(browser, **changed):
    until = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    return browser.post(
        "/staff/announcements",
        data={"text": "Slow on Friday <b>", "text_ar": "بطء يوم الجمعة", "tone": "warning", "until": until, **changed},
    )


def test_an_announcement_is_seen_by_everybody_in_their_language_until_put_away_or_ended(tenant, as_staff, sign_in):
    staff, reader = as_staff(), sign_in(tenant, "member", "ar")
    assert announce(staff).status_code == 303
    page = reader.get("/workflows")
    assert "بطء يوم الجمعة" in page.text and "Slow on Friday" not in page.text
    assert "Slow on Friday &lt;b&gt;" in sign_in(tenant, "builder").get("/workflows").text

    with db.transaction() as session:
        newest = session.scalar(text("select id from announcements order by created_at desc limit 1"))
    assert reader.post(f"/announcements/{newest}/put-away", data={"next": "/workflows"}).headers["Location"] == "/workflows"
    assert "بطء يوم الجمعة" not in reader.get("/workflows").text

    staff.post(f"/staff/announcements/{newest}/end")
    assert "Slow on Friday" not in sign_in(tenant, "builder").get("/workflows").text
    assert staff.post(f"/staff/announcements/{newest}/end").status_code == 404


@pytest.mark.parametrize(
    "changed",
    [{"text": ""}, {"text_ar": " "}, {"text": "x" * 301}, {"tone": "loud"}, {"until": ""}, {"until": "2020-01-01T00:00"}, {"until": "soon"},
     {"since": "2099-01-01T00:00"}],
)  # fmt: skip
def test_a_bad_announcement_is_refused_and_kept(as_staff, changed):
    page = announce(as_staff(), **changed)

    assert page.status_code == 422
    assert changed.get("text_ar", "بطء يوم الجمعة").strip() in page.text


def test_exports_are_switched_off_for_everybody_and_on_again(tenant, as_staff, as_role):
    staff, reader = as_staff(), as_role("owner")
    asked = {"source": "workflows.runs", "format": "csv"}
    try:
        assert staff.post("/staff/switches/exports", data={"on": "0"}).status_code == 303
        reader.post("/exports", data=asked)
        assert "cannot be made at the moment" in reader.get("/notifications").text
        assert "Off" in staff.get("/staff/switches").text
    finally:
        staff.post("/staff/switches/exports", data={"on": "1"})
        flags.forget()
    reader.post("/exports", data=asked)
    assert "is being made" in reader.get("/notifications").text
    assert staff.post("/staff/switches/nothing", data={"on": "0"}).status_code == 404


def test_what_staff_do_stands_in_the_houses_book(staffer, as_staff):
    announce(as_staff())

    with db.unit_of_work(system=True) as session:
        rows = session.execute(
            text("select action from audit_entries where actor_kind = 'staff' and actor_id = :id"), {"id": staffer.id}
        ).all()
        session.rollback()
    assert [row.action for row in rows] == ["announcement.made"]


REASON = {"reason": "The bill is open.", "reason_ar": "الفاتورة لم تُدفع."}


def test_staff_suspend_an_organisation_and_let_it_go_on(tenant, as_staff, as_role, staffer):
    browser, member, page = as_staff(), as_role("builder"), f"/staff/tenants/{tenant.id}"
    assert browser.post(f"{page}/suspend", data=REASON).status_code == 303

    assert member.get("/workflows").headers["Location"].startswith("/organisations")
    assert "The bill is open." in member.get("/organisations").text
    assert "الفاتورة لم تُدفع." in as_staff("ar").get(page).text
    assert [each["message"] for each in letters_to(tenant.email("owner"))] == ["organisation_suspended"]
    assert browser.post(f"{page}/suspend", data=REASON).status_code == 303, "a second time changes nothing"

    assert browser.post(f"{page}/resume").status_code == 303
    assert member.get("/workflows").status_code == 200
    with db.transaction(tenant.id) as session:
        entries = session.execute(
            text("select action, actor_kind, actor_id from audit_entries where action like 'organisation.%' order by at, id")
        )
        assert [tuple(row) for row in entries] == [(f"organisation.{each}", "staff", staffer.id) for each in ("suspended", "resumed")]
    assert len(house_book("organisation.suspended", tenant.id)) == 2 and len(house_book("organisation.resumed", tenant.id)) == 1


def house_book(action, target):
    with db.transaction(system=True) as session:
        statement = (
            "select 1 from audit_entries a join tenants t on t.id = a.tenant_id where t.is_house and action = :action and target_id = :it"
        )
        return session.execute(text(statement), {"action": action, "it": target}).all()


@pytest.mark.parametrize("missing", ["reason", "reason_ar"])
def test_nobody_is_suspended_without_a_reason_in_both_languages(tenant, as_staff, as_role, missing):
    page = as_staff().post(f"/staff/tenants/{tenant.id}/suspend", data={**REASON, missing: " "})

    assert page.status_code == 422 and "both languages" in page.text
    assert "The bill is open." in page.text or "الفاتورة" in page.text, "what was typed is kept"
    assert as_role("builder").get("/workflows").status_code == 200


def test_the_house_and_what_is_closed_are_not_suspended(tenant, as_staff):
    with db.transaction() as session:
        house = session.scalar(text("select id from tenants where is_house"))
        session.execute(text("update tenants set status = 'closed' where id = :id"), {"id": tenant.id})
    browser = as_staff()
    assert [browser.post(f"/staff/tenants/{each}/suspend", data=REASON).status_code for each in (house, new_id(), tenant.id)] == [
        404,
        404,
        409,
    ]
    assert 'name="reason"' not in browser.get(f"/staff/tenants/{tenant.id}").text


def test_suspending_wants_a_fresh_proof(tenant, as_staff, staffer):
    browser = as_staff()
    with db.transaction() as session:
        session.execute(
            text("update sessions set confirmed_at = confirmed_at - interval '16 minutes' where person_id = :id"), {"id": staffer.id}
        )
    assert browser.post(f"/staff/tenants/{tenant.id}/suspend", data=REASON).headers["Location"].startswith("/confirm")
