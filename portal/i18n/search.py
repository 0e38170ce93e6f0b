"""Fold text for search, sorting and comparison: the same Arabic word in its usual spellings becomes one key. Pure."""

from __future__ import annotations

import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, and_

from portal.core.digits import ascii_digits

__all__ = ["APART", "ascii_digits", "contains", "fold", "holds_words", "key"]

# Harakat, Quranic marks, superscript alef, tatweel, bidi controls, joiners, soft hyphen: seen or unseen, they tell no two words apart.
_DROPPED = [
    *range(0x610, 0x61B), *range(0x64B, 0x660), 0x670, *range(0x6D6, 0x6DD), *range(0x6DF, 0x6E5), 0x6E7, 0x6E8, *range(0x6EA, 0x6EE),
    0x640, 0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0x61C, 0xFEFF,
]  # fmt: skip
_DIGITS = {chr(start + i): str(i) for start in (0x660, 0x6F0) for i in range(10)}
_LETTERS = {
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ئ": "ي", "ؤ": "و", "ة": "ه", "ک": "ك", "ی": "ي", "ے": "ي", "ہ": "ه", "ۀ": "ه",
    "ە": "ه", "ھ": "ه", "ۃ": "ه",
}  # fmt: skip
APART = "\x1f"  # folding makes a blank of it, so no text that is looked for has it
_FOLD = str.maketrans({**_LETTERS, **_DIGITS, "٫": ".", "٬": ",", **{chr(each): None for each in _DROPPED}})


def fold(text: str) -> str:
    """Return the search and sort key of a text; folding a key changes nothing."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(unicodedata.normalize("NFKC", plain.translate(_FOLD)).split())


def key(*texts: str | None) -> str:
    """Return the key of a thing by its names in their order: what is stored beside them, searched and sorted by.

    The names stand apart, so nothing is found across two of them, and each can be sorted by.
    """
    return APART.join(fold(text or "") for text in texts)


def contains(text: str) -> str:
    """Return the LIKE pattern for keys that contain a text; its own % and _ stand for themselves."""
    escaped = fold(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def holds_words(text: str, column: Any) -> ColumnElement[bool]:
    """Return the SQL condition that each word of a text stands in a column of keys."""
    return and_(*(column.like(contains(word)) for word in fold(text).split()))
