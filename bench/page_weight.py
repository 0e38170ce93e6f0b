"""What each page weighs and how soon it stands, in both languages, in headless Chromium on a slow mobile line. Goals: UX budgets.

Prints a line per page and language; the last line's value is the heaviest first view as a share of its budget (Arabic 130 kB,
English 100 kB), so 1.0 is the limit.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from typing import Any
from urllib.request import urlopen

from peers import ROOT, house, report

BUDGET_KB = {"ar": 130, "en": 100}
MAX_REQUESTS, MAX_LCP_MS, MAX_CLS = 14, 1800, 0.02
PASSWORD = "bench bench bench bench"
# Lighthouse's "slow 4G": 150 ms there and back, 1.6 Mbit/s down, 750 kbit/s up, a processor four times slower.
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1_638_400 / 8, "uploadThroughput": 750_000 / 8}
WATCH = """
window.seen = {lcp: 0, cls: 0};
new PerformanceObserver(list => { for (const each of list.getEntries()) seen.lcp = each.startTime })
  .observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver(list => { for (const each of list.getEntries()) if (!each.hadRecentInput) seen.cls += each.value })
  .observe({type: 'layout-shift', buffered: true});
"""


def main() -> None:
    from playwright.sync_api import sync_playwright

    from portal.core.access import SYSTEM
    from portal.devkit import demo
    from portal.devkit.children import free_port
    from portal.identity import service as identity

    with house() as (_servers, _app):
        demo.seed()
        tenant_id = identity.sign_in("salma@nasij.example", demo.PASSWORD)[1]
        for tag in BUDGET_KB:
            person = identity.add_person(f"{tag}@example.com", name="Bench", name_ar="قياس", password=PASSWORD, locale=tag)
            identity.add_member(tenant_id, person, "owner", by=SYSTEM)
        port = free_port()
        command = [sys.executable, "-m", "gunicorn", "wsgi:app", "-k", "gthread", "--threads", "16", "-b", f"127.0.0.1:{port}"]
        server = subprocess.Popen([*command, "--log-level", "error", "--no-control-socket"], cwd=ROOT, env=dict(os.environ))
        try:
            base = f"http://127.0.0.1:{port}"
            _until_up(base)
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
                seen = [each for tag in BUDGET_KB for each in _walk(browser, base, tag)]
                browser.close()
        finally:
            server.terminate()
            server.wait()
    for each in seen:
        print(
            "{tag} {page:<8} {kb:6.1f} kB first, {again_kb:5.1f} kB again, {requests:2} requests, LCP {lcp:5.0f} ms, CLS {cls:.3f}".format(
                **each
            )
        )
    worst = max(each["kb"] / BUDGET_KB[each["tag"]] for each in seen)
    ok = worst <= 1 and all(each["requests"] <= MAX_REQUESTS and each["lcp"] <= MAX_LCP_MS and each["cls"] <= MAX_CLS for each in seen)
    report("page_weight", worst, "× budget", goal="≤ 1.0, LCP ≤ 1.8 s, CLS ≤ 0.02", peer=1.0, ratio=worst, ok=ok,
           lcp_ms=max(each["lcp"] for each in seen), cls=max(each["cls"] for each in seen),
           requests=max(each["requests"] for each in seen))  # fmt: skip


def _until_up(base: str) -> None:
    for _ in range(200):
        try:
            with urlopen(f"{base}/health/live"):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the portal did not start")


def _walk(browser: Any, base: str, tag: str) -> list[dict[str, Any]]:
    """Measure each page in a browser that has never been there, and once more in the same browser."""
    cookies, paths = _sign_in(browser, base, tag)
    found = []
    for name, path in paths.items():
        context = browser.new_context(viewport={"width": 390, "height": 844}, locale=tag)
        context.add_cookies(cookies if name != "sign-in" else [{"name": "locale", "value": tag, "url": base}])
        page = context.new_page()
        page.add_init_script(WATCH)
        first = _measure(context, page, base + path)
        again = _measure(context, page, base + path)
        found.append({"tag": tag, "page": name, **first, "again_kb": again["kb"]})
        context.close()
    return found


def _sign_in(browser: Any, base: str, tag: str) -> tuple[list[Any], dict[str, str]]:
    context = browser.new_context(locale=tag)
    page = context.new_page()
    page.goto(f"{base}/sign-in")
    page.fill("[name=email]", f"{tag}@example.com")
    page.fill("[name=password]", PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url("**/home")
    page.goto(f"{base}/workflows")
    workflow = page.locator("main a.row-title").first.get_attribute("href")
    page.goto(f"{base}/runs")
    run = page.locator("main a.row-title").first.get_attribute("href")
    cookies = context.cookies()
    context.close()
    return cookies, {"sign-in": "/sign-in", "home": "/home", "list": "/runs", "designer": f"{workflow}/design", "run": run}


def _measure(context: Any, page: Any, url: str) -> dict[str, Any]:
    """Load a page on the slow line; bytes as they came over it."""
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", SLOW_4G)
    line.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    sizes: list[float] = []
    line.on("Network.loadingFinished", lambda done: sizes.append(done["encodedDataLength"]))
    page.goto(url, wait_until="load")
    page.wait_for_timeout(1500)
    seen = page.evaluate("seen")
    line.detach()
    came = [size for size in sizes if size]
    return {"kb": sum(came) / 1000, "requests": len(came), "lcp": seen["lcp"], "cls": seen["cls"]}


if __name__ == "__main__":
    main()
