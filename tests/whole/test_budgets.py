"""The bytes that pages may weigh (UX budgets, compressed)."""

from __future__ import annotations

import gzip
import json

import pytest

from portal.core.config import current_settings

PAGES = ("/sign-in", "/home", "/workflows", "/runs", "/tables", "/notifications", "/workflows/new")


def built(name):
    folder = current_settings().static_path
    return folder / json.loads((folder / "manifest.json").read_text("utf-8"))[name]


@pytest.mark.parametrize(
    ("name", "budget"),
    [
        ("app.css", 18_000),
        ("flow.css", 4_000),
        ("home.css", 4_000),
        ("app.js", 22_000),
        ("flow.js", 8_000),
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


@pytest.mark.parametrize("locale", ["en", "ar"])
@pytest.mark.parametrize("path", PAGES)
def test_pages_stay_within_their_budget(as_role, path, locale):
    browser = as_role("owner")
    browser.post("/locale", data={"locale": locale, "next": "/"})
    page = browser.get(path)
    assert len(gzip.compress(page.text.encode(), 9)) <= 15_000
    preloads = page.text.count('rel="preload"')
    assert preloads <= 1


def test_the_designer_stays_within_its_budget(as_role, ours):
    page = as_role("owner").get(f"/workflows/{ours['workflow_id']}/design")
    assert page.status_code == 200
    assert len(gzip.compress(page.text.encode(), 9)) <= 30_000
