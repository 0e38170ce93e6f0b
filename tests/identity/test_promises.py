"""What we promise of signing in, beyond single pages: fields, exact passwords, links in mails, odd names, hostile ways on, lost servers."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from portal.core import db, jobs
from portal.core.config import ROOT
from portal.core.secrets import new_token
from portal.identity import blocklist
from tests.conftest import PASSWORD
from tests.identity.letters import letters_to, token_in
from tests.identity.members.conftest import GOOD, address, network
from tests.identity.members.test_registration import form
from tests.identity.test_throttle import attempt
from tests.whole.test_routes import fingerprint

__all__ = ["address", "network"]

TEMPLATES = ROOT / "templates"


def test_every_password_field_is_masked_and_open_to_managers():
    seen = 0
    for path in TEMPLATES.rglob("*.html"):
        for field in re.findall(r'ui\.text\(\s*"(?:password|current)"[^\n]*', path.read_text("utf-8")):
            seen += 1
            assert 'type="password"' in field, path
            assert re.search(r'autocomplete="(new|current)-password"', field), path
        assert "onpaste" not in path.read_text("utf-8")
    scripts = [each for each in (ROOT / "static" / "js").glob("*.js") if re.search(r"[\"']paste[\"']", each.read_text("utf-8"))]
    assert seen >= 6
    assert scripts == [], "pasting is the browser's affair"


def test_nothing_that_others_may_know_is_asked_for():
    """No secret questions, no hints, no mother's names: the forms of accounts have these fields and no others."""
    from portal.identity.account import forms as account
    from portal.identity.registration import forms as registration

    fields = {name for module in (account, registration) for form in vars(module).values() if isinstance(form, type) and form.__module__ == module.__name__
              for name, value in vars(form).items() if hasattr(value, "field_class")}  # fmt: skip
    assert fields <= {"email", "password", "current", "name", "name_ar", "organisation", "organisation_ar", "language"}, fields


@pytest.mark.parametrize("other", [PASSWORD.upper(), f" {PASSWORD}", f"{PASSWORD} ", PASSWORD[:-1], PASSWORD.replace(" ", "")])
def test_a_password_is_compared_as_it_was_typed(app, tenant, other):
    assert attempt(app, tenant.email("member"), other).status_code == 422


@pytest.mark.parametrize("length", [64, 200, 1000])
def test_a_long_password_counts_to_its_last_character(tenant, as_role, app, length):
    long = ("three herons crossed the wadi at dawn while nobody looked; " * 20)[: length - 1]
    assert as_role("member").post("/settings/password", data={"current": PASSWORD, "password": f"{long}x"}).status_code == 303

    assert attempt(app, tenant.email("member"), f"{long}y").status_code == 422
    assert attempt(app, tenant.email("member"), f"{long}x").status_code == 303


def test_any_composition_is_taken():
    for password in ("qmxvkzjrwplhtdbn", "4829 1057 7346 0918", "ثلاثة طيور فوق الوادي", "🦩🌊 heron wadi seven", "~`!@#%^&*()_+={}[]|"):
        assert blocklist.problems_of(password) == [], password


def test_a_password_does_not_grow_old(app, tenant):
    with db.transaction() as session:
        session.execute(text("update people set password_changed_at = '2001-01-01' where id = :id"), {"id": tenant.people["member"]})

    answer = attempt(app, tenant.email("member"), PASSWORD)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_a_reset_does_not_pass_by_the_second_step(tenant, visitor):
    visitor.post("/password/forgotten", data={"email": tenant.email("admin")})
    token = token_in(letters_to(tenant.email("admin"))[-1])
    done = visitor.post("/password/reset", data={"token": token, "password": GOOD})
    assert done.status_code == 200 and visitor.get("/home").status_code == 303, "a reset signs nobody in"

    answer = visitor.post("/sign-in", data={"email": tenant.email("admin"), "password": GOOD})

    assert answer.headers["Location"] == "/sign-in/factor"
    assert visitor.get("/home").status_code == 303


def test_tokens_have_256_bits_and_never_repeat():
    tokens = {new_token() for _ in range(2000)}
    assert len(tokens) == 2000 and min(map(len, tokens)) >= 43


def test_no_account_comes_with_the_house():
    """People are made by themselves, by who invites them, by a provider or a directory; never by the schema or the start."""
    for path in (ROOT / "migrations" / "versions").glob("*.py"):
        assert not re.search(r"insert into (people|memberships|staff)\b", path.read_text("utf-8"), re.IGNORECASE), path.name
    makers = {str(path.relative_to(ROOT)) for path in (ROOT / "portal").rglob("*.py") if _makes_a_person(path.read_text("utf-8"))}
    assert makers <= {
        "portal/identity/service.py", "portal/identity/registration/service.py", "portal/identity/invitations/service.py",
        "portal/identity/sso/arriving.py", "portal/identity/scim/service.py", "portal/devkit/demo.py", "portal/devkit/chaos.py", "portal/cli.py",
    }, makers  # fmt: skip


def _makes_a_person(source):
    return any(
        isinstance(each, ast.Call) and getattr(each.func, "id", getattr(each.func, "attr", "")) in ("Person", "add_person")
        for each in ast.walk(ast.parse(source))
    )


def test_every_page_has_the_way_out(tenant, as_role):
    browser = as_role("owner")
    for path in (
        "/home",
        "/workflows",
        "/runs",
        "/settings",
        "/settings/members",
        "/settings/security",
        "/exports",
        "/organisations",
        "/confirm",
    ):
        assert 'action="/sign-out"' in browser.get(path).text, path


def test_after_a_factor_changed_the_other_devices_are_one_click_away(as_role):
    page = as_role("owner").get("/settings/sign-in").text
    assert "Sign out your other devices" in page and 'href="/settings/devices"' in page


def test_opening_any_link_of_a_mail_changes_nothing(app, tenant, as_role, network, address):
    """Programs that look at mail open every link, some of them with HEAD, several times."""
    from tests.identity.members.test_invitations import invite

    network().post("/register", data=form(address))
    network().post("/password/forgotten", data={"email": tenant.email("member")})
    invite(as_role("owner"), f"x-{address}")
    letters = [*letters_to(address), *letters_to(tenant.email("member")), *letters_to(f"x-{address}")]
    links = {each["message"]: each["link"] for each in letters if "token=" in each.get("link", "")}
    assert set(links) == {"registration", "password_reset", "invitation"}
    # A new kind of mail with a secret in its link must be added above.
    with_token = {
        path.parent.name
        for path in (ROOT / "portal" / "identity").rglob("*.py")
        if re.search(r"link=f?\"[^\"]*token=", path.read_text("utf-8"))
    }
    assert with_token == {"registration", "account", "invitations"}
    before, people = fingerprint(tenant.id), _people()

    for link in links.values():
        for method in ("GET", "HEAD", "GET"):
            answer = network().client.open(link, method=method)
            assert answer.status_code == 200, link
            assert answer.headers.get("Referrer-Policy") in ("no-referrer", "strict-origin-when-cross-origin", "same-origin")
            assert "no-store" in answer.headers["Cache-Control"], link

    assert (fingerprint(tenant.id), _people()) == (before, people)
    assert (
        network().post("/password/reset", data={"token": links["password_reset"].split("token=")[1], "password": GOOD}).status_code == 200
    )


def _people():
    with db.transaction() as session:
        return session.scalar(text("select count(*) from people")), session.scalar(text("select count(*) from password_resets"))


HOSTILE = (
    "//evil.example",
    "https://evil.example/home",
    "/\\evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "http:evil.example",
    "////evil.example",
)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_way_on_leads_away(app, tenant, other_tenant, as_role, hostile):
    """Every place that takes where to go on."""
    builder, visitor = as_role("builder"), app.test_client()
    answers = [
        visitor.post("/sign-in", query_string={"next": hostile}, data={"email": tenant.email("builder"), "password": PASSWORD}),
        builder.client.get("/sign-in", query_string={"next": hostile}),
        builder.client.post("/locale", data={"locale": "en", "next": hostile}),
        builder.client.post("/tenant", data={"tenant": str(tenant.id), "next": hostile}),
        builder.client.post("/confirm", query_string={"next": hostile}, data={"password": PASSWORD}),
    ]
    for answer in answers:
        assert answer.status_code == 303
        assert answer.headers["Location"] in ("/", "/home"), answer.headers["Location"]
    page = app.test_client().get("/sign-in", query_string={"next": hostile}).get_data(as_text=True)
    assert f'="{hostile}' not in page, "the way on is no address of the page's links and forms"


ODD = {
    "override": "\u202egnissor\u202c عربي",
    "joined": "👩‍👩‍👧‍👦 عائلة",
    "marks": "Z̴̡̛a̸͝l̵̢g̶o" * 3,
    "nul": "Huda\x00Salem",
    "markup": '"><script>alert(1)</script>',
    "template": "{{ 7*7 }} ${7*7} %(name)s",
    "sql": "Robert'); drop table people;--",
}


@pytest.mark.parametrize("name", ODD.values(), ids=ODD.keys())
def test_an_odd_name_is_kept_or_refused_in_a_sentence_and_breaks_no_page(network, address, add_passkey, name):
    browser = network()
    page = browser.post("/register", data=form(address, name=name, name_ar="", organisation=name, organisation_ar=""))
    assert page.status_code in (200, 422)
    if page.status_code == 422:
        assert page.text_of(".error-summary")
        return
    assert browser.post("/register/confirm", data={"token": token_in(letters_to(address)[0])}).status_code == 303
    add_passkey(browser)
    for path in ("/home", "/settings/members", "/settings/organisation", "/organisations"):
        shown = browser.get(path)
        assert shown.status_code == 200 and "<script>alert" not in shown.text and "\x00" not in shown.text


@pytest.mark.parametrize("field", ["name", "name_ar", "organisation", "organisation_ar", "email", "password"])
def test_oversized_input_is_refused_at_its_field(network, address, field):
    long = f"{'x' * 100_000}@example.com" if field == "email" else "س" * 100_000

    page = network().post("/register", data=form(address, **{field: long}))

    assert page.status_code == 422 and page.text_of(".error-summary")
    assert letters_to(address) == []


def test_without_redis_people_sign_in_and_guesses_are_counted(app, tenant, monkeypatch):
    """Tries are rows: there is no weaker window to fall back to, and nothing to measure."""
    monkeypatch.setattr(jobs, "with_redis", lambda _use: None)  # what it returns while Redis is away
    email = tenant.email("member")

    assert attempt(app, email, PASSWORD).status_code == 303
    for number in range(10):
        attempt(app, email, f"wrong {number}")
    assert attempt(app, email, PASSWORD).status_code == 422
    app.test_client().post("/password/forgotten", data={"email": email})
    assert letters_to(email)[-1]["message"] == "password_reset", "the mail waits in its row"


def test_a_session_says_when_it_began_in_utc(app, tenant):
    attempt(app, tenant.email("member"), PASSWORD)
    with db.transaction() as session:
        began = session.scalar(text("select signed_in_at from sessions where person_id = :id"), {"id": tenant.people["member"]})
    assert began.tzinfo is not None and abs((datetime.now(UTC) - began).total_seconds()) < 60
