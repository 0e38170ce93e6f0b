"""How secrets are spelled, and the networks they are good from."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.identity.tokens import networks, spelling


def test_a_token_is_spelled_as_promised():
    made = spelling.new(spelling.PERSONAL, "production")

    assert re.fullmatch(r"wfp_live_[0-9A-Za-z]{36}", made)
    assert spelling.is_spelled_right(made, spelling.PERSONAL)
    assert not spelling.is_spelled_right(made, spelling.REFRESH)
    assert len({spelling.new(spelling.PERSONAL, "test") for _ in range(200)}) == 200


def test_the_checksum_is_crc32_in_base62():
    # Worked out once by hand with another program: zlib.crc32(b"wfp_test_" + b"0" * 30) = 3519443180.
    import zlib

    body = "wfp_test_" + "0" * 30
    number, written = zlib.crc32(body.encode()), ""
    while number:
        written, number = spelling.DIGITS[number % 62] + written, number // 62

    assert spelling.is_spelled_right(body + written.rjust(6, "0"))


@given(st.integers(0, 44), st.sampled_from(spelling.DIGITS))
def test_one_wrong_character_is_seen(place, other):
    made = spelling.new(spelling.ACCESS, "test")
    changed = made[:place] + other + made[place + 1 :]

    assert spelling.is_spelled_right(changed) == (changed == made)


@given(st.text())
def test_no_text_breaks_it(text):
    spelling.is_spelled_right(text)
    assert spelling.find(text) == []


def test_tokens_are_found_in_what_people_paste():
    one, two = spelling.new(spelling.PERSONAL, "test"), spelling.new(spelling.REFRESH, "test")

    assert spelling.find(f'TOKEN="{one}"\nurl: https://x/?t={two}&a=1 {one} wfp_test_{"a" * 36} x{one}') == [one, two]


def test_little_of_a_token_is_shown():
    made = spelling.new(spelling.PERSONAL, "test")

    assert made.startswith(spelling.shown(made))
    assert len(spelling.shown(made)) == len("wfp_test_") + 4


@pytest.mark.parametrize(
    ("typed", "kept", "wrong"),
    [
        ("", [], []),
        ("192.0.2.0/24\n2001:db8::/32", ["192.0.2.0/24", "2001:db8::/32"], []),
        ("192.0.2.7, ٢٠٣.٠.١١٣.٥؛ 2001:DB8:0::1", ["192.0.2.7/32", "203.0.113.5/32", "2001:db8::1/128"], []),
        ("::ffff:192.0.2.0/120 192.0.2.0/24", ["192.0.2.0/24"], []),
        ("10.1.2.3/8 10.0.0.0/33 home <b> 10.0.0.0/8", ["10.0.0.0/8"], ["10.1.2.3/8", "10.0.0.0/33", "home", "<b>"]),
        ("1" * 500, [], ["1" * 64]),
    ],
)
def test_networks_are_read_and_wrong_ones_named(typed, kept, wrong):
    assert networks.read(typed) == (kept, wrong)


@given(st.text())
def test_no_network_breaks_it(text):
    networks.read(text)
    networks.holds(["10.0.0.0/8"], text)


@pytest.mark.parametrize(
    ("listed", "address", "expected"),
    [
        ([], "203.0.113.9", True),
        (["192.0.2.0/24"], "192.0.2.255", True),
        (["192.0.2.0/24"], "192.0.3.0", False),
        (["192.0.2.0/24"], "::ffff:192.0.2.1", True),
        (["2001:db8::/32"], "2001:db8:ffff::1", True),
        (["2001:db8::/32"], "2001:db9::1", False),
        (["fe80::/10"], "fe80::1%eth0", True),
        (["192.0.2.0/24"], "", False),
    ],
)
def test_an_address_stands_in_a_network_or_not(listed, address, expected):
    assert networks.holds(listed, address) is expected
