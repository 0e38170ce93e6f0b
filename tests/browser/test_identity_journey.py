"""The whole life of an account in one go, in both languages: from the registration of an organisation to leaving it."""

from __future__ import annotations

import re

import pytest

from portal.core.ids import new_id
from tests.browser.conftest import IN_CHROMIUM
from tests.browser.test_factors import open_page, site
from tests.identity.letters import letters_to

__all__ = ["open_page", "site"]

pytestmark = IN_CHROMIUM
FIRST, SECOND, THIRD = "three herons over the wadi", "seven lanterns by the quay", "nine kites above the dunes"
WORDS = {
    "en": {"organisation": "River Foods", "owner": "Huda Salem", "member": "Omar Nasser", "group": "Buyers", "home": "ltr"},
    "ar": {"organisation": "أغذية النهر", "owner": "هدى سالم", "member": "عمر ناصر", "group": "المشترون", "home": "rtl"},
}


def link_in(email, message, site):
    """Return the link of the newest mail of a kind, as the reader opens it."""
    return site + [each for each in letters_to(email) if each["message"] == message][-1]["link"]


def send(page, scope="main"):
    page.locator(f"{scope} form:not([role=search]) button[type=submit], {scope} form:not([role=search]) button:not([type])").last.click()


def suffix(locale):
    return "_ar" if locale == "ar" else ""


def add_passkey(page, site):
    page.goto(f"{site}/settings/sign-in")
    page.locator("#add-passkey button").click()
    page.wait_for_selector(".codes-list")
    return page.locator(".codes-list code").first.inner_text()


def enter(page, site, email, password):
    page.context.clear_cookies(name="sid")
    page.goto(f"{site}/sign-in")
    page.fill("[name=email]", email)
    page.fill("[name=password]", password)
    page.locator("[name=password]").press("Enter")


def register(page, site, email, words, locale):
    page.goto(f"{site}/register")
    assert page.locator("html").get_attribute("dir") == words["home"]
    page.fill(f"[name=organisation{suffix(locale)}]", words["organisation"])
    page.fill(f"[name=name{suffix(locale)}]", words["owner"])
    page.fill("[name=email]", email)
    page.fill("[name=password]", "short")
    send(page)
    page.wait_for_selector(".error-summary")
    assert page.locator(f"[name=organisation{suffix(locale)}]").input_value() == words["organisation"], "what was typed is kept"
    page.fill("[name=password]", FIRST)
    send(page)
    page.wait_for_selector(f"text={email}")
    page.goto(link_in(email, "registration", site))
    send(page)
    page.wait_for_url("**/settings/sign-in")


def invite_and_join(owner, member, site, email, words, locale):
    owner.goto(f"{site}/settings/members/invite")
    owner.fill("[name=addresses]", email)
    owner.check(f"[name=language][value={locale}]")
    send(owner)
    owner.wait_for_url("**/settings/members")
    assert owner.locator(f"text={email}").first.is_visible()
    member.goto(link_in(email, "invitation", site))
    member.fill(f"[name=name{suffix(locale)}]", words["member"])
    member.fill("[name=password]", FIRST)
    send(member)
    member.wait_for_url(re.compile(r"/(home)?$"))


def make_group_and_give_role(owner, site, words, locale):
    owner.goto(f"{site}/settings/groups")
    owner.fill(f"[name=name{suffix(locale)}]", words["group"])
    send(owner)
    owner.wait_for_selector(f"text={words['group']}")
    owner.goto(f"{site}/settings/members")
    owner.locator("a.row-title", has_text=words["member"]).click()
    owner.wait_for_selector("#f-role")
    owner.select_option("#f-role", "builder")
    owner.locator("form[action$='/role'] button").click()
    owner.wait_for_load_state()
    assert owner.locator("#f-role").input_value() == "builder"
    return owner.url


def make_token(member, site, words):
    member.goto(f"{site}/settings/tokens/new")
    member.fill("[name=name]", words["group"])
    member.locator("[name=scopes]").first.check()
    send(member)
    member.wait_for_selector("text=/wfp_/")
    member.goto(f"{site}/settings/tokens")
    assert member.locator("main").get_by_text(words["group"]).first.is_visible()


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_from_registration_to_leaving(open_page, site, locale):
    words, mark = WORDS[locale], new_id().hex[-10:]
    first, second = f"first-{mark}@example.com", f"second-{mark}@example.com"
    owner, member = open_page(locale), open_page(locale)

    register(owner, site, first, words, locale)
    recovery = add_passkey(owner, site)
    owner.goto(f"{site}/home")
    assert owner.url.endswith("/home")
    invite_and_join(owner, member, site, second, words, locale)
    page_of_member = make_group_and_give_role(owner, site, words, locale)
    assert member.goto(f"{site}/workflows/new").status == 200, "a builder at the next click"
    make_token(member, site, words)

    # A lost password: the other sessions end, the second step is asked for as ever.
    enter(owner, site, first, "wrong")
    owner.wait_for_selector(".notice")
    owner.goto(f"{site}/password/forgotten")
    owner.fill("[name=email]", first)
    send(owner)
    owner.wait_for_selector(f"text={first}")
    owner.goto(link_in(first, "password_reset", site))
    owner.fill("[name=password]", SECOND)
    send(owner)
    enter(owner, site, first, SECOND)
    owner.wait_for_url("**/sign-in/factor")
    owner.locator("a[href*=recovery]").click()
    owner.fill("[name=code]", recovery)
    owner.locator("[name=code]").press("Enter")
    owner.wait_for_url("**/home")

    # Another organisation of the same person, and the choice between them.
    owner.goto(f"{site}/organisations/new")
    owner.fill(f"[name=organisation{suffix(locale)}]", f"{words['organisation']} 2")
    send(owner)
    owner.wait_for_url("**/home")
    owner.goto(f"{site}/organisations")
    owner.locator("button.choice", has_text=words["organisation"]).filter(has_not_text=f"{words['organisation']} 2").click()
    owner.wait_for_url(re.compile(r"/(home)?$"))

    # The new owner has a second step; the old one hands over, and leaves.
    add_passkey(member, site)
    owner.goto(page_of_member)
    owner.locator("[command=show-modal][commandfor=transfer-dialog]").click()
    owner.locator("#transfer-dialog form[action$='/transfer'] button").click()
    owner.wait_for_selector(".toast")
    owner.goto(f"{site}/settings/organisations")
    here = owner.locator(".device-list > li").filter(has_not_text=f"{words['organisation']} 2").first
    here.locator("[command=show-modal]").click()
    here.locator("form[action='/organisations/leave'] button").click()
    owner.wait_for_url("**/organisations")
    owner.goto(page_of_member)
    assert words["member"] not in owner.content()

    # Signing out everywhere else, with a second browser as the witness.
    witness = open_page(locale)
    witness.context.add_cookies([each for each in member.context.cookies() if each["name"] == "sid"])
    assert witness.goto(f"{site}/home").status == 200
    member.goto(f"{site}/settings/password")
    member.fill("[name=current]", FIRST)
    member.fill("[name=password]", THIRD)
    send(member)
    member.wait_for_selector(".toast")
    witness.goto(f"{site}/runs")
    assert "/sign-in" in witness.url, "the id that it had is dead"
    enter(witness, site, second, FIRST)
    witness.wait_for_selector(".notice")
    member.goto(f"{site}/settings/devices")
    assert member.locator(".device").count() == 1
