"""The bytes that pages may weigh (UX budgets, compressed)."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from portal.admin.gallery import GROUPS
from portal.core.config import current_settings
from tests.whole.test_routes import pages_of


def built(name):
    folder = current_settings().static_path
    return folder / json.loads((folder / "manifest.json").read_text("utf-8"))[name]


@pytest.mark.parametrize(
    ("name", "budget"),
    [
        ("app.css", 18_000),
        ("flow.css", 4_000),
        ("designer.css", 4_000),
        ("home.css", 4_000),
        ("app.js", 22_000),
        ("flow.js", 8_000),
        ("run.css", 4_000),
        ("run.js", 2_000),
        ("charts.js", 3_000),
        ("passkey.js", 1_500),
        ("factors.css", 2_000),
    ],
)
def test_built_parts_stay_within_their_budget(app, name, budget):
    assert len(gzip.compress(built(name).read_bytes(), 9)) <= budget


def test_the_fonts_of_each_language_stay_within_their_budget(app):
    latin = sum(built(f"fonts/nasij-sans-latin-{weight}.woff2").stat().st_size for weight in (400, 600))
    arabic = sum(built(f"fonts/nasij-sans-arabic-{weight}.woff2").stat().st_size for weight in (400, 600))
    assert latin <= 40_000
    assert latin + arabic <= 68_000


VISITORS = ("/sign-in", "/sign-in/sso", "/register", "/password/forgotten", "/report-leak")
DOCUMENT, FLOW = 15_000, 30_000
# What shows a whole flow, or every component of a group, may weigh as much as the designer.
HEAVY = re.compile(r"/design(/|$)|^/staff/gallery/")


def told(browser, locale):
    browser.post("/locale", data={"locale": locale, "next": "/"})
    return browser


def too_heavy(browser, paths):
    """Return the pages over their budget with their compressed bytes, and those that ask for more than one font first."""
    found = {}
    for path in paths:
        page = browser.get(path)
        assert page.status_code == 200, path
        weight, budget = len(gzip.compress(page.text.encode(), 9)), FLOW if HEAVY.search(path.partition("?")[0]) else DOCUMENT
        if weight > budget or page.text.count('rel="preload"') > 1:
            found[path] = weight
    return found


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_every_page_of_an_owner_stays_within_its_budget(app, ours, as_role, locale):
    browser = told(as_role("owner"), locale)
    paths = pages_of(app, ours, browser)
    asked = ("/home", "/runs", "/settings/members", "/settings/themes/", "/settings/sign-in", "/settings/roles", "/runs/", "/design")
    missing = [each for each in asked if not any(each in path for path in paths)]
    assert (missing, too_heavy(browser, paths)) == ([], {})


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_every_page_of_staff_stays_within_its_budget(app, tenant, as_staff, locale):
    paths = [
        str(rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("admin.") and "GET" in rule.methods and not rule.arguments
    ]
    paths += [f"/staff/tenants/{tenant.id}", *(f"/staff/gallery/{group}" for group in GROUPS)]
    browser = as_staff(locale)
    assert too_heavy(browser, [path for path in paths if browser.get(path).status_code == 200]) == {}


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_every_page_of_visitors_stays_within_its_budget(visitor, locale):
    assert too_heavy(told(visitor, locale), VISITORS) == {}
