"""Numbers as people type them: both sets of Arabic digits, their separators, and what may stand between thousands. Pure."""

from __future__ import annotations

import re

_DIGITS = {chr(start + i): str(i) for start in (0x660, 0x6F0) for i in range(10)}
_ASCII = str.maketrans({**_DIGITS, "٫": ".", "٬": ",", "−": "-", "٪": "%"})
# Signs that people or copied text put around digits; none of them tells two numbers apart.
_BLANKS = dict.fromkeys(map(ord, " \u00a0\u202f\u2009\u200e\u200f\u061c\u2066\u2067\u2068\u2069'’"))
_NUMBER = re.compile(r"(?P<sign>[+-]?)(?P<whole>\d{0,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.(?P<part>\d{1,15}))?\Z", re.ASCII)


def ascii_digits(text: str) -> str:
    """Return the text with Arabic-Indic and Persian digits and separators as ASCII ones."""
    return text.translate(_ASCII)


def read_number(text: str) -> int | float | None:
    """Read a number typed with any digits: 1234.5, 1,234.5, ١٬٢٣٤٫٥, ۱۲۳; None if it is none.

    A comma stands between thousands only: "1,5" is refused, because it would be fifteen to one reader and one and a half to another.
    The dot, or ٫, begins the part after the whole.
    """
    plain = ascii_digits(text).replace("،", ",").translate(_BLANKS)
    plain = f"-{plain[:-1]}" if plain.endswith("-") else plain  # how some Arabic keyboards and sheets write a negative number
    found = _NUMBER.match(plain)
    if found is None or not (found["whole"] or found["part"]):
        return None
    whole, part = found["whole"].replace(",", "") or "0", found["part"]
    return float(f"{found['sign']}{whole}.{part}") if part else int(found["sign"] + whole)


def whole_or(text: str, *, usual: int | None) -> int | None:
    """Read a whole number of a form, `usual` where nothing was typed; what is none comes back as -1, which no bound allows."""
    typed = ascii_digits(text).strip()
    return (int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 9 else -1) if typed else usual
