"""Throttle, never lock: what is counted, who is kept out, and who is not."""

from __future__ import annotations

import statistics
import threading
import time

import pytest
from sqlalchemy import text

from portal.core import db
from portal.core.ids import new_id
from portal.identity import throttle
from portal.identity.origin import Origin, browser_of, network_of
from portal.identity.passwords import hash_password
from tests.conftest import PASSWORD
from tests.identity.letters import letters_to


def somewhere():
    """An address of a network of its own."""
    mark = new_id().int
    return f"2001:db8:{mark >> 16 & 0xFFFF:x}:{mark & 0xFFFF:x}::1"


def attempt(app, email, password, *, client=None, address=None):
    given = {"environ_base": {"REMOTE_ADDR": address or somewhere()}}
    return (client or app.test_client()).post("/sign-in", data={"email": email, "password": password}, **given)


def test_after_ten_failures_even_the_right_password_waits_and_nothing_tells(app, tenant):
    email = tenant.email("member")
    wrong = [attempt(app, email, f"wrong {number}") for number in range(10)]

    throttled, unknown = attempt(app, email, PASSWORD), attempt(app, f"nobody-{tenant.id.hex}@example.com", "wrong")

    assert {each.status_code for each in (*wrong, throttled, unknown)} == {422}
    assert _said(throttled) == _said(wrong[0]) == _said(unknown)


def _said(answer):
    page = answer.get_data(as_text=True)
    start = page.index('class="notice-body"')
    return page[start : page.index("</div>", start)]


def test_the_delay_passes_and_doubles(app, tenant):
    assert [throttle.delay_after(number, 10) for number in (0, 9, 10, 11, 12, 17, 500)] == [0, 0, 30, 60, 120, 3600, 3600]
    email = tenant.email("member")
    for number in range(10):
        attempt(app, email, f"wrong {number}")
    _earlier(31)

    assert attempt(app, email, PASSWORD).status_code == 303


def _earlier(seconds):
    with db.transaction() as session:
        session.execute(text("update proof_attempts set at = at - make_interval(secs => :s)"), {"s": seconds})


def test_a_known_device_gets_in_while_strangers_guess(app, tenant):
    email, known = tenant.email("member"), app.test_client()
    assert attempt(app, email, PASSWORD, client=known).status_code == 303
    known.post("/sign-out")
    for number in range(30):
        attempt(app, email, f"wrong {number}")

    assert attempt(app, email, PASSWORD).status_code == 422
    assert attempt(app, email, PASSWORD, client=known).status_code == 303


def test_the_device_of_somebody_else_is_no_known_device(app, tenant):
    email, foreign = tenant.email("member"), app.test_client()
    assert attempt(app, tenant.email("builder"), PASSWORD, client=foreign).status_code == 303
    foreign.post("/sign-out")
    for number in range(10):
        attempt(app, email, f"wrong {number}")

    assert attempt(app, email, PASSWORD, client=foreign).status_code == 422


def test_a_network_that_guesses_at_many_accounts_is_stopped_and_others_are_not(app, tenant):
    address = somewhere()
    with app.app_context():
        tries = [throttle.begin("password", f"account {number} {tenant.id}", Origin(address)).is_allowed for number in range(51)]

        assert tries == [True] * 50 + [False]
        neighbour = address.replace("::1", "::2")
        assert not throttle.begin("password", f"another {tenant.id}", Origin(neighbour)).is_allowed, "the same /64"
        assert throttle.begin("password", f"account 0 {tenant.id}", Origin(somewhere())).is_allowed


def test_fifty_tries_at_once_are_counted_one_by_one(app, tenant):
    allowed: list[bool] = []

    def guess() -> None:
        with app.app_context():
            allowed.append(throttle.begin("password", f"victim {tenant.id}", Origin(somewhere())).is_allowed)

    threads = [threading.Thread(target=guess) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(allowed) == 10


def test_a_right_password_forgets_the_failures(app, tenant):
    email = tenant.email("member")
    for _round in range(3):
        for number in range(9):
            attempt(app, email, f"wrong {number}")
        assert attempt(app, email, PASSWORD).status_code == 303


def test_a_hundred_wrong_passwords_suspend_the_password_until_a_reset(app, tenant):
    email = tenant.email("member")
    with db.transaction() as session:
        session.execute(text("update people set password_failures = 99 where id = :id"), {"id": tenant.people["member"]})

    attempt(app, email, "the hundredth")

    assert attempt(app, email, PASSWORD).status_code == 422
    assert letters_to(email)[-1]["message"] == "password_suspended"


def test_unknown_wrong_and_throttled_take_the_same_time(app, tenant, real_hashes):
    """Medians of seven, in the time that this process itself computed: what else the machine does is not measured."""
    email = tenant.email("member")
    with db.transaction() as session:
        session.execute(
            text("update people set password_hash = :hash where id = any(:ids)"),
            {"hash": hash_password(PASSWORD), "ids": [tenant.people["member"], tenant.people["builder"]]},
        )
    for number in range(10):
        attempt(app, tenant.email("builder"), f"wrong {number}")
    took: dict[str, list[float]] = {"unknown": [], "wrong": [], "throttled": []}
    for number in range(7):
        for kind, address in (
            ("unknown", f"no-{number}-{tenant.id.hex}@example.com"),
            ("wrong", email),
            ("throttled", tenant.email("builder")),
        ):
            began = time.process_time()
            attempt(app, address, f"wrong {number}")
            took[kind].append(time.process_time() - began)

    medians = [statistics.median(each) for each in took.values()]
    assert max(medians) - min(medians) < max(0.05, 0.35 * min(medians)), took


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.9", "203.0.113.9/32"), ("::ffff:203.0.113.9", "203.0.113.9/32"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("no address", "no address")],
)  # fmt: skip
def test_networks(address, network):
    assert network_of(address, v4=32, v6=64) == network


def test_browsers_say_their_names():
    assert browser_of("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1") == (
        "Safari",
        "iPhone",
    )
    assert browser_of("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0") == ("Edge", "Windows")
    assert browser_of("") == ("", "")
