"""Pictures of every page of the running demo: both languages, both looks, wide and narrow; `make screenshots` while `make run` is up.

Looks at nothing by itself: a person looks at the pictures. It says which pages are wider than the window, and what the browser complained of.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from portal.admin.gallery import GROUPS
from portal.core.config import ROOT
from portal.devkit.demo import PASSWORD, PEOPLE, STAFF
from portal.devkit.supervisor import PORTS

FOLDER = ROOT / "var" / "screenshots"
WIDTHS = (1280, 390)
OVERFLOW = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
PLAIN = (
    "/home",
    "/workflows",
    "/workflows/new",
    "/runs",
    "/tables",
    "/tables/new",
    "/notifications",
    "/exports",
    "/search?q=a",
    "/shortcuts",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> None:
    """Take every picture into `var/screenshots/<language>-<look>-<width>/`."""
    address = f"http://127.0.0.1:{os.environ.get('NASIJ_WEB_PORT', PORTS['NASIJ_WEB_PORT'])}"
    shutil.rmtree(FOLDER, ignore_errors=True)
    taken = 0
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=next(filter(None, map(shutil.which, BROWSERS)), None), args=["--no-sandbox"])
        for locale in ("ar", "en"):
            for look in ("light", "dark"):
                for width in WIDTHS:
                    context = chromium.new_context(
                        viewport={"width": width, "height": 900}, color_scheme=look, locale=locale, reduced_motion="reduce"
                    )
                    taken += take(context, address, locale, FOLDER / f"{locale}-{look}-{width}")
                    context.close()
        chromium.close()
    print(f"{taken} pictures in {FOLDER.relative_to(ROOT)}")


def take(context: Any, address: str, locale: str, folder: Path) -> int:
    """Take the pages of an owner and of staff in one language, and return how many there were."""
    folder.mkdir(parents=True)
    page = context.new_page()
    page.on("console", lambda said: said.type == "error" and print(f"{folder.name}: {page.url}: {said.text[:200]}"))
    page.goto(f"{address}/sign-in")
    shoot(page, folder, "sign-in")
    taken = 1
    for email, paths in ((PEOPLE[0][0], owner_paths), (STAFF[0], staff_paths)):
        sign_in(page, address, email, locale)
        for path in paths(page, address):
            page.goto(address + path)
            shoot(page, folder, path)
            taken += 1
        context.clear_cookies(name="sid")
    return taken


def sign_in(page: Page, address: str, email: str, locale: str) -> None:
    page.goto(f"{address}/sign-in")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url("**/home")
    if page.locator("html").get_attribute("lang") != locale:
        page.click("[data-lang-switch] button")
        page.wait_for_selector(f"html[lang={locale}]")


def owner_paths(page: Page, address: str) -> Iterator[str]:
    """Give every plain page, then the pages of one workflow, one run and one table of the demo."""
    yield from PLAIN
    workflow = first_link(page, f"{address}/workflows", "/workflows/")
    for part in ("", "/describe", "/design", "/run"):
        yield workflow + part
    yield first_link(page, f"{address}/runs", "/runs/")
    yield first_link(page, f"{address}/tables", "/tables/")


def staff_paths(_page: Page, _address: str) -> Iterator[str]:
    for group in GROUPS:
        yield f"/staff/gallery/{group}"


def first_link(page: Page, address: str, start: str) -> str:
    """Return the path of the first thing in a list."""
    page.goto(address)
    return str(page.locator(f"a.row-title[href^='{start}']").first.get_attribute("href"))


def shoot(page: Page, folder: Path, path: str) -> None:
    name = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "one", path).strip("/")
    page.wait_for_load_state("networkidle") if "runs/" not in path else page.wait_for_load_state("load")
    page.screenshot(path=folder / f"{re.sub(r'[^a-z0-9]+', '-', name)}.png", full_page=True)
    if page.evaluate(OVERFLOW):
        print(f"{folder.name}: {path} is wider than the window")


if __name__ == "__main__":
    main()
