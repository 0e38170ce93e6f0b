"""Every part of a page that htmx asks for stands alone: the same markup as in its page, under one id."""

from __future__ import annotations

import ast

import html5lib
import pytest

from portal.core.config import ROOT

# (template, block) → where it is asked for
ASKED = {
    ("starts/said.html", "said"): "/workflows/{workflow_id}/starts/said?cron=0+8+*+*+*&zone=Asia/Riyadh",
    ("exports/list.html", "files"): "/exports",
    ("versions/trial.html", "trial"): "/trials/{trial_id}",
    ("lists/bulk.html", "progress"): "/bulk/{bulk_id}",
    ("home/show.html", "overview"): "/home",
    ("workflows/run.html", "run_live"): "/runs/{run_id}",
    ("workflows/designer/show.html", "designer"): "/workflows/{workflow_id}/design",
    ("notifications/list.html", "notices"): "/notifications",
    ("themes/edit.html", "editor"): "/settings/themes/{theme_id}",
    ("admin/home.html", "health"): "/staff",
    ("admin/tenants.html", "found"): "/staff/tenants",
    ("calendars/show.html", "preview"): "/settings/calendars/{calendar_id}",
    ("support/show.html", "visits"): "/settings/support",
    ("identity/preferences.html", "sample"): "/settings/preferences",
}
# Put into a popover by a script, as often as a page has dates: it needs no id, and may have none.
# And what answers a form of somebody who may not send it any more: nobody can ask for it (tests/workflows/designer/test_conflicts.py).
UNSWAPPED = {("shell/calendar.html", "month"), ("workflows/designer/lost.html", "designer")}


def rendered():
    for path in (ROOT / "portal").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "render":
                named = {each.arg: each.value for each in node.keywords}
                if "fragment" in named:
                    yield node.args[0].value, named["fragment"].value


def test_every_fragment_is_known_here():
    assert set(rendered()) == set(ASKED) | UNSWAPPED, "say in ASKED where the new fragment is asked for"


def ids(tree):
    return [each.get("id") for each in tree.iter() if each.get("id")]


@pytest.mark.parametrize("locale", ["ar", "en"])
@pytest.mark.parametrize("which", ASKED, ids=lambda which: which[1])
def test_a_fragment_stands_alone(ours, tenant, sign_in, as_staff, which, locale):
    browser = as_staff(locale) if ASKED[which].startswith("/staff") else sign_in(tenant, "owner", locale)
    url = ASKED[which].format(**ours)

    page, fragment = browser.get(url), browser.get(url, fragment=True)

    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parseFragment(fragment.text)
    assert parser.errors == []
    assert "<html" not in fragment.text and "<script" not in fragment.text
    roots = [each for each in tree if isinstance(each.tag, str)]
    assert len(roots) == 1 and roots[0].get("id"), "a fragment has one root, and the root has the id that htmx swaps"
    assert ids(tree) == [each for each in ids(page.tree()) if each in set(ids(tree))]
    assert fragment.headers["Vary"].count("HX-Request") >= 1
    assert len(fragment.text.encode()) > 100


def test_a_restored_page_is_never_a_fragment(ours, as_role):
    restored = as_role("owner").get("/notifications", headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})

    assert restored.text.lstrip().lower().startswith("<!doctype")
