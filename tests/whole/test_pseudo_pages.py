"""No page shows a text that is not in the catalogue: with accented English, every letter without an accent was forgotten."""

from __future__ import annotations

import re

import pytest
from babel import Locale as Cldr

from portal.i18n import zones
from portal.i18n.sample import regions
from tests.whole.test_isolation import NOT_OURS as NO_PAGES
from tests.whole.test_routes import urls

WORD = re.compile(r"[A-Za-z]{2,}")
SET_APART = re.compile("\u2068.*\u2069|#[0-9a-f]{6}", re.DOTALL)
# What people and programs wrote, and what is no sentence.
OTHERS = {"bdi", "code", "pre", "kbd", "script", "style", "template", "time", "datalist", "textarea"}
SPOKEN = ("aria-label", "title", "placeholder", "alt", "aria-description")
CLDR = Cldr.parse("en")  # names of days, months and places are not ours to translate
GIVEN = [
    *(name for kind in (CLDR.months, CLDR.days) for width in ("wide", "abbreviated") for name in kind["format"][width].values()),
    *(name for _code, name in regions("en")),
    *(zone.name for zone in zones.listed("en")),
]
TERMS = "AM PM English Nasij EN UTC CSV XLSX SVG PNG ICO IBM Plex Cairo Vazirmatn Readex Pro Sans Arabic rem OpenID Connect SAML"
SAME_EVERYWHERE = {word for name in (*GIVEN, TERMS) for word in WORD.findall(name)}


def forgotten(element, *, written=False):
    """Give every text that a page says in plain English."""
    tag = element.tag if isinstance(element.tag, str) else "script"
    if tag in OTHERS or element.get("lang"):
        written = written or tag != "html"
    for name in SPOKEN:
        yield from _plain(f"<{tag} {name}>", element.get(name))
    for text in [element.text, *(child.tail for child in element)]:
        if not written:
            yield from _plain(f"<{tag} class={element.get('class')!r}>", text)
    for child in element:
        yield from forgotten(child, written=written)


def _plain(where, text):
    words = [word for word in WORD.findall(SET_APART.sub("", text or "")) if word not in SAME_EVERYWHERE]
    if words:
        yield f"{where} {' '.join((text or '').split())[:80]!r}"


@pytest.fixture
def browser(tenant, sign_in):
    found = sign_in(tenant, "owner", "en")
    found.client.set_cookie("pseudo", "en-XA")
    return found


def test_every_text_comes_from_the_catalogue(app, planted, browser):
    plain = {str(rule) for rule in app.url_map.iter_rules() if not rule.arguments and "GET" in rule.methods and rule.endpoint != "static"}
    design = f"/workflows/{planted['workflow_id']}/design"
    steps = {f"{design}?step={key}" for key in ("yes", "mail", "rows", "start", "check")}
    found, seen = {}, 0
    for path in sorted({path for method, path in urls(app, planted) if method == "GET"} | plain | steps):
        # A theme's preview speaks the language that it is asked for, whatever the reader's.
        if path.endswith((*NO_PAGES, "preview")):
            continue
        page = browser.get(path)
        if page.status_code == 200 and page.headers["Content-Type"].startswith("text/html"):
            seen += "é" in page.text
            if texts := sorted(set(forgotten(page.tree()))):
                found[path] = texts
    assert found == {}, "\n".join(f"{path}: {text}" for path, texts in found.items() for text in texts)
    assert seen >= 15


@pytest.mark.parametrize(("voice", "direction"), [("en-XA", "ltr"), ("ar-XB", "rtl")])
def test_a_cookie_asks_for_a_pseudo_locale(tenant, sign_in, voice, direction):
    browser = sign_in(tenant, "owner", "ar")
    browser.client.set_cookie("pseudo", voice)

    page = browser.get("/workflows").tree()

    assert (page.get("lang"), page.get("dir")) == ("en", direction)


def test_production_has_none(app, browser, monkeypatch):
    monkeypatch.setitem(app.config, "PSEUDO_LOCALES", False)

    assert "é" not in browser.get("/workflows").text_of("body//h1")[0]


def test_a_forgotten_text_is_found():
    import html5lib

    tree = html5lib.parse('<p>[Šàṽé]</p><p>Save <bdi>a name</bdi></p><a title="Open it">x</a>', namespaceHTMLElements=False)
    assert len(list(forgotten(tree))) == 2
