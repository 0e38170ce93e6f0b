"""Between the password and the session: nothing is open, nothing is told, and nothing works twice."""

from __future__ import annotations

import threading

import pyotp
import pytest

from portal.core import clock, db
from portal.identity.factors import service
from portal.identity.factors import totp as codes
from tests.conftest import KEY, code_for
from tests.identity.factors.conftest import rows


def later(monkeypatch, **by):
    from datetime import timedelta

    moment = clock.now() + timedelta(**by)
    monkeypatch.setattr(clock, "now", lambda: moment)


def test_a_password_alone_opens_nothing(tenant, after_password):
    browser = after_password()

    for path in ("/home", "/settings/sign-in", "/session", "/settings/preferences"):
        assert browser.get(path).headers["Location"].startswith("/sign-in?next=")
    assert browser.get("/session", fragment=True).status_code == 401
    assert rows("select 1 from sessions where person_id = :id", id=tenant.people["owner"]) == []
    assert rows("select 1 from audit_entries where action = 'session.started'") == []


def test_the_code_opens_a_new_session_and_the_page_that_was_wanted(tenant, after_password):
    browser = after_password(next_address="/runs?status=failed")
    before = browser.client.get_cookie("sid").value

    answer = browser.post("/sign-in/factor", data={"code": code_for(tenant.people["owner"])})

    assert answer.headers["Location"] == "/runs?status=failed"
    assert browser.client.get_cookie("sid").value != before
    assert browser.get("/runs").status_code == 200
    browser.client.set_cookie("sid", before)
    assert browser.get("/runs").status_code == 303, "the id from between the steps is dead"


def test_next_never_leads_away_after_the_second_step(tenant, after_password):
    browser = after_password(next_address="//evil.example")
    assert browser.post("/sign-in/factor", data={"code": code_for(tenant.people["owner"])}).headers["Location"] == "/"


def test_the_session_id_changes_with_the_password_too(app, tenant, visitor, after_password):
    visitor.get("/sign-in")
    known = visitor.client.get_cookie("sid")
    half = after_password().client.get_cookie("sid").value
    assert known is None or known.value != half


def test_a_code_works_once(tenant, after_password):
    code = code_for(tenant.people["owner"])
    first, second = after_password(), after_password()

    assert first.post("/sign-in/factor", data={"code": code}).status_code == 303
    assert second.post("/sign-in/factor", data={"code": code}).status_code == 422


def test_of_two_at_once_one_gets_in(app, tenant, after_password):
    browsers = [after_password() for _ in range(6)]
    code, found, start = code_for(tenant.people["owner"]), [], threading.Barrier(6)

    def send(browser):
        start.wait()
        found.append(browser.client.post("/sign-in/factor", data={"code": code}).status_code)

    threads = [threading.Thread(target=send, args=(each,)) for each in browsers]
    [each.start() for each in threads]
    [each.join() for each in threads]

    assert sorted(found) == [303, 422, 422, 422, 422, 422]


def to_arabic(text):
    return text.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))


def to_persian(text):
    return text.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))


@pytest.mark.parametrize("written", [to_arabic, to_persian, lambda code: f" {code[:3]} {code[3:]} "], ids=["arabic", "persian", "blanks"])
def test_digits_of_any_kind_are_taken(tenant, after_password, written):
    assert after_password().post("/sign-in/factor", data={"code": written(code_for(tenant.people["owner"]))}).status_code == 303


@pytest.mark.parametrize("wrong", ["000000", "abc", "", "1" * 90, "\x00123456"])
def test_a_wrong_code_says_so_and_nothing_else(tenant, after_password, wrong):
    code_for(tenant.people["owner"])
    page = after_password().post("/sign-in/factor", data={"code": wrong})
    assert page.status_code == 422
    assert "There is a problem" in page.text


@pytest.mark.parametrize(("steps", "status"), [(-1, 303), (1, 303), (-3, 422), (3, 422)])
def test_a_clock_may_be_half_a_minute_wrong(tenant, after_password, steps, status):
    code_for(tenant.people["owner"])
    code = codes.code_at(KEY, int(clock.now().timestamp()) // 30 + steps)
    page = after_password().post("/sign-in/factor", data={"code": code})
    assert page.status_code == status
    assert status == 303 or "set its clock by itself" in page.text


def test_who_takes_too_long_begins_again(tenant, after_password, monkeypatch):
    browser = after_password()
    code = code_for(tenant.people["owner"])
    later(monkeypatch, minutes=11)

    assert browser.get("/sign-in/factor").headers["Location"] == "/sign-in"
    assert browser.post("/sign-in/factor", data={"code": code}).headers["Location"] == "/sign-in"


def test_without_a_password_there_is_no_second_step(visitor):
    assert visitor.get("/sign-in/factor").headers["Location"] == "/sign-in"
    assert visitor.post("/sign-in/factor", data={"code": "123456"}).headers["Location"] == "/sign-in"


def test_who_lost_the_membership_between_the_steps_stays_out(tenant, after_password):
    browser, code = after_password(), code_for(tenant.people["owner"])
    with db.transaction(tenant.id) as session:
        from sqlalchemy import text

        session.execute(text("delete from memberships where person_id = :id"), {"id": tenant.people["owner"]})

    assert browser.post("/sign-in/factor", data={"code": code}).headers["Location"] == "/sign-in"
    assert browser.get("/home").headers["Location"].startswith("/sign-in?")


def test_the_language_can_be_switched_between_the_steps(tenant, after_password):
    browser = after_password()
    browser.post("/locale", data={"locale": "ar", "next": "/sign-in/factor"})
    assert 'dir="rtl"' in browser.get("/sign-in/factor").text
    assert browser.post("/sign-in/factor", data={"code": code_for(tenant.people["owner"])}).status_code == 303


@pytest.fixture
def kept(app, tenant):
    """Ten recovery codes of the owner."""
    from portal.core.access import Actor

    owner = tenant.people["owner"]
    with app.app_context():
        return service.make_codes(tenant.id, owner, by=Actor("person", owner))


def test_a_recovery_code_works_once_and_is_told(tenant, after_password, kept):
    first = after_password()
    assert "Use a recovery code" in first.get("/sign-in/factor").text

    assert first.post("/sign-in/factor?with=recovery", data={"code": kept[3].upper().replace("-", " ")}).status_code == 303
    assert after_password().post("/sign-in/factor?with=recovery", data={"code": kept[3]}).status_code == 422
    assert after_password().post("/sign-in/factor?with=recovery", data={"code": kept[4]}).status_code == 303

    with db.transaction(tenant.id) as session:
        from sqlalchemy import text

        told = session.scalars(text("select details->>'left' from audit_entries where action = 'recovery_code.used' order by 1 desc")).all()
    assert told == ["9", "8"]


def test_a_recovery_code_is_used_by_one_of_two_at_once(tenant, after_password, kept):
    browsers, found, start = [after_password() for _ in range(4)], [], threading.Barrier(4)

    def send(browser):
        start.wait()
        found.append(browser.client.post("/sign-in/factor?with=recovery", data={"code": kept[0]}).status_code)

    threads = [threading.Thread(target=send, args=(each,)) for each in browsers]
    [each.start() for each in threads]
    [each.join() for each in threads]

    assert sorted(found) == [303, 422, 422, 422]


def test_an_app_code_is_no_recovery_code_nor_the_other_way_round(tenant, after_password, kept):
    assert after_password().post("/sign-in/factor?with=recovery", data={"code": code_for(tenant.people["owner"])}).status_code == 422
    assert after_password().post("/sign-in/factor", data={"code": kept[0]}).status_code == 422


def test_recovery_codes_of_another_person_are_worth_nothing(app, tenant, after_password, kept):
    assert after_password("admin").post("/sign-in/factor?with=recovery", data={"code": kept[0]}).status_code == 422


def test_guessing_is_slowed_down_and_says_the_same(tenant, after_password):
    browser, owner = after_password(), tenant.people["owner"]
    for _ in range(6):
        page = browser.post("/sign-in/factor", data={"code": "000000"})
        assert page.status_code == 422

    refused = browser.post("/sign-in/factor", data={"code": code_for(owner)})

    assert refused.status_code == 422
    assert refused.text_of(".error-summary") == page.text_of(".error-summary")


def test_who_has_no_factor_comes_in_with_the_password(as_role):
    assert as_role("member").get("/home").status_code == 200


def test_the_demo_shows_a_code_only_where_the_demo_is(app, tenant, after_password):
    assert "data-demo-code" not in after_password().get("/sign-in/factor").text
    code_for(tenant.people["owner"])
    app.config["DEMO_PEOPLE"] = [
        {"email": tenant.email("owner"), "password": "x", "name": "O", "name_ar": "", "role": "owner", "totp": KEY}
    ]
    try:
        page = after_password().get("/sign-in/factor")
        assert page.text_of(".demo-code")[0] in (pyotp.TOTP(KEY).now(), pyotp.TOTP(KEY).at(int(clock.now().timestamp()) - 5))
        assert "data-demo-code" not in after_password("admin").get("/sign-in/factor").text
    finally:
        app.config["DEMO_PEOPLE"] = []


def test_prove_is_for_confirming_as_well(app, tenant, kept):
    owner, member = tenant.people["owner"], tenant.people["member"]
    with app.app_context(), db.transaction(tenant.id):
        assert service.prove(owner, "app", code_for(owner), tenant_id=tenant.id)
        assert service.prove(owner, "recovery", kept[0], tenant_id=tenant.id)
        assert not service.prove(owner, "recovery", kept[0], tenant_id=tenant.id)
        assert not service.prove(member, "app", pyotp.TOTP(KEY).now(), tenant_id=tenant.id)
        assert not service.prove(owner, "password", "anything", tenant_id=tenant.id)
        assert not service.prove(owner, "passkey", "{}", tenant_id=tenant.id)
