"""Versions of a theme that come back, and two people who edit one theme."""

from __future__ import annotations

import pytest

from tests.tenants.conftest import publish, revision

FIRST, SECOND = {"colors-light-primary": "#7a1f5c"}, {"colors-light-primary": "#0b5394"}


def form(began, **fields):
    return {"revision": began, "pill-shown": "1", "border_radius-pill": "1", **fields}


def test_any_version_comes_back_as_a_new_one(owner, theme):
    publish(owner, theme, **FIRST)
    publish(owner, theme, **SECOND)
    publish(owner, theme, **{"colors-light-primary": "#22543d"})

    assert owner.post(f"{theme}/bring-back", data={"number": "1"}).status_code == 303

    page = owner.get(f"{theme}/versions")
    assert "Version 4" in page.text and "It is back as version 4" in page.text
    assert 'value="#7a1f5c"' in owner.get(theme).text


def test_the_list_says_who_and_when_and_shows_each(owner, theme, tenant):
    publish(owner, theme, **FIRST)
    publish(owner, theme, **SECOND)

    page = owner.get(f"{theme}/versions?show=1")

    assert "Owner" in page.text and "<time" in page.text
    assert f'src="{theme}/preview?language=ar&amp;look=dark&amp;version=1"' in page.text
    sheets = owner.get(f"{theme}/preview?version=1").text
    address = sheets.split(f'href="/theme/{tenant.id}/')[1].split('"')[0]
    assert "#7a1f5c" in owner.get(f"/theme/{tenant.id}/{address}").text
    assert "draft.css" not in sheets


@pytest.mark.parametrize("number", ["0", "9", "-1", "abc", "", "99999999999999999999", "١"])
def test_a_version_that_is_not_there_is_not_found(owner, theme, number):
    publish(owner, theme, **FIRST)
    assert owner.post(f"{theme}/bring-back", data={"number": number}).status_code == 404
    assert owner.get(f"{theme}/versions", query_string={"show": number}).status_code == 404
    assert owner.get(f"{theme}/preview", query_string={"version": number}).status_code == 404


def test_a_draft_that_would_be_lost_is_said_before(owner, theme):
    publish(owner, theme, **FIRST)
    assert "never published" not in owner.get(f"{theme}/versions").text
    owner.post(theme, data=form(revision(owner, theme), **SECOND))
    assert "never published" in owner.get(f"{theme}/versions").text


@pytest.mark.parametrize("role", ["builder", "member", "auditor"])
def test_versions_are_for_who_may_design(as_role, owner, theme, role):
    publish(owner, theme, **FIRST)
    browser = as_role(role)
    assert browser.get(f"{theme}/versions").status_code == 403
    assert browser.post(f"{theme}/bring-back", data={"number": "1"}).status_code == 403


def test_who_saves_second_sees_what_the_first_saved_and_keeps_the_form(owner, as_role, theme):
    began = revision(owner, theme)
    other = as_role("admin")
    other.post(theme, data=form(revision(other, theme), **FIRST, **{"branding-week_start": "0"}))

    page = owner.post(theme, data=form(began, **SECOND, **{"branding-name-en": "Mine"}))

    assert page.status_code == 409
    rows = page.text_of(".theme-clash")[0]
    for word in ("Brand colour", "#7a1f5c", "#0b5394", "First day of the week", "Monday", "Name beside the logo", "Mine"):
        assert word in rows, word
    assert 'value="Mine"' in page.text
    assert "data-hx-trigger" not in page.text.split('id="theme-form"')[1].split(">")[0]  # nothing is saved before it is asked for
    assert 'value="#7a1f5c"' in owner.get(theme).text

    again = page.text.split('name="revision" value="')[1].split('"')[0]
    assert owner.post(theme, data=form(again, **SECOND)).status_code == 303
    assert 'value="#0b5394"' in owner.get(theme).text


def test_a_refused_form_does_not_learn_what_the_other_saved(owner, as_role, theme):
    began = revision(owner, theme)
    other = as_role("admin")
    other.post(theme, data=form(revision(other, theme), **FIRST))

    refused = owner.post(theme, data=form(began, **{"border_radius-m": "99"}))
    assert refused.status_code == 422

    kept = refused.text.split('name="revision" value="')[1].split('"')[0]
    assert owner.post(theme, data=form(kept, **{"border_radius-m": "9"})).status_code == 409


def test_nobody_publishes_what_they_have_not_seen(owner, as_role, theme):
    began = revision(owner, theme)
    other = as_role("admin")
    other.post(theme, data=form(revision(other, theme), **FIRST))

    page = owner.post(f"{theme}/publish", data={"revision": began})

    assert page.status_code == 409 and "Somebody else saved this theme" in page.text
    assert owner.get(f"{theme}/versions").text_of(".table") == []


@pytest.mark.parametrize("path", ["", "/publish"])
def test_a_form_that_does_not_say_what_it_was_begun_on_is_stale(owner, theme, path):
    assert owner.post(f"{theme}{path}", data={"colors-light-primary": "#7a1f5c"}).status_code == 409


def test_quick_changes_in_one_editor_are_no_clash_with_themselves(owner, as_role, theme):
    began = revision(owner, theme)
    for radius in ("7", "8", "9"):  # sent before the first answer came back
        assert owner.post(theme, data=form(began, editor="mine", **{"border_radius-m": radius})).status_code == 303
    assert owner.post(f"{theme}/publish", data={"revision": began, "editor": "mine"}).status_code == 303

    other = as_role("admin")
    other.post(theme, data=form(revision(other, theme), editor="theirs", **FIRST))
    assert owner.post(theme, data=form(began, editor="mine", **{"border_radius-m": "10"})).status_code == 409
    assert owner.post(f"{theme}/publish", data={"revision": began, "editor": "mine"}).status_code == 409


@pytest.mark.parametrize("verb", ["repair", "reset", "bring-back"])
def test_a_change_that_the_editor_did_not_make_is_a_clash_for_it(owner, theme, verb):
    publish(owner, theme, **FIRST)
    began = revision(owner, theme)
    owner.post(theme, data=form(began, editor="mine", **{"colors-light-primary": "#ffe680"}))
    owner.post(f"{theme}/{verb}", data={"number": "1"})
    assert owner.post(theme, data=form(began, editor="mine", **SECOND)).status_code == (303 if verb == "bring-back" else 409)
