"""What an organisation's theme brings beyond pages: its own sign-in page, its defaults, and the font that is asked for first."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from portal.core import db
from portal.tenants.themes import queries
from portal.tenants.themes import service as themes
from tests.conftest import PASSWORD
from tests.tenants.conftest import publish, revision

TEXTS = {"branding-login_text-en": "Welcome to the cloth\nOnly for staff", "branding-login_text-ar": "أهلًا بكم"}


@pytest.fixture
def slug(app, tenant):
    with app.app_context(), db.transaction(tenant.id):
        return queries.slug_of(tenant.id)


def plain(page):
    """Return a page without what differs in every answer."""
    return re.sub(r'nonce="[^"]+"|(?:csrf-token" content|csrf_token" value)="[^"]+"', "", page.text)


def test_the_sign_in_page_of_an_organisation_wears_what_it_published(owner, theme, visitor, tenant, slug):
    publish(owner, theme, **TEXTS, **{"colors-light-primary": "#7a1f5c", "branding-name-en": "Nakheel"})

    page = visitor.get(f"/sign-in?org={slug}&next=/runs")

    assert page.text_of(".sign-in-words") == ["Welcome to the cloth Only for staff"]
    assert "<title>Sign in · Nakheel</title>" in page.text
    assert f'href="/theme/{tenant.id}/' in page.text
    assert f"org={slug}" in page.text.split('<form class="form" method="post" action="')[1].split('"')[0]


def test_the_arabic_page_says_the_arabic_text_and_the_other_where_there_is_none(owner, theme, visitor, slug):
    publish(owner, theme, **TEXTS)
    visitor.post("/locale", data={"locale": "ar", "next": "/"})
    assert visitor.get(f"/sign-in?org={slug}").text_of(".sign-in-words") == ["أهلًا بكم"]

    publish(owner, theme, **{"branding-login_text-en": "Only English"})
    page = visitor.get(f"/sign-in?org={slug}")
    assert page.text_of(".sign-in-words") == ["Only English"]
    assert '<div class="sign-in-words is-said" lang="en" dir="ltr">' in page.text


@pytest.mark.parametrize("asked", ["no-such-house", "", "x" * 500, "../../etc", "a'--", "\u202eabc", "a\x00b", "%00"])
def test_an_unknown_organisation_is_answered_as_one_without_a_theme(visitor, slug, asked):
    visitor.get("/sign-in")  # the first answer alone begins a session
    unknown = visitor.get("/sign-in", query_string={"org": asked})
    known = visitor.get("/sign-in", query_string={"org": slug})

    assert unknown.status_code == known.status_code == 200
    # The language switch alone repeats the address.
    assert re.sub(r'name="next" value="[^"]*"', "", plain(unknown)) == re.sub(r'name="next" value="[^"]*"', "", plain(known))
    assert {name for name, _value in unknown.headers} == {name for name, _value in known.headers}


def test_a_saved_draft_and_a_suspended_organisation_are_not_shown(app, owner, theme, visitor, tenant, slug):
    data = {"revision": revision(owner, theme), "branding-login_text-en": "Not yet"}
    owner.post(theme, data=data)
    assert "Not yet" not in visitor.get(f"/sign-in?org={slug}").text

    publish(owner, theme, **TEXTS)
    with app.app_context(), db.transaction(tenant.id) as session:
        session.execute(text("update tenants set status = 'suspended' where id = :id"), {"id": tenant.id})
    assert "Welcome to the cloth" not in visitor.get(f"/sign-in?org={slug}").text


def test_a_wrong_password_keeps_the_look_the_form_and_the_way_on(owner, theme, visitor, tenant, slug):
    publish(owner, theme, **TEXTS)
    where = f"/sign-in?org={slug}&next=/runs"

    page = visitor.post(where, data={"email": tenant.email("member"), "password": "wrong wrong wrong"})
    assert page.status_code == 422
    assert "Welcome to the cloth" in page.text and f'value="{tenant.email("member")}"' in page.text

    entered = visitor.post(where, data={"email": tenant.email("member"), "password": PASSWORD})
    assert entered.status_code == 303 and entered.headers["Location"] == "/runs"


def test_the_way_to_a_lost_password_keeps_the_look(owner, theme, visitor, slug):
    publish(owner, theme, **TEXTS)
    assert f'href="/password/forgotten?org={slug}"' in visitor.get(f"/sign-in?org={slug}").text
    page = visitor.get(f"/password/forgotten?org={slug}")
    assert "Welcome to the cloth" in page.text and f'action="/password/forgotten?org={slug}"' in page.text


def test_markup_in_the_text_is_shown_as_it_was_written(owner, theme, visitor, slug):
    publish(owner, theme, **{"branding-login_text-en": "</style><script>alert(1)</script> url(x) ;}"})
    page = visitor.get(f"/sign-in?org={slug}")
    assert page.text_of(".sign-in-words") == ["</style><script>alert(1)</script> url(x) ;}"]
    assert "<script>alert" not in page.text


@pytest.mark.parametrize(
    ("written", "word"), [("a\u202eb", "invisible"), ("x" * 301, "300"), ("a\n" * 6, "5 lines"), ("\u2068x", "invisible")]
)
@pytest.mark.parametrize("name", ["branding-login_text-en", "branding-mail_footer-ar"])
def test_texts_that_may_not_be_are_refused_beside_their_field(owner, theme, name, written, word):
    page = owner.post(theme, data={"revision": revision(owner, theme), name: written + "z"})
    assert page.status_code == 422
    assert f'href="#f-{name}"' in page.text and word in page.text


def test_the_editor_shows_the_address_to_share(owner, theme, slug):
    assert f"http://localhost/sign-in?org={slug}" in owner.get(theme).text


def test_defaults_hold_for_who_chose_nothing_and_go_with_the_theme(app, owner, theme, tenant, as_role):
    publish(owner, theme, **{"branding-numerals": "arab", "branding-calendar": "umalqura", "branding-week_start": "0"})

    def usual(browser):
        text = browser.get("/settings/preferences").text
        return re.findall(r"As usual: ([^<]+)<", text)

    assert "١٢٣" in usual(as_role("member")) and "Monday" in usual(as_role("member"))
    with app.app_context(), db.transaction(tenant.id) as session:
        kept = session.scalar(text("select preferences from tenants where id = :id"), {"id": tenant.id})
    assert kept == {"numerals": "arab", "calendar": "umalqura", "first_day": 0}

    owner.post("/settings/themes/standard")
    assert "123" in usual(as_role("member")) and "Sunday" in usual(as_role("member"))


def test_defaults_of_the_organisation_that_no_theme_brought_stay(app, owner, theme, tenant):
    with app.app_context(), db.transaction(tenant.id) as session:
        session.execute(text("""update tenants set preferences = '{"region": "AE"}' where id = :id"""), {"id": tenant.id})
    publish(owner, theme, **{"branding-numerals": "arab"})
    owner.post("/settings/themes/standard")
    with app.app_context(), db.transaction(tenant.id) as session:
        assert session.scalar(text("select preferences from tenants where id = :id"), {"id": tenant.id}) == {"region": "AE"}


def test_the_organisations_language_stands_between_the_persons_and_the_browsers(owner, theme, as_role, visitor, slug):
    publish(owner, theme, **{"branding-default_locale": "ar"})

    member = as_role("member")
    member.client.delete_cookie("locale")
    assert '<html lang="ar"' in member.get("/home", headers={"Accept-Language": "en"}).text
    assert '<html lang="ar"' in visitor.get(f"/sign-in?org={slug}", headers={"Accept-Language": "en"}).text
    assert '<html lang="en"' in visitor.get("/sign-in", headers={"Accept-Language": "en"}).text

    member.post("/locale", data={"locale": "en", "next": "/"})
    assert '<html lang="en"' in member.get("/home", headers={"Accept-Language": "ar"}).text


@pytest.mark.parametrize("locale", ["ar", "en"])
@pytest.mark.parametrize("family", ["plex", "readex", "cairo", "vazirmatn", "system"])
def test_a_page_asks_first_for_the_one_font_that_it_shows(owner, theme, as_role, family, locale):
    publish(owner, theme, **{"typography-family": family, "branding-name-en": "So that there is a look"})
    browser = as_role("member")
    browser.post("/locale", data={"locale": locale, "next": "/"})

    page = browser.get("/workflows").text

    script = "arabic" if locale == "ar" else "latin"
    name = {"plex": f"nasij-sans-{script}-400", "system": ""}.get(family, f"{family}-{script}")
    asked = re.findall(r'rel="preload" href="/static/fonts/([\w-]+)\.', page)
    assert asked == ([name] if name else [])
    assert (f"/static/font-{family}." in page) is (family in ("readex", "cairo", "vazirmatn"))


def test_a_look_says_only_what_was_chosen():
    assert themes.look_of({}) == {}
