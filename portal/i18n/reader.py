"""Who reads the page: one object with the language tag, the direction and the preferences, found once per request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from flask import g, has_app_context
from flask_babel import force_locale

from portal.core import access
from portal.core.access import Access
from portal.core.render import language_in
from portal.i18n import words
from portal.i18n.preferences import Preferences, resolve


@dataclass(frozen=True, slots=True)
class Locale:
    """A language of the portal with how its reader wants things written; `name` is written in its own script.

    Attributes:
        worked_out: what `formats` found for this reader, so that it does not look for it again at each figure of a page.
    """

    tag: str
    dir: str
    name: str
    preferences: Preferences = Preferences()  # noqa: RUF009 - frozen
    worked_out: dict[str, Any] = field(init=False, default_factory=dict, compare=False, repr=False)

    @property
    def other(self) -> Locale:
        """The language that the switch offers."""
        return LOCALES["en" if self.tag == "ar" else "ar"]

    @property
    def numerals(self) -> str:
        """The digits of this page: Arabic-Indic ones only where the page is Arabic."""
        return self.preferences.numerals if self.tag == "ar" else "latn"


LOCALES = {"en": Locale("en", "ltr", "English"), "ar": Locale("ar", "rtl", "العربية")}


def current() -> Locale:
    """Return who reads: the language that is spoken now with the preferences of who is signed in."""
    if not has_app_context():
        return LOCALES["en"]
    kept = vars(g._get_current_object())
    readers: dict[str, Locale] | None = kept.get("readers")
    if readers is None:
        readers = kept["readers"] = {}
    tag = language_in(kept)
    found = readers.get(tag)
    if found is None:
        found = readers[tag] = of(tag, preferences_of(access.current()))
    return found


def of(tag: str, preferences: Preferences) -> Locale:
    """Return the reader of a language with these preferences."""
    return replace(LOCALES[tag], preferences=preferences)


def preferences_of(here: Access | None) -> Preferences:
    """Return the preferences of who is signed in; a visitor has the usual ones."""
    if here is None:
        return Preferences()
    return resolve(here.preferences, here.tenant_preferences, timezone=here.timezone)


@contextmanager
def reading(reader: Locale) -> Iterator[None]:
    """Write as for this reader: for a sample on a page, and for mail to somebody who did not ask for the page."""
    kept = vars(g._get_current_object())
    before: Mapping[str, Any] = {name: kept.get(name) for name in ("readers", "voices")}
    kept["readers"], kept["voices"] = {reader.tag: reader}, words.voices_of(reader.numerals)
    try:
        with force_locale(reader.tag):
            yield
    finally:
        kept.update(before)
