"""Somebody signed in, in Chromium."""

from __future__ import annotations

from tests.conftest import PASSWORD, code_of


def enter(chromium, address, tenant, locale, noise, *, email=None, home="/home"):
    context = chromium.new_context(locale=locale, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("console", lambda said: noise.append(said.text) if said.type == "error" and "Failed to load" not in said.text else None)
    sign_in(context, address, email or tenant.email("owner"))
    page.goto(f"{address}{home}")
    return context, page


def sign_in(context, address, email):
    """Sign in without the pages: those of the doors are looked at where they are what is tested."""
    for door, given in (("sign-in", {"email": email, "password": PASSWORD}), ("sign-in/factor", {"code": code_of(email)})):
        answer = context.request.post(f"{address}/{door}", form=given, max_redirects=0)
        assert answer.status == 303, answer.text()[:500]


def pass_doors(page, email):
    """Fill in the sign-in page that is open, and the second step."""
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url("**/sign-in/factor")
    page.fill("[name=code]", code_of(email))
    page.locator("[name=code]").press("Enter")
