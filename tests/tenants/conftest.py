"""A theme, and who edits it."""

from __future__ import annotations

import pytest


@pytest.fixture
def owner(as_role):
    return as_role("owner")


@pytest.fixture
def theme(owner):
    return owner.post("/settings/themes", data={"name": "Corporate", "name_ar": "هوية"}).headers["Location"]


def revision(browser, theme):
    return browser.get(theme).text.split('name="revision" value="')[1].split('"')[0]


def publish(browser, theme, **fields):
    data = {"revision": revision(browser, theme), "pill-shown": "1", "border_radius-pill": "1", **fields}
    assert browser.post(theme, data=data).status_code == 303
    assert browser.post(f"{theme}/publish", data={"revision": revision(browser, theme)}).status_code == 303
