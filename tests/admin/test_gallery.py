"""The gallery of components: for staff alone, whole, and fine in both languages."""

from __future__ import annotations

import re

import pytest

from portal.admin import gallery
from portal.core.config import ROOT

TEMPLATES = ROOT / "templates" / "admin" / "gallery"


def sampled():
    return re.findall(r'call sample\("(\w+)"\)', "".join(each.read_text("utf-8") for each in TEMPLATES.glob("*.html")))


def test_every_component_has_one_sample_or_is_seen_inside_another():
    shown = sampled()
    assert sorted([*shown, *gallery.INSIDE]) == gallery.names()
    assert {inside for inside in gallery.INSIDE.values() if inside} <= set(shown)


def test_every_component_says_how_it_is_called():
    silent = [name for name, about in gallery.descriptions().items() if f"ui.{name}(" not in about]
    assert silent == []


@pytest.mark.parametrize("locale", ["ar", "en"])
@pytest.mark.parametrize("group", gallery.GROUPS)
def test_staff_see_each_group(as_staff, group, locale):
    page = as_staff(locale).get(f"/staff/gallery/{group}")
    assert page.status_code == 200
    assert len(page.text_of(".sample-title")) == (TEMPLATES / f"{group}.html").read_text("utf-8").count("call sample(")


@pytest.mark.parametrize("path", ["/staff/gallery", "/staff/gallery/forms"])
def test_for_everybody_else_there_is_no_gallery(visitor, as_role, path):
    assert visitor.get(path).status_code == 404
    assert as_role("owner").get(path).status_code == 404


def test_a_group_that_is_not_there(as_staff):
    assert as_staff().get("/staff/gallery/nothing").status_code == 404


def test_staff_find_the_gallery_from_anywhere_and_others_do_not(as_staff, as_role):
    address = "/search?q=gallery"
    assert "/staff/gallery" in as_staff().get(address).text
    assert "/staff/gallery" not in as_role("owner").get(address).text
