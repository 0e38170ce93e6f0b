"""A lost password, another password, and which ones may not be chosen."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from portal.core import db
from portal.identity import blocklist
from portal.identity.account import service
from portal.identity.account.errors import LinkSpent
from tests.conftest import PASSWORD
from tests.identity.letters import letters_to, token_in

GOOD = "three herons over the wadi"


def ask(visitor, email):
    page = visitor.post("/password/forgotten", data={"email": email})
    assert page.status_code == 200
    return page


def link_for(visitor, email):
    ask(visitor, email)
    return token_in(letters_to(email)[-1])


def sign_in_with(app, email, password):
    return app.test_client().post("/sign-in", data={"email": email, "password": password}).status_code


def test_a_lost_password_is_replaced_by_a_mailed_link(app, tenant, visitor, as_role):
    email, elsewhere = tenant.email("member"), as_role("member")
    token = link_for(visitor, email)

    assert visitor.get(f"/password/reset?token={token}").status_code == 200
    done = visitor.post("/password/reset", data={"token": token, "password": GOOD})

    assert done.status_code == 200 and "Your password is changed" in done.text
    assert elsewhere.get("/workflows").status_code == 303, "every session ends"
    assert visitor.get("/workflows").status_code == 303, "the link does not sign in"
    assert sign_in_with(app, email, PASSWORD) == 422
    assert sign_in_with(app, email, GOOD) == 303
    assert [each["message"] for each in letters_to(email)][-1] in ("password_changed", "new_device")
    assert "password_changed" in {each["message"] for each in letters_to(email)}


def test_a_link_works_once_and_opening_it_uses_nothing_up(tenant, visitor):
    token = link_for(visitor, tenant.email("member"))
    for _scanner in range(3):
        assert visitor.get(f"/password/reset?token={token}").status_code == 200
    visitor.post("/password/reset", data={"token": token, "password": GOOD})

    assert visitor.get(f"/password/reset?token={token}").status_code == 404
    assert visitor.post("/password/reset", data={"token": token, "password": GOOD + "!"}).status_code == 404


@pytest.mark.parametrize("token", ["", "forged", "x" * 5000, "%00", "../../etc"])
def test_a_forged_link_is_refused_in_a_sentence(visitor, token):
    page = visitor.post("/password/reset", data={"token": token, "password": GOOD})

    assert page.status_code == 404 and "does not work any more" in page.text


def test_an_old_link_is_refused(tenant, visitor):
    token = link_for(visitor, tenant.email("member"))
    with db.transaction() as session:
        session.execute(
            text("update password_resets set created_at = created_at - interval '31 minutes' where person_id = :id"),
            {"id": tenant.people["member"]},
        )

    assert visitor.post("/password/reset", data={"token": token, "password": GOOD}).status_code == 404


def test_a_newer_password_spends_older_links(app, tenant, visitor):
    email = tenant.email("member")
    first, second = link_for(visitor, email), link_for(visitor, email)
    visitor.post("/password/reset", data={"token": second, "password": GOOD})

    assert visitor.post("/password/reset", data={"token": first, "password": GOOD + "!"}).status_code == 404


def test_one_link_used_twice_at_once_changes_the_password_once(app, tenant, visitor):
    token = link_for(visitor, tenant.email("member"))
    answers: list[str] = []

    def use(number: int) -> None:
        with app.app_context():
            try:
                service.reset_password(token, f"{GOOD} {number}")
                answers.append("done")
            except LinkSpent:
                answers.append("spent")

    threads = [threading.Thread(target=use, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == ["done", "spent"]


def test_an_unknown_address_gets_the_same_answer_and_no_mail(tenant, visitor):
    known, unknown = ask(visitor, tenant.email("member")), ask(visitor, f"nobody-{tenant.id.hex}@example.com")

    assert known.text.replace(tenant.email("member"), "").count("on its way") == unknown.text.count("on its way") == 1
    assert not letters_to(f"nobody-{tenant.id.hex}@example.com")


def test_three_links_an_hour_are_sent_at_most(tenant, app):
    email = tenant.email("builder")
    for number in range(5):
        app.test_client().post("/password/forgotten", data={"email": email}, environ_base={"REMOTE_ADDR": f"203.0.113.{number}"})

    assert len(letters_to(email)) == 3


def test_a_bad_new_password_keeps_the_form_and_the_link(tenant, visitor):
    token = link_for(visitor, tenant.email("member"))

    page = visitor.post("/password/reset", data={"token": token, "password": "passwordpassword"})

    assert page.status_code == 422 and "easy to guess" in page.text and f'value="{token}"' in page.text
    assert visitor.post("/password/reset", data={"token": token, "password": GOOD}).status_code == 200


def test_changing_the_password_ends_every_other_session(app, tenant, as_role):
    here, elsewhere = as_role("member"), as_role("member")
    before = here.client.get_cookie("sid").value

    answer = here.post("/settings/password", data={"current": PASSWORD, "password": GOOD})

    assert answer.status_code == 303
    assert here.client.get_cookie("sid").value != before, "a new id for the session that stays"
    assert here.get("/workflows").status_code == 200
    assert elsewhere.get("/workflows").status_code == 303
    assert sign_in_with(app, tenant.email("member"), GOOD) == 303


@pytest.mark.parametrize(
    "password",
    ["short", "passwordpassword", "123456789012345", "qwertyuiopasdfgh", "aaaaaaaaaaaaaaaa", "P@ssw0rd1234567", "بسم الله الرحمن الرحيم",
     "كلمة المرور كلمة المرور", "ابتثابتثابتثابتث", "weavers-trading-2026!", "النساجين النساجين ٢٠٢٦", "Salma Al-Harbi 1447", "x" * 1025],
)  # fmt: skip
def test_what_is_easy_to_guess_is_refused_in_both_scripts(app, password):
    with app.test_request_context():
        assert blocklist.problems_of(password, words=["Weavers Trading", "شركة النسّاجين", "Salma Al-Harbi", "salma@example.com"])


@pytest.mark.parametrize(
    "password", [GOOD, PASSWORD, "قهوة الصباح تحت الزيتونة", "ﻻ أحد يعرف طريق الوادي", "x7!Qm2#vL9@pR4$", "🐪🌴☕ three herons drink"]
)
def test_what_only_its_owner_would_choose_is_accepted(app, password):
    with app.test_request_context():
        assert blocklist.problems_of(password, words=["Weavers Trading", "شركة النسّاجين"]) == []


def test_a_ligature_and_its_letters_are_one_password(app, tenant, as_role):
    as_role("member").post("/settings/password", data={"current": PASSWORD, "password": "ﻻ أحد يعرف طريق الوادي"})

    assert sign_in_with(app, tenant.email("member"), "لا أحد يعرف طريق الوادي") == 303


def test_the_current_password_is_asked_for_and_throttled(app, tenant, as_role):
    here = as_role("member")

    for current in ("", "wrong", GOOD):
        page = here.post("/settings/password", data={"current": current, "password": GOOD})
        assert page.status_code == 422 and "This is not your password" in page.text
    for number in range(10):
        here.post("/settings/password", data={"current": f"wrong {number}", "password": GOOD})
    assert here.post("/settings/password", data={"current": PASSWORD, "password": GOOD}).status_code == 422, "throttled"


def test_who_has_no_password_yet_is_asked_for_none(tenant, as_role):
    here = as_role("member")
    with db.transaction() as session:
        session.execute(text("update people set password_hash = null where id = :id"), {"id": tenant.people["member"]})

    assert "Current password" not in here.get("/settings/password").text
    assert here.post("/settings/password", data={"password": GOOD}).status_code == 303


def test_twelve_characters_are_enough_where_a_second_step_is_enforced(tenant, as_role):
    twelve = "vy8 hornbill"
    owner, member = as_role("owner"), as_role("member")

    assert "At least 12" in owner.get("/settings/password").text and "At least 15" in member.get("/settings/password").text
    assert member.post("/settings/password", data={"current": PASSWORD, "password": twelve}).status_code == 422
    assert owner.post("/settings/password", data={"current": PASSWORD, "password": twelve[:11]}).status_code == 422
    assert owner.post("/settings/password", data={"current": PASSWORD, "password": twelve}).status_code == 303
