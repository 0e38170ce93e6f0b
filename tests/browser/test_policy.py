"""The content security policy: no page of anybody does what it forbids, or complains of anything else."""

from __future__ import annotations

import pytest

from tests.browser.conftest import IN_CHROMIUM, signed_in

pytestmark = IN_CHROMIUM
VISITORS = ("/sign-in", "/sign-in/sso", "/register", "/password/forgotten", "/password/reset?token=x", "/report-leak", "/nowhere")
LISTEN = """
document.addEventListener('securitypolicyviolation', (event) => refused(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""
# An answer of 404 or 422 is none of the browser's business; everything else that it writes in red is.
ANSWERS = "Failed to load resource"


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

    def open(self, paths, address):
        for path in paths:
            self.page.goto(address + path)
            self.page.wait_for_load_state("load")
            # The browser tells of what it refused a moment after.
            self.page.evaluate("() => new Promise((done) => setTimeout(done, 30))")
        return self.heard


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_the_policy_refuses_nothing_on_any_page_of_an_owner(address, chromium, tenant, pages, routed, locale):
    context, page = signed_in(chromium, address, tenant, locale)
    heard = Watched(context, page).open([*pages, *routed], address)
    context.close()
    assert heard == {}


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_the_policy_refuses_nothing_on_any_page_of_staff(address, chromium, tenant, staffer, staff_pages, locale):
    context, page = signed_in(chromium, address, tenant, locale, staffer=staffer)
    heard = Watched(context, page).open(staff_pages, address)
    context.close()
    assert heard == {}


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_the_policy_refuses_nothing_on_any_page_of_visitors(address, chromium, locale):
    context = chromium.new_context(locale=locale)
    heard = Watched(context, context.new_page()).open(VISITORS, address)
    context.close()
    assert heard == {}


@pytest.mark.parametrize(
    ("planted", "directive"),
    [
        ("<script>window.planted = 1</script>", "script-src"),
        ('<p style="color: red">x</p>', "style-src"),
        ('<img src="https://example.com/x.png" alt="">', "img-src"),
    ],
    ids=["script", "style", "picture"],
)
def test_what_is_planted_in_a_page_is_refused_and_heard(address, chromium, planted, directive):
    context = chromium.new_context()
    watched = Watched(context, context.new_page())

    def plant(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("</main>", f"{planted}</main>", 1))

    watched.page.route("**/sign-in", plant)
    heard = watched.open(["/sign-in"], address)
    is_run = watched.page.evaluate("'planted' in window")
    context.close()

    assert not is_run
    assert any(each.startswith(directive) for each in heard[f"{address}/sign-in"])
