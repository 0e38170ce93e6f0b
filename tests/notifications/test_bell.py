"""The bell: a person's own notices, counted, read, and never anybody else's."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.core import db
from portal.notifications import queries
from portal.notifications import service as notifications
from tests.workflows.engine.conftest import Engine, step, values


@pytest.fixture
def tell(app, tenant):
    def notify(*messages, role="owner", **more):
        with app.app_context(), db.transaction(tenant.id):
            for message in messages:
                notifications.notify(tenant.id, [tenant.people[role]], type="workflow.notification", message=message, **more)

    return notify


def unread(app, tenant, role="owner"):
    with app.app_context(), db.transaction(tenant.id):
        return queries.unread_count(tenant.id, tenant.people[role])


def test_an_empty_bell_says_so(as_role):
    page = as_role("owner").get("/notifications")

    assert "Nothing new" in page.text


def test_notices_are_listed_newest_first_counted_and_read_one_by_one(app, tenant, tell, as_role):
    tell("first", "second <b>")
    browser = as_role("owner")

    page = browser.get("/notifications")
    assert page.text.index("second &lt;b&gt;") < page.text.index("first")
    assert unread(app, tenant) == 2

    with app.app_context(), db.transaction(tenant.id) as session:
        newest = session.scalar(text("select id from notifications order by created_at desc limit 1"))
    assert browser.post(f"/notifications/{newest}/read").status_code == 303
    assert browser.post(f"/notifications/{newest}/read", fragment=True).status_code == 200
    assert unread(app, tenant) == 1
    assert browser.post("/notifications/read-all").status_code == 303
    assert unread(app, tenant) == 0


def test_a_notice_of_a_colleague_cannot_be_seen_or_read(app, tenant, tell, as_role):
    tell("only for the owner")
    member = as_role("member")
    with app.app_context(), db.transaction(tenant.id) as session:
        notice = session.scalar(text("select id from notifications"))

    assert "only for the owner" not in member.get("/notifications").text
    assert member.post(f"/notifications/{notice}/read").status_code == 404
    assert member.post("/notifications/read-all").status_code == 303
    assert unread(app, tenant) == 1


def test_fifty_notices_make_a_second_page(tell, as_role):
    tell(*(f"notice {number:03}" for number in range(53)))
    browser = as_role("owner")

    first = browser.get("/notifications")
    link = first.text.split("/notifications?after=")[1].split('"')[0]
    second = browser.get(f"/notifications?after={link}")

    assert first.text.count("notice-row") == 50 and second.text.count("notice-row") == 3
    assert "notice 000" in second.text and "notice 052" in first.text


def test_a_long_or_odd_message_is_kept_and_never_breaks_the_page(tell, as_role):
    tell("م" * 5_000, "</bdi><script>alert(1)</script>", "a\x00b")

    page = as_role("owner").get("/notifications")

    assert "<script>alert" not in page.text
    assert "م" * 2_000 in page.text and "م" * 2_001 not in page.text
    assert "ab" in page.text


@pytest.mark.parametrize(("locale", "words", "name"), [("en", "has failed", "Bell flow"), ("ar", "تعذّر|فشل|أخفق", "مسار الجرس")])
def test_a_failed_run_tells_its_starter_in_their_language(app, tenant, sign_in, locale, words, name):
    engine = Engine(tenant)
    with app.app_context():
        workflow_id = engine.publish(step("only", "set", **values(x="${ int('x') }")))
        with db.transaction(tenant.id) as session:
            session.execute(
                text("update workflow_templates set name = 'Bell flow', name_ar = 'مسار الجرس' where id = :id"), {"id": workflow_id}
            )
        assert engine.go(workflow_id).status == "failed"

    page = sign_in(tenant, "owner", locale).get("/notifications")

    assert any(word in page.text for word in words.split("|"))
    assert name in page.text
