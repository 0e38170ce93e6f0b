"""What the benchmarks of pages share: the demo behind a real web server, and one owner for each language."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

import pyotp
from peers import ROOT, house

PASSWORD = "bench bench bench bench"
KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@contextmanager
def served(languages: Iterable[str]) -> Iterator[str]:
    """Give the address of the demo, with an owner `<language>@example.com` for each language."""
    from portal.core.access import SYSTEM
    from portal.devkit import demo
    from portal.devkit.children import free_port
    from portal.identity import service as identity
    from portal.identity.factors import service as factors
    from portal.identity.origin import Origin

    with house() as (_servers, _app):
        demo.seed()
        tenant_id = identity.sign_in("salma@nasij.example", demo.PASSWORD, Origin("127.0.0.1"))[1]
        for tag in languages:
            person = identity.add_person(f"{tag}@example.com", name="Bench", name_ar="قياس", password=PASSWORD, locale=tag)
            identity.add_member(tenant_id, person, "owner", by=SYSTEM)
            factors.add_app(person, KEY)
        port = free_port()
        command = [sys.executable, "-m", "gunicorn", "wsgi:app", "-k", "gthread", "--threads", "16", "-b", f"127.0.0.1:{port}"]
        server = subprocess.Popen([*command, "--log-level", "error", "--no-control-socket"], cwd=ROOT, env=dict(os.environ))
        try:
            base = f"http://127.0.0.1:{port}"
            _until_up(base)
            yield base
        finally:
            server.terminate()
            server.wait()


def _until_up(base: str) -> None:
    for _ in range(200):
        try:
            with urlopen(f"{base}/health/live"):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the portal did not start")


def enter(browser: Any, base: str, tag: str) -> tuple[list[Any], dict[str, str]]:
    """Sign in as the owner of a language; return the cookies and the paths of the pages that are measured."""
    context = browser.new_context(locale=tag)
    page = context.new_page()
    page.goto(f"{base}/sign-in")
    page.fill("[name=email]", f"{tag}@example.com")
    page.fill("[name=password]", PASSWORD)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url("**/sign-in/factor")
    page.fill("[name=code]", pyotp.TOTP(KEY).now())
    page.locator("[name=code]").press("Enter")
    page.wait_for_url("**/home")
    page.goto(f"{base}/workflows")
    workflow = page.locator("main a.row-title").first.get_attribute("href")
    page.goto(f"{base}/runs")
    run = page.locator("main a.row-title").first.get_attribute("href")
    cookies = context.cookies()
    context.close()
    return cookies, {"sign-in": "/sign-in", "home": "/home", "list": "/runs", "designer": f"{workflow}/design", "run": run}
