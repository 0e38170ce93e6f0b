"""Somebody signed in, in Chromium, and what the browser says of the pages."""

from __future__ import annotations

from tests.conftest import PASSWORD, code_of

LISTEN = """
document.addEventListener('securitypolicyviolation', (event) => refused(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""
# An answer of 404 or 422 is none of the browser's business; everything else that it writes in red is.
ANSWERS = "Failed to load resource"


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


class Watched:
    """A page that remembers what the browser refused on it, and what it complained of."""

    def __init__(self, context, page):
        self.page, self.heard = page, {}
        context.expose_binding("refused", lambda _source, said: self._note(said))
        context.add_init_script(LISTEN)
        page.on("console", lambda said: self._note(said.text) if said.type == "error" and ANSWERS not in said.text else None)
        page.on("pageerror", lambda error: self._note(str(error)))

    def _note(self, said):
        self.heard.setdefault(self.page.url, []).append(said[:300])

    def open(self, url):
        """Open a page, and wait until the browser has told what it refused, which it does a moment after."""
        self.page.goto(url)
        self.page.wait_for_load_state("load")
        self.page.evaluate("() => new Promise((done) => setTimeout(done, 30))")
