"""How an organisation begins: proven by mail, capped, and silent about who has an account."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from portal.core import db
from portal.identity.registration import service
from portal.identity.registration.errors import LinkSpent
from tests.conftest import PASSWORD
from tests.identity.letters import letters_to, token_in
from tests.identity.members.conftest import GOOD, book, count


def form(address, **more):
    return {"organisation": "River Foods", "organisation_ar": "أغذية النهر", "name": "Huda Salem", "name_ar": "", "email": address,
            "password": GOOD, **more}  # fmt: skip


def ask(browser, address, **more):
    page = browser.post("/register", data=form(address, **more))
    assert page.status_code == 200, page.text_of(".error-summary")
    return page


def people(address):
    return count("select count(*) from people where email_key = :it", it=address)


def test_an_organisation_is_made_when_the_link_is_used_and_its_owner_is_signed_in(network, address, add_passkey):
    browser = network()
    asked = ask(browser, address)
    letter = letters_to(address)[0]

    assert address in asked.text and letter["message"] == "registration" and letter["locale"] == "en"
    assert people(address) == 0 and count("select count(*) from tenants where name = 'River Foods' and name_ar = :a", a=address) == 0
    for _scanner in range(3):
        page = browser.get(f"/register/confirm?token={token_in(letter)}")
        assert page.status_code == 200 and "River Foods" in page.text
    assert people(address) == 0, "opening the link makes nothing: programs that look at mail open it, too"

    answer = browser.post("/register/confirm", data={"token": token_in(letter)})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/home")
    assert browser.get("/home").headers["Location"] == "/settings/sign-in", "an owner has a second step"
    add_passkey(browser)
    assert "first steps" in browser.get("/home").text.lower()
    tenant_id = count("select tenant_id from sessions where person_id = (select id from people where email_key = :it)", it=address)
    assert book(tenant_id)[0] == "organisation.registered"
    assert "welcome" in {each["message"] for each in letters_to(address)}
    assert count("select timezone from tenants where id = :id", id=tenant_id) == "Asia/Riyadh"


def test_one_language_is_enough_and_the_other_pages_mark_it(network, address, add_passkey):
    browser = network()
    ask(browser, address, organisation="", organisation_ar="أغذية النهر", name="", name_ar="هدى سالم")
    browser.post("/register/confirm", data={"token": token_in(letters_to(address)[0])})
    add_passkey(browser)

    page = browser.get("/settings/members")

    assert "أغذية النهر" in page.text and 'lang="ar" dir="rtl">هدى سالم' in page.text


def test_staff_find_an_organisation_that_registered_itself(network, address, as_staff):
    """Its key to be searched by had stayed empty, so that nothing but its slug and the addresses of its members found it."""
    browser = network()
    ask(browser, address, organisation="", organisation_ar="مخبز الهُدى")
    browser.post("/register/confirm", data={"token": token_in(letters_to(address)[0])})
    tenant_id = count("select tenant_id from sessions where person_id = (select id from people where email_key = :it)", it=address)

    assert f"/staff/tenants/{tenant_id}" in as_staff().get("/staff/tenants", query_string={"q": "الهدى"}).text


def test_in_another_browser_the_password_is_asked_for(network, address):
    """Somebody who types a stranger's address must not share the account that the stranger then makes."""
    ask(network(), address)
    token, elsewhere = token_in(letters_to(address)[0]), network()

    assert 'name="password"' in elsewhere.get(f"/register/confirm?token={token}").text
    assert elsewhere.post("/register/confirm", data={"token": token}).status_code == 422
    assert elsewhere.post("/register/confirm", data={"token": token, "password": "another password here"}).status_code == 422
    assert people(address) == 0
    assert elsewhere.post("/register/confirm", data={"token": token, "password": GOOD}).status_code == 303


def test_an_address_with_an_account_gets_another_mail_and_the_same_page(tenant, network, address):
    known = tenant.email("member")

    here, there = ask(network(), known), ask(network(), address)

    assert here.text_of("body//h1") == there.text_of("body//h1")
    assert len(here.text) - len(known) == pytest.approx(len(there.text) - len(address), abs=120)
    assert [each["message"] for each in letters_to(known)] == ["registration_known"]
    assert count("select count(*) from registrations where email_key = :it", it=known) == 0


@pytest.mark.parametrize("token", ["", "forged", "x" * 5000, "%00", "../../etc"])
def test_a_forged_link_is_refused_in_a_sentence(network, token):
    page = network().post("/register/confirm", data={"token": token, "password": GOOD})

    assert page.status_code == 404 and "does not work any more" in page.text


def test_a_link_works_once_for_a_day(network, address):
    browser = network()
    ask(browser, address)
    token = token_in(letters_to(address)[0])
    with db.transaction() as session:
        session.execute(
            text("update registrations set created_at = created_at - interval '25 hours' where email_key = :it"), {"it": address}
        )
    assert browser.get(f"/register/confirm?token={token}").status_code == 404
    assert browser.post("/register/confirm", data={"token": token, "password": GOOD}).status_code == 404
    with db.transaction() as session:
        session.execute(
            text("update registrations set created_at = created_at + interval '25 hours' where email_key = :it"), {"it": address}
        )

    assert browser.post("/register/confirm", data={"token": token}).status_code == 303
    assert network().post("/register/confirm", data={"token": token, "password": GOOD}).status_code == 404


def test_two_links_of_one_address_make_one_account(app, network, address):
    browser = network()
    ask(browser, address)
    browser.post("/register/again", data={"email": address})
    tokens = [token_in(each) for each in letters_to(address)]
    assert len(tokens) == 2
    answers = []

    def use(token):
        with app.app_context():
            try:
                service.confirm(token)
                answers.append("made")
            except LinkSpent:
                answers.append("spent")

    threads = [threading.Thread(target=use, args=(token,)) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == ["made", "spent"]
    assert people(address) == 1
    assert count("select count(*) from registrations where email_key = :it", it=address) == 0


def test_sending_again_says_nothing_of_the_address(network, tenant, address):
    ask(network(), address)

    waiting = network().post("/register/again", data={"email": address})
    unknown = network().post("/register/again", data={"email": "nobody-" + address})

    assert waiting.status_code == unknown.status_code == 200
    assert waiting.text_of("body//h1") == unknown.text_of("body//h1")
    assert len(letters_to(address)) == 2 and letters_to("nobody-" + address) == []


def test_five_an_hour_from_one_network(network, address):
    browser = network()
    for number in range(5):
        ask(browser, f"{number}-{address}")

    page = browser.post("/register", data=form(f"6-{address}"))

    assert page.status_code == 429 and "too often" in page.text
    assert letters_to(f"6-{address}") == []
    ask(network(), f"7-{address}")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("email", "no address", "not an e-mail"), ("email", "a@b", "not an e-mail"), ("email", "x\r\nBcc: y@example.com", "not an e-mail"),
        ("email", "", "Enter your e-mail"), ("password", "short", "at least 15"), ("password", "River Foods 2026", "Choose another"),
        ("organisation", "x" * 81, "at most 80"), ("organisation", "Evil\u202eHuge", "invisible sign U+202E"),
        ("name", "\u202eevil", "invisible sign"), ("name_ar", "x" * 81, "at most 80"),
    ],
)  # fmt: skip
def test_bad_input_keeps_the_form_and_says_what_is_wrong(network, address, field, value, said):
    page = network().post("/register", data=form(address, **{field: value}))

    assert page.status_code == 422 and said in page.text
    assert 'value="Huda Salem"' in page.text or field == "name"
    assert GOOD not in page.text and people(address) == 0 and letters_to(address) == []


def test_control_characters_are_taken_out_of_what_is_typed(network, address):
    page = network().post("/register", data=form("no address\x1b[31m", organisation="Be\x07ll\x00"))

    assert page.status_code == 422 and 'value="Bell"' in page.text and "\x1b" not in page.text


def test_a_name_is_needed_in_one_language(network, address):
    page = network().post("/register", data=form(address, organisation=" ", organisation_ar="\u200b", name="", name_ar=""))

    assert page.status_code == 422 and "one of the two languages at least" in page.text


def test_who_has_an_account_makes_another_organisation_with_it(tenant, enter, add_passkey):
    browser = enter(tenant.email("member"))
    add_passkey(browser)

    answer = browser.post("/organisations/new", data={"organisation": "Second house", "organisation_ar": ""})

    assert answer.status_code == 303
    assert "Second house" in browser.get("/home").text
    assert browser.get("/settings/organisation").status_code == 200, "owner there"
    browser.post("/tenant", data={"tenant": str(tenant.id)})
    assert browser.get("/settings/organisation").status_code == 403, "and a member here, as before"


def test_two_organisations_of_one_name_are_two(tenant, enter, add_passkey):
    browser = enter(tenant.email("builder"))
    add_passkey(browser)
    for _again in range(2):
        assert browser.post("/organisations/new", data={"organisation": "Same name", "organisation_ar": ""}).status_code == 303

    assert count("select count(distinct slug) from tenants where name = 'Same name'") >= 2


def test_what_waits_is_swept_after_a_day(network, address):
    ask(network(), address)
    with db.transaction() as session:
        session.execute(
            text("update registrations set created_at = created_at - interval '25 hours' where email_key = :it"), {"it": address}
        )

    assert service.sweep() >= 1
    assert count("select count(*) from registrations where email_key = :it", it=address) == 0


def test_the_sign_in_page_leads_here(visitor):
    assert "/register" in visitor.get("/sign-in").text


def test_the_password_works_afterwards(network, address, enter):
    browser = network()
    ask(browser, address)
    browser.post("/register/confirm", data={"token": token_in(letters_to(address)[0])})

    assert enter(address, GOOD).get("/settings/sign-in").status_code == 200
    assert PASSWORD != GOOD
