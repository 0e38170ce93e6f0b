"""Codes, keys and rules by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from portal.identity.factors import policy, qr, recovery, totp

KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOW = 1_800_000_000
STEP = NOW // 30


@pytest.mark.parametrize(
    "written", ["123456", " 123 456 ", "123-456", "١٢٣٤٥٦", "۱۲۳ ۴۵۶", "\u2067١٢٣\u00a0٤٥٦\u2069", "١٢٣\u202f456"],
    ids=["plain", "blanks", "hyphen", "arabic", "persian", "isolated", "mixed"],
)  # fmt: skip
def test_a_code_is_read_however_it_is_typed(written):
    assert totp.read_code(written) == "123456"


@pytest.mark.parametrize("written", ["", "12345", "1234567", "12345a", "१२३४५६", "12.3456", "1" * 10_000])
def test_what_is_no_code_is_none(written):
    assert totp.read_code(written) == ""


@pytest.mark.parametrize(("drift", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_to_either_side_is_taken(drift, taken):
    found = totp.matching_step(KEY, totp.code_at(KEY, STEP + drift), now_s=NOW, after=None)
    assert found == (STEP + drift if taken else None)


def test_a_step_that_was_taken_is_not_taken_again_nor_one_before_it():
    for drift in (-1, 0):
        assert totp.matching_step(KEY, totp.code_at(KEY, STEP + drift), now_s=NOW, after=STEP) is None
    assert totp.matching_step(KEY, totp.code_at(KEY, STEP + 1), now_s=NOW, after=STEP) == STEP + 1


@pytest.mark.parametrize(("steps", "minutes"), [(2, 1), (-6, 3), (20, 10), (-40, 20), (41, 0), (1, 0)])
def test_a_wrong_clock_is_known_by_its_minutes(steps, minutes):
    assert totp.minutes_off(KEY, totp.code_at(KEY, STEP + steps), now_s=NOW) == minutes


def test_the_next_code_is_one_that_would_be_taken():
    assert totp.next_code(KEY, now_s=NOW, after=0) == totp.code_at(KEY, STEP)
    assert totp.next_code(KEY, now_s=NOW, after=STEP) == totp.code_at(KEY, STEP + 1)
    assert totp.next_code(KEY, now_s=NOW, after=STEP + 1) == ""


def test_the_picture_has_no_style_and_no_script():
    made = qr.picture(totp.address(KEY, account="سلمى@example.com", issuer="نسيج"))
    assert made.startswith("<svg") and "style" not in made and "script" not in made


def test_recovery_codes_are_long_and_differ():
    codes = recovery.new_codes()
    assert len(set(codes)) == 10
    assert all(len(recovery.read_code(code)) * 5 >= 112 for code in codes)


@pytest.mark.parametrize(
    "written",
    [
        "ABCD 0123 efgh 4567 jkmn 89pq", "abcd-O1I3-efgh-4567-jkmn-89pq".replace("I", "2"), "abcd٠١٢٣efgh٤٥٦٧jkmn٨٩pq",
        " abcd--0123--efgh 4567 jkmn89pq\n",
    ],
)  # fmt: skip
def test_a_recovery_code_is_read_however_it_is_typed(written):
    assert recovery.read_code(written) == "abcd0123efgh4567jkmn89pq"


@pytest.mark.parametrize("written", ["", "abcd", "abcd-0123-efgh-4567-jkmn-89pu", "abcd-0123-efgh-4567", "a" * 100_000])
def test_what_is_no_recovery_code_is_none(written):
    assert recovery.read_code(written) == ""


def test_the_same_code_of_two_people_is_kept_differently():
    assert recovery.code_hash(UUID(int=1), "abcd-0123-efgh-4567-jkmn-89pq") != recovery.code_hash(
        UUID(int=2), "abcd-0123-efgh-4567-jkmn-89pq"
    )


AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ASKED = {"factor": "required", "factor_since": (AT - timedelta(days=5)).isoformat()}


@pytest.mark.parametrize(
    ("role", "rules", "joined_days", "left"),
    [("owner", {}, 100, 0), ("admin", {}, 0, 0), ("member", {}, 100, None), ("member", {"factor": "off"}, 100, None),
     ("member", ASKED, 100, 2), ("auditor", ASKED, 1, 6), ("builder", {"factor": "required"}, 8, 0)],
    ids=["owner", "new admin", "nothing asked", "off", "rule is younger", "person is younger", "grace is over"],
)  # fmt: skip
def test_who_must_have_a_second_step_and_when(role, rules, joined_days, left):
    demand = policy.demand_of(role, rules, joined_at=AT - timedelta(days=joined_days))
    assert (demand.days_left(AT) if demand else None) == left
    assert demand is None or demand.is_due(AT) == (left == 0)
    assert policy.is_required(role, rules) == (left is not None)
