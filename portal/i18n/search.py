"""Fold text for search, sorting and comparison: the same Arabic word in its usual spellings becomes one key. Pure."""

from __future__ import annotations

import unicodedata
from typing import Any

from flask_babel import force_locale
from flask_babel.speaklater import LazyString
from sqlalchemy import ColumnElement, and_, func, literal_column, or_

from portal.core.palette import Entry, Kind

# Harakat, superscript alef, tatweel, bidi controls, joiners: seen or unseen, they never tell two words apart.
_DROPPED = [*range(0x64B, 0x660), 0x670, 0x640, 0x200C, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x61C]
_DIGITS = {chr(start + i): str(i) for start in (0x660, 0x6F0) for i in range(10)}
_LETTERS = {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ئ": "ي", "ؤ": "و", "ة": "ه", "ک": "ك", "ی": "ي"}
_SQL_FROM = "".join([*_LETTERS, *_DIGITS, *map(chr, _DROPPED)])
_SQL_TO = "".join([*_LETTERS.values(), *_DIGITS.values()])
_FOLD = str.maketrans({**_LETTERS, **_DIGITS, **{chr(each): None for each in _DROPPED}})
_ASCII = str.maketrans({**_DIGITS, "٫": ".", "٬": ",", "−": "-"})


def fold(text: str) -> str:
    """Return the search and sort key of a text."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().translate(_FOLD).split())


def folded(column: Any) -> ColumnElement[str]:
    """Return the SQL that folds a text column as `fold` does."""
    plain = func.translate(func.replace(func.lower(func.normalize(column, literal_column("NFKC"))), "ß", "ss"), _SQL_FROM, _SQL_TO)
    return func.btrim(func.regexp_replace(plain, r"\s+", " ", "g"))


def holds_words(text: str, *columns: Any) -> ColumnElement[bool]:
    """Return the SQL condition that each word of a folded text stands in one of the columns."""
    keys = [folded(column) for column in columns]
    return and_(*(or_(*(key.contains(word, autoescape=True) for key in keys)) for word in text.split()))


def entry(kind: Kind, text: LazyString, icon: str, url: str = "", *, also: LazyString | None = None, **more: Any) -> Entry:
    """Return a line of the palette that is found by its name, and by `also`, in every language of the portal."""
    return Entry(kind, str(text), icon, url, words=tuple(_in_each_language(text, also)), **more)


def _in_each_language(*texts: LazyString | None) -> list[str]:
    found = []
    for tag in ("ar", "en"):
        with force_locale(tag):
            found += [str(text) for text in texts if text is not None]
    return found


def ascii_digits(text: str) -> str:
    """Return the text with Arabic-Indic and Persian digits and separators as ASCII ones."""
    return text.translate(_ASCII)
