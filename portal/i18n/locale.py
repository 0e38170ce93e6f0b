"""The language of a request, chosen by the person, the cookie or the browser; names in both languages."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask, current_app, g, has_request_context, request
from flask_babel import Babel
from jinja2 import pass_context
from jinja2.runtime import Context

from portal.core import access
from portal.i18n import catalogues, formats, pseudo, words
from portal.i18n.reader import LOCALES, Locale, current, preferences_of
from portal.i18n.technical import has_arabic, set_apart

__all__ = ["LOCALES", "Locale", "bilingual", "chosen_tag", "current", "init_app", "known", "plain_name"]

DEFAULT = "en"
babel = Babel()


def init_app(app: Flask) -> None:
    """Choose a locale for each request, and put it and the formats into every template."""
    catalogues.ensure_compiled()
    babel.init_app(
        app,
        default_locale=DEFAULT,
        default_translation_directories=str(catalogues.FOLDER),
        locale_selector=chosen_tag,
    )
    app.jinja_env.add_extension("jinja2.ext.i18n")
    words.init_app(app, _voices)
    app.jinja_env.filters.update({name: _for_each_reader(written) for name, written in formats.FILTERS.items()})
    app.jinja_env.filters["set_apart"] = _for_each_reader(
        lambda sentence: set_apart(sentence) if current().dir == "rtl" or has_arabic(sentence) else sentence
    )
    app.jinja_env.globals.update(bilingual=bilingual, named=named, plain_name=plain_name, reader=current, money_of=formats.money)
    app.context_processor(lambda: {"locale": _shown()})


def _for_each_reader(written: Callable[..., Any]) -> Callable[..., Any]:
    """Keep Jinja from working out `32 | number` when it reads a template: everybody would see what the first reader's language made of it."""

    @pass_context
    def anew(_context: Context, *values: Any, **named: Any) -> Any:
        return written(*values, **named)

    return anew


def known(tag: str | None) -> str:
    """Return the tag if it is a language of the portal, else the default."""
    return tag if tag in LOCALES else DEFAULT


def known_or_none(tag: str | None) -> str | None:
    """Return the tag if it is a language of the portal."""
    return tag if tag in LOCALES else None


def chosen_tag() -> str:
    """The person's choice, else the cookie's, else the organisation's, else the browser's, else English."""
    if not has_request_context():
        return DEFAULT
    if "locale_tag" not in g:
        here = access.current()
        house = access.worn()
        chosen = (here.locale if here else None) or known_or_none(request.cookies.get("locale")) or (house and house.look.get("locale"))
        if chosen_pseudo():
            chosen = "en"
        if chosen not in LOCALES:
            chosen = request.accept_languages.best_match(list(LOCALES), DEFAULT)
        g.locale_tag = chosen
    tag: str = g.locale_tag
    return tag


def _voices() -> dict[str, str]:
    """Say how each language is spoken to who is asking: with their digits, or in development as a pseudo-locale."""
    if chosen := chosen_pseudo():
        return {"en": chosen, "ar": chosen}
    here = access.current()
    return words.voices_of(preferences_of(here).numerals) if here else {}


def chosen_pseudo() -> str:
    """Return the pseudo-locale that the cookie names, in development and tests; else an empty text."""
    if not has_request_context() or not current_app.config["PSEUDO_LOCALES"]:
        return ""
    chosen = request.cookies.get("pseudo", "")
    return chosen if chosen in pseudo.VOICES else ""


def _shown() -> Locale:
    """Return the reader as templates know them; a pseudo-locale has the language of English and a direction of its own."""
    chosen = chosen_pseudo()
    if not chosen:
        return current()
    return replace(current(), tag="en", dir="rtl" if chosen == "ar-XB" else "ltr")


@dataclass(frozen=True, slots=True)
class Named:
    """A text that a person wrote, its language and direction, and whether it is not the one that the reader reads."""

    text: str
    lang: str
    dir: str
    is_other: bool


def named(thing: object, field: str = "name") -> Named:
    """Return a thing's name (or another field) in the reader's language, else in the one it has, and say which that is."""
    text, tag = bilingual(thing, field), current().tag
    lang = language_of(text) or tag
    # A Latin word in the Arabic field is somebody's wish (a brand); Arabic in the English field says that there is no English.
    has_own = bool(_read(thing, f"{field}_ar" if tag == "ar" else field))
    return Named(text, lang, LOCALES[lang].dir, lang != tag and not (has_own and lang == "en"))


def language_of(text: str) -> str:
    """Return the language a text is written in, by its first letter: `ar` for Arabic script, `en` for another; empty without letters.

    People write Arabic into the field for English, too: what was written counts, not where.
    """
    first = next((kind for kind in map(unicodedata.bidirectional, text) if kind in ("L", "R", "AL")), "")
    return {"": "", "AL": "ar"}.get(first, "en")


def bilingual(thing: object, field: str = "name") -> str:
    """Return a thing's name (or another field) in the reader's language, else in the one it has, as plain text."""
    english, arabic = _read(thing, field), _read(thing, f"{field}_ar")
    return (arabic or english or "") if current().tag == "ar" else (english or arabic or "")


def plain_name(thing: object, field: str = "name") -> str:
    """Return the same for a plain place (title, aria-label, option), set apart from the direction around it."""
    return formats.isolate(bilingual(thing, field))


def _read(thing: object, field: str) -> str | None:
    found = thing.get(field) if isinstance(thing, dict) else getattr(thing, field, None)
    return str(found) if found else None
