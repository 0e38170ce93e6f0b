"""How long signing in takes, through a real web server: the whole request, its share of Argon2, and whether time tells who exists.

Prints a table; the last line's value is the median of the request as a multiple of the bare hash in the same run. Goals: at most 2 of
it, and medians of unknown, wrong, throttled and locked within 50 ms.
"""

from __future__ import annotations

import http.client
import re
import statistics
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from pages import served
from peers import report

PASSWORD = "bench bench bench bench"
SIGN_INS, PAGES, HASHES, GUESSES = 100, 100, 30, 15
WITHIN_MS = 50
ACCOUNTS = 3  # so that no account is guessed at more than nine times


class Client:
    """A browser in few lines: cookies, the form's token, one connection."""

    def __init__(self, base: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str, float]:
        """Return status, text and how many milliseconds it took."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), "User-Agent": "bench"}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.perf_counter()
        self.connection.request(method, path, urlencode(form) if form is not None else None, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        took_ms = (time.perf_counter() - began) * 1000
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _is, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return answer.status, text, took_ms

    def sign_in(self, email: str, password: str) -> tuple[int, float]:
        """Open the page, then send the form; the time is the form's alone."""
        _status, page, _took = self.ask("GET", "/sign-in")
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found, page[:300]
        status, _page, took_ms = self.ask("POST", "/sign-in", {"csrf_token": found[1], "email": email, "password": password})
        return status, took_ms


def main() -> None:
    with served(["en"]) as base:
        people(base)
        client = Client(base)
        signed_in = [one_sign_in(client) for _ in range(SIGN_INS)]
        pages = [Client(base).ask("GET", "/sign-in")[2] for _ in range(PAGES)]
        hashes = [bare_hash() for _ in range(HASHES)]
        refused = guesses(base)
    p50, p99 = statistics.median(signed_in), statistics.quantiles(signed_in, n=100)[98]
    bare, page = statistics.median(hashes), statistics.median(pages)
    print(f"signing in      p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   ({SIGN_INS} times)")
    print(f"the bare hash   p50 {bare:6.1f} ms   {bare / p50:.0%} of it")
    print(f"the bare page   p50 {page:6.1f} ms   {page / p50:.0%} of it")
    medians = {kind: statistics.median(took) for kind, took in refused.items()}
    for kind, took in refused.items():
        print(f"{kind:<15} p50 {medians[kind]:6.1f} ms   ({len(took)} times)")
    apart = max(medians.values()) - min(medians.values())
    print(f"apart           {apart:.1f} ms (at most {WITHIN_MS})")
    report("sign_in", p50 / bare, "× the bare hash", goal="≤ 2, refusals within 50 ms", peer=bare, ratio=p50 / bare,
           ok=p50 / bare <= 2 and apart <= WITHIN_MS, p50_ms=p50, p99_ms=p99, argon2_share=bare / p50, page_ms=page, apart_ms=apart,
           **{f"{kind}_ms": each for kind, each in medians.items()})  # fmt: skip


def one_sign_in(client: Client) -> float:
    """Sign in with a device that is known, as people do every day."""
    client.cookies.pop("sid", None)
    status, took_ms = client.sign_in("plain@example.com", PASSWORD)
    assert status == 303, status
    return took_ms


def bare_hash() -> float:
    from portal.identity.passwords import hash_password, verify_password

    stored = _once(lambda: hash_password(PASSWORD))
    began = time.perf_counter()
    assert verify_password(stored, PASSWORD)
    return (time.perf_counter() - began) * 1000


_kept: list[str] = []


def _once(make: Callable[[], str]) -> str:
    if not _kept:
        _kept.append(make())
    return _kept[0]


def people(base: str) -> None:
    """Add who signs in, whose passwords are guessed, who is throttled, and who is locked by their organisation's rule."""
    from portal.core import db
    from portal.core.access import SYSTEM
    from portal.identity import lockout, throttle
    from portal.identity import service as identity
    from portal.identity.origin import Origin
    from portal.tenants import service as tenants

    strict = tenants.add_tenant("strict", name="Strict", name_ar=None)
    tenant_id = tenants.add_tenant("plain", name="Plain", name_ar=None)
    for name in ("plain", "throttled", *(f"wrong{number}" for number in range(ACCOUNTS))):
        _add(identity, tenant_id, name)
    _add(identity, strict, "locked")
    with db.transaction(strict):
        lockout.save_rule(strict, lockout.Rule(3, 15, 60), by=SYSTEM)
    for number in range(3):
        _refuse(identity, "locked@example.com", Origin(f"198.51.100.{number}"))
    for number in range(10):
        throttle.begin("password", "throttled@example.com", Origin(f"203.0.113.{number}"))


def _add(identity: Any, tenant_id: Any, name: str) -> None:
    from portal.core import db
    from portal.core.access import SYSTEM

    person = identity.add_person(f"{name}@example.com", name=name, name_ar=None, password=PASSWORD)
    with db.unit_of_work(tenant_id):
        identity.add_member(tenant_id, person, "member", by=SYSTEM)


def _refuse(identity: Any, email: str, origin: Any) -> None:
    from portal.identity.errors import SignInRefused

    try:
        identity.sign_in(email, "wrong", origin)
    except SignInRefused:
        return
    raise SystemExit("a wrong password was taken")


def guesses(base: str) -> dict[str, list[float]]:
    """Guess in turn, so that whatever else the machine does meets all kinds alike."""
    took: dict[str, list[float]] = {"unknown": [], "wrong": [], "throttled": [], "locked": []}
    for number in range(GUESSES):
        kinds = {
            "unknown": f"nobody{number}@example.com", "wrong": f"wrong{number % ACCOUNTS}@example.com", "throttled": "throttled@example.com",
            "locked": "locked@example.com",
        }  # fmt: skip
        for kind, email in kinds.items():
            status, took_ms = Client(base).sign_in(email, f"guess {number}")
            assert status == 422, (kind, status)
            took[kind].append(took_ms)
    return took


if __name__ == "__main__":
    main()
