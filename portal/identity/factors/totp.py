"""Codes of authenticator apps (RFC 6238: SHA-1, six digits, half a minute), as every app knows them. Pure."""

from __future__ import annotations

import hmac
import re

import pyotp

from portal.core.digits import ascii_digits

STEP_S = 30
# One step to either side: for the time it takes to type, and for clocks that are a little wrong.
DRIFT = 1
# How far a clock is looked for when an app is added, only to say that it is wrong: 20 minutes.
FAR = 40
_CODE = re.compile(r"\d{6}\Z", re.ASCII)
_BLANKS = re.compile(r"[\s\-\u200e\u200f\u061c\u2066-\u2069]+")


def new_secret() -> str:
    """Return a random key of 160 bits in base 32."""
    return pyotp.random_base32()


def address(secret: str, *, account: str, issuer: str) -> str:
    """Return the address that an app reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def grouped(secret: str) -> str:
    """Return the key in groups of four, to be typed by hand."""
    return " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))


def read_code(written: str) -> str:
    """Return the six digits of a code typed with any digits and any blanks; empty if it is none."""
    plain = _BLANKS.sub("", ascii_digits(written))
    return plain if _CODE.match(plain) else ""


def code_at(secret: str, step: int) -> str:
    """Return the code of one half minute since 1970."""
    return pyotp.HOTP(secret).at(step)


def matching_step(secret: str, code: str, *, now_s: float, after: int | None) -> int | None:
    """Return the half minute that a code belongs to, if it is now, the one before or the one after, and later than `after`."""
    present = int(now_s) // STEP_S
    found = None
    for step in range(present - DRIFT, present + DRIFT + 1):
        # All are tried, always: the time this takes tells nothing.
        if hmac.compare_digest(code_at(secret, step), code) and (after is None or step > after):
            found = step
    return found


def minutes_off(secret: str, code: str, *, now_s: float) -> int:
    """Return how many minutes a device's clock seems to be wrong, at least 1; 0 if the code is none of the last or next 20 minutes."""
    present = int(now_s) // STEP_S
    for distance in range(DRIFT + 1, FAR + 1):
        if any(hmac.compare_digest(code_at(secret, present + side * distance), code) for side in (-1, 1)):
            return max(1, round(distance * STEP_S / 60))
    return 0


def next_code(secret: str, *, now_s: float, after: int) -> str:
    """Return the earliest code that would be taken now, given the last half minute that was; empty when that is the next one already."""
    present = int(now_s) // STEP_S
    step = max(present, after + 1)
    return code_at(secret, step) if step <= present + DRIFT else ""
