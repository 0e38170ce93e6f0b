"""Pictures of every page of the running demo: both languages, both looks, wide and narrow; `make screenshots` while `make run` is up.

Looks at nothing by itself: a person looks at the pictures. It says which pages are wider than the window, and what the browser complained of.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from portal.core.config import ROOT
from portal.devkit.demo import KEYS, PASSWORD, PEOPLE, STAFF
from portal.devkit.supervisor import PORTS

FOLDER = ROOT / "var" / "screenshots"
WIDTHS = (1280, 390)
OVERFLOW = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
VISITOR = ("/sign-in", "/sign-in/sso", "/password/forgotten", "/register", "/report-leak")
# What gives no page: files, streams, and what a theme's editor shows inside another page.
NO_PAGE = re.compile(r"/(file|history|stream)$|/export\b|\.(css|svg|png|webp|json)$|^/theme/")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main() -> None:
    """Take every picture into `var/screenshots/<language>-<look>-<width>/`; with arguments only into the folders that they name."""
    address = f"http://127.0.0.1:{os.environ.get('NASIJ_WEB_PORT', PORTS['NASIJ_WEB_PORT'])}"
    shutil.rmtree(FOLDER, ignore_errors=True)
    taken = 0
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=next(filter(None, map(shutil.which, BROWSERS)), None), args=["--no-sandbox"])
        for locale in ("ar", "en"):
            for look in ("light", "dark"):
                for width in WIDTHS:
                    name = f"{locale}-{look}-{width}"
                    if sys.argv[1:] and name not in sys.argv[1:]:
                        continue
                    context = chromium.new_context(
                        viewport={"width": width, "height": 900}, color_scheme=look, locale=locale, reduced_motion="reduce"
                    )
                    taken += take(context, address, locale, FOLDER / name)
                    context.close()
        chromium.close()
    print(f"{taken} pictures in {FOLDER.relative_to(ROOT)}")


def take(context: Any, address: str, locale: str, folder: Path) -> int:
    """Take the pages of an owner and of staff in one language, and return how many there were."""
    page = context.new_page()
    page.on("console", lambda said: said.type == "error" and print(f"{folder.name}: {page.url}: {said.text[:200]}"))
    for path in VISITOR:
        page.goto(address + path)
        shoot(page, folder, path)
    taken = len(VISITOR)
    # Some addresses are another page for staff: each has a folder.
    for who, email, starts in (
        ("owner", PEOPLE[0][0], ("/home", "/settings", "/search?q=a")),
        ("staff", STAFF[0], ("/staff", "/staff/gallery")),
    ):
        sign_in(page, address, email, locale)
        for path in reached(page, address, starts):
            shoot(page, folder / who, path)
            taken += 1
        context.clear_cookies(name="sid")
    return taken


def reached(page: Page, address: str, starts: tuple[str, ...]) -> Iterator[str]:
    """Open every page that links lead to, one of each shape, and give its path while it is open."""
    waiting, seen = list(starts), {_shape(each) for each in starts}
    while waiting:
        path = waiting.pop(0)
        answer = page.goto(address + path, wait_until="load")
        if answer is None or not answer.ok:
            print(f"{path} answered {answer.status if answer else 'nothing'}")
            continue
        yield path
        for link in page.eval_on_selector_all("a[href^='/']", "all => all.map(each => each.getAttribute('href').split('#')[0])"):
            is_sample = "/staff/gallery/" in path and not link.startswith("/staff/gallery/")
            if not is_sample and _shape(link) not in seen and not NO_PAGE.search(link.split("?")[0]):
                seen.add(_shape(link))
                waiting.append(link)


def _shape(path: str) -> str:
    """Return what a page is the same page as: any id is one id, and what a list was asked for does not count."""
    return ID.sub("one", path).partition("?")[0]


def sign_in(page: Page, address: str, email: str, locale: str) -> None:
    page.goto(f"{address}/sign-in")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.locator("[name=password]").press("Enter")
    if email in KEYS:
        page.wait_for_url("**/sign-in/factor")
        # Each code works once: whoever signs in again within half a minute waits for the next one.
        while not page.locator("[data-demo-code]").count():
            page.wait_for_timeout(2_000)
            page.reload()
        page.fill("[name=code]", page.locator("[data-demo-code]").inner_text())
        page.locator("[name=code]").press("Enter")
    page.wait_for_load_state("networkidle")
    if page.locator("html").get_attribute("lang") != locale:
        page.click("[data-lang-switch] button")
        page.wait_for_selector(f"html[lang={locale}]")


def shoot(page: Page, folder: Path, path: str) -> None:
    name = ID.sub("one", path).strip("/")
    page.wait_for_load_state("networkidle") if "runs/" not in path else page.wait_for_load_state("load")
    page.screenshot(path=folder / f"{re.sub(r'[^a-z0-9]+', '-', name)}.png", full_page=True)
    if page.evaluate(OVERFLOW):
        print(f"{folder.relative_to(FOLDER)}: {path} is wider than the window")


if __name__ == "__main__":
    main()
