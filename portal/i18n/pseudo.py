"""Pseudo-locales for development: English with accents and longer (en-XA), and English from right to left (ar-XB).

They show, before anybody translates, which text does not come from the catalogue, which place is too narrow, and what does not
mirror. `portal strings --pseudo` writes them from the English catalogue into `var/pseudo`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from portal.core.config import ROOT
from portal.i18n import catalogues

VOICES = ("en-XA", "ar-XB")
FOLDER = ROOT / "var" / "pseudo"
GROWTH = 0.35
_KEPT = re.compile(r"(%\(\w+\)[sd]|%%|<[^>]+>|&[#\w]+;)")
_ACCENTS = str.maketrans("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "àƀçđéƒğĥîĵķļɱñöþǫŕšţûṽŵẋýžÀƁÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽ")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_FILL = "one two three four five six seven eight nine ten eleven twelve"


def accented(text: str) -> str:
    """Return a text with accents, in brackets, a third longer; placeholders and tags stay."""
    parts = _KEPT.split(text)
    said = "".join(part if place % 2 else part.translate(_ACCENTS) for place, part in enumerate(parts))
    letters = sum(len(part) for part in parts[::2])
    return f"[{said} {_FILL.translate(_ACCENTS)[: max(1, round(letters * GROWTH))].strip()}]"


def mirrored(text: str) -> str:
    """Return a text whose words are written from right to left; placeholders and tags stay."""
    parts = _KEPT.split(text)
    return "".join(part if place % 2 else _WORD.sub("\u202e\\g<0>\u202c", part) for place, part in enumerate(parts))


def write() -> None:
    """Write both catalogues from the English one."""
    with catalogues.po_path("en").open("rb") as file:
        english = read_po(file, locale="en")
    for voice, change in zip(VOICES, (accented, mirrored), strict=True):
        target = _path(voice)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            write_mo(file, _changed(english, change))
    catalogue.cache_clear()


@lru_cache(maxsize=len(VOICES))
def catalogue(voice: str) -> NullTranslations:
    """Return a pseudo-locale's catalogue, written first where it is not there or older than the English one."""
    path = _path(voice)
    if not path.exists() or path.stat().st_mtime < catalogues.po_path("en").stat().st_mtime:
        write()
    with path.open("rb") as file:
        return Translations(file)


def _path(voice: str) -> Path:
    return FOLDER / f"{voice}.mo"


def _changed(english: Catalog, change: Callable[[str], str]) -> Catalog:
    made = Catalog(locale="en", charset="utf-8")
    for message in english:
        if message.id:
            made.add(message.id, _strings(message, change))
    return made


def _strings(message: Message, change: Callable[[str], str]) -> str | tuple[str, ...]:
    return change(message.string) if isinstance(message.string, str) else tuple(change(each) for each in message.string or ())
