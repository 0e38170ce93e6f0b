"""The content security policy: no page does what it forbids, or complains of anything else. `test_accessibility` asks it of every page inside."""

from __future__ import annotations

import pytest

from tests.browser.chromium import Watched
from tests.browser.conftest import IN_CHROMIUM

pytestmark = IN_CHROMIUM
VISITORS = ("/sign-in", "/sign-in/sso", "/register", "/password/forgotten", "/password/reset?token=x", "/report-leak", "/nowhere")


@pytest.mark.parametrize("locale", ["ar", "en"])
def test_the_policy_refuses_nothing_on_any_page_of_visitors(address, chromium, locale):
    context = chromium.new_context(locale=locale)
    watched = Watched(context, context.new_page())
    for path in VISITORS:
        watched.open(address + path)
    context.close()
    assert watched.heard == {}


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
    watched.open(f"{address}/sign-in")
    is_run = watched.page.evaluate("'planted' in window")
    context.close()

    assert not is_run
    assert any(each.startswith(directive) for each in watched.heard[f"{address}/sign-in"])
