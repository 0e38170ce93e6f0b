"""What every test in Chromium needs: the application behind a real server, the browser, and somebody signed in."""

from __future__ import annotations

import os
import shutil
import threading

import pytest
from werkzeug.serving import make_server

from tests.conftest import PASSWORD, code_of
from tests.whole.test_routes import ours

__all__ = ["ours"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
IN_CHROMIUM = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium on PATH")]


@pytest.fixture(scope="module")
def address(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "CI must have Chromium: .ci/run installs it"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def enter(chromium, address, tenant, locale, noise, *, email=None, home="/home"):
    context = chromium.new_context(locale=locale, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("console", lambda said: noise.append(said.text) if said.type == "error" and "Failed to load" not in said.text else None)
    page.goto(f"{address}/sign-in")
    pass_doors(page, email or tenant.email("owner"))
    page.wait_for_url(f"{address}{home}")
    return context, page


def pass_doors(page, email):
    """Fill in the sign-in page that is open, and the second step."""
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url("**/sign-in/factor")
    page.fill("[name=code]", code_of(email))
    page.locator("[name=code]").press("Enter")
