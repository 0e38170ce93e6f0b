"""Lockouts: off unless an organisation asks for them, timed, told, ended by an admin, and never for a known device."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.access import SYSTEM
from portal.identity import lockout, throttle
from portal.identity import service as identity
from portal.identity.origin import Origin
from portal.mail import jobs
from portal.mail import service as mail
from tests.conftest import PASSWORD
from tests.identity.letters import letters_to, token_in
from tests.identity.members.conftest import book
from tests.identity.test_throttle import _said, attempt
from tests.mail.server import text_of

SWITCH = {"factor": "off", "lockout": "on", "lockout_after": "3", "lockout_window": "15", "lockout_for": "30"}


@pytest.fixture
def asks(app, tenant):
    with app.app_context(), db.transaction(tenant.id):
        lockout.save_rule(tenant.id, lockout.Rule(3, 15, 30), by=SYSTEM)
    return tenant


def guess(app, email, times=3):
    return [attempt(app, email, f"wrong {number}") for number in range(times)]


def guess_at_once(app, email, times=6):
    with ThreadPoolExecutor(times) as crowd:
        list(crowd.map(lambda number: attempt(app, email, f"wrong {number}"), range(times)))


def lock_of(tenant, role="member"):
    with db.transaction(tenant.id) as session:
        return session.execute(text("select until, until > clock_timestamp() as is_live from account_locks where person_id = :id"),
                               {"id": tenant.people[role]}).first()  # fmt: skip


def compared(tenant):
    with db.transaction() as session:
        return session.scalar(text("select password_failures from people where id = :id"), {"id": tenant.people["member"]})


def later(tenant, minutes):
    with db.transaction(tenant.id) as session:
        session.execute(text("update account_locks set until = until - make_interval(mins => :m), locked_at = locked_at - make_interval(mins => :m)"),
                        {"m": minutes})  # fmt: skip
        session.execute(text("update proof_attempts set at = at - make_interval(mins => :m)"), {"m": minutes})


def test_it_is_off_until_an_organisation_switches_it_on(app, tenant, as_role):
    guess(app, tenant.email("member"), 9)
    assert lock_of(tenant) is None
    assert attempt(app, tenant.email("member"), PASSWORD).status_code == 303

    owner = as_role("owner")
    page = owner.get("/settings/security")
    assert "Off (recommended)" in page.text and "can then keep them out" in page.text
    assert owner.post("/settings/security", data=SWITCH).status_code == 303

    assert book(tenant.id, "security%") == ["security.changed"]
    assert 'value="on" checked' in owner.get("/settings/security").text.replace("\n", " ")
    guess(app, tenant.email("member"))
    assert attempt(app, tenant.email("member"), PASSWORD).status_code == 422


@pytest.mark.parametrize("wrong", [{"lockout_after": "0"}, {"lockout_window": "9999"}, {"lockout_for": ""}, {"lockout": "maybe"}])
def test_other_values_are_refused_and_the_form_is_kept(tenant, as_role, wrong):
    page = as_role("owner").post("/settings/security", data={**SWITCH, **wrong})

    assert page.status_code == 422 and "Choose one of the values." in page.text
    with db.transaction() as session:
        assert session.scalar(text("select security from tenants where id = :id"), {"id": tenant.id}) == {}


def test_who_may_not_change_security_switches_nothing(tenant, as_role):
    assert as_role("member").post("/settings/security", data=SWITCH).status_code == 403


def test_a_lock_says_nothing_and_is_told_once_to_the_person_and_the_admins(app, asks, as_role):
    email = asks.email("member")
    wrong = guess(app, email)

    locked = attempt(app, email, PASSWORD)
    unknown = attempt(app, f"nobody-{asks.id.hex}@example.com", "wrong")

    assert locked.status_code == 422 and _said(locked) == _said(wrong[0]) == _said(unknown)
    guess(app, email, 5)
    assert [each["message"] for each in letters_to(email)] == ["account_locked"]
    assert book(asks.id, "account%") == ["account.locked"]
    bell = as_role("admin").get("/notifications").text
    assert "password is locked" in bell and f"/settings/members/{asks.people['member']}" in bell
    assert "password is locked" not in as_role("builder").get("/notifications").text


def test_a_known_device_and_a_signed_in_person_are_never_locked_out(app, asks):
    email, known = asks.email("member"), app.test_client()
    assert attempt(app, email, PASSWORD, client=known).status_code == 303
    guess(app, email)
    assert lock_of(asks).is_live

    assert known.get("/home").status_code == 200
    known.post("/sign-out")
    assert attempt(app, email, PASSWORD, client=known).status_code == 303


def test_wrong_passwords_of_a_known_device_lock_nobody(app, asks):
    email, known = asks.email("member"), app.test_client()
    attempt(app, email, PASSWORD, client=known)
    known.post("/sign-out")
    for number in range(6):
        attempt(app, email, f"wrong {number}", client=known)

    assert lock_of(asks) is None
    assert attempt(app, email, PASSWORD).status_code == 303


def test_the_lock_ends_by_itself_and_old_failures_count_no_more(app, asks):
    email = asks.email("member")
    guess(app, email)
    assert attempt(app, email, PASSWORD).status_code == 422
    later(asks, 31)

    guess(app, email, 2)
    assert not lock_of(asks).is_live
    assert attempt(app, email, PASSWORD).status_code == 303


def test_failures_outside_the_window_do_not_add_up(app, asks):
    email = asks.email("member")
    guess(app, email, 2)
    later(asks, 16)
    guess(app, email, 2)

    assert lock_of(asks) is None


def test_an_admin_unlocks_on_the_members_page(app, asks, as_role, stranger):
    email, address = asks.email("member"), f"/settings/members/{asks.people['member']}"
    guess(app, email)
    admin = as_role("admin")
    assert "Locked until" in admin.get(address).text
    assert "Locked until" not in as_role("auditor").get(address).text
    assert as_role("builder").post(f"{address}/unlock").status_code == 403
    assert stranger.post(f"{address}/unlock").status_code == 404
    assert lock_of(asks).is_live

    assert admin.post(f"{address}/unlock").status_code == 303

    assert "Locked until" not in admin.get(address).text
    assert attempt(app, email, PASSWORD).status_code == 303
    assert "account.unlocked" in book(asks.id, "account%")
    assert admin.post(f"{address}/unlock").status_code == 404, "nothing is locked any more"


def test_a_new_password_by_mail_ends_it(app, asks, visitor):
    email = asks.email("member")
    guess(app, email)
    visitor.post("/password/forgotten", data={"email": email})
    token = token_in(letters_to(email)[-1])

    visitor.post("/password/reset", data={"token": token, "password": "another long sentence 41"})

    assert attempt(app, email, "another long sentence 41").status_code == 303
    assert book(asks.id, "account%") == ["account.locked", "account.unlocked"]


def test_of_many_tries_at_once_no_more_are_checked_than_may_be(app, asks):
    guess(app, asks.email("member"), 2)

    guess_at_once(app, asks.email("member"))

    assert lock_of(asks).is_live
    assert compared(asks) <= 3, "what came after the third was not even compared"


def test_tries_that_are_all_noted_before_one_is_compared_still_end_in_a_lock(app, asks, monkeypatch):
    all_noted, begin = threading.Barrier(6), throttle.begin

    def together(*given, **more):
        noted = begin(*given, **more)
        all_noted.wait(30)
        return noted

    monkeypatch.setattr(throttle, "begin", together)

    guess_at_once(app, asks.email("member"))

    assert lock_of(asks).is_live
    assert compared(asks) <= 3, "none but the first three noted"


def test_a_lock_that_its_process_died_before_making_is_made_by_the_next_try(app, asks):
    email = asks.email("member")
    guess(app, email, 2)
    throttle.begin("password", email, Origin("2001:db8::1"))  # noted; and then the process was killed

    attempt(app, email, PASSWORD)

    assert lock_of(asks).is_live and compared(asks) == 2


def test_one_of_several_organisations_that_asks_is_enough_and_only_it_unlocks(app, asks, other_tenant, sign_in):
    person, email = asks.people["member"], asks.email("member")
    with app.app_context():
        identity.add_member(other_tenant.id, person, "member", by=SYSTEM)
    guess(app, email)
    assert attempt(app, email, PASSWORD).status_code == 422
    elsewhere = sign_in(other_tenant, "owner")

    assert "Locked until" not in elsewhere.get(f"/settings/members/{person}").text
    assert elsewhere.post(f"/settings/members/{person}/unlock").status_code == 404
    assert lock_of(asks).is_live
    assert book(other_tenant.id, "account%") == []


def test_switching_it_off_ends_what_stands(app, asks):
    guess(app, asks.email("member"))
    with app.app_context(), db.transaction(asks.id):
        lockout.save_rule(asks.id, None, by=SYSTEM)

    assert attempt(app, asks.email("member"), PASSWORD).status_code == 303


def test_a_member_who_is_removed_takes_the_lock_along(app, asks, as_role):
    guess(app, asks.email("member"))

    assert as_role("owner").post(f"/settings/members/{asks.people['member']}/remove").status_code == 303

    assert lock_of(asks) is None


@pytest.mark.parametrize(
    "kept", [None, {}, [], {"lockout": None}, {"lockout": "x"}, {"lockout": {"after": 1, "window_min": 15, "for_min": 15}}]
)
def test_what_is_no_rule_locks_nobody(kept):
    assert lockout.rule_of(kept if isinstance(kept, dict) else {}) is None


def test_the_mail_reads_well_in_both_languages(app, post, settings, asks):
    settings(post.port)
    facts = {"name": "Salma", "name_ar": "سلمى", "failures": 3, "minutes": 30, "link": "/password/forgotten"}
    with app.app_context():
        for tag in ("ar", "en"):
            with db.transaction():
                letter_id = mail.post("sara@example.com", "account_locked", locale=tag, **facts)
            jobs.letter(str(letter_id))

    arabic, english = (text_of(message) for _sender, _to, message in post.mails)
    assert "3 مرات" in arabic and "30 دقيقة" in arabic and "سلمى" in arabic
    assert "3 times" in english and "30 minutes" in english and "http://localhost/password/forgotten" in english
