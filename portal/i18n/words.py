"""`_()` and `ngettext()`, in templates, forms and formats: the catalogue is looked up once per language, not once per word.

A list page says some hundreds of words; going through Flask-Babel's request lookups for each costs more than the rest of the page.
It is also the one place that knows how a reader wants a language written: with Arabic-Indic digits, or as a pseudo-locale.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from babel.support import NullTranslations
from flask import Flask, has_app_context
from flask_babel import get_translations
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from portal.core.render import find_voices, voice
from portal.core.words import Message
from portal.i18n import pseudo

_catalogues: dict[str, NullTranslations] = {}
_HOLE = re.compile(r"(%\(\w+\)[sd]|%%|<[^>]+>|&[#\w]+;)")
_LATIN = re.compile("[A-Za-z]")
ARABIC_DIGITS: dict[int, int] = str.maketrans("0123456789%", "٠١٢٣٤٥٦٧٨٩٪")
# A voice is a language as this reader wants it said: "ar", "ar+arab" (with ٠١٢), "en", or a pseudo-locale.
WITH_ARABIC_DIGITS = "ar+arab"


def init_app(app: Flask, voices: Callable[[], dict[str, str]]) -> None:
    """Let the templates of this application speak through this module.

    Args:
        voices: says language → voice for the reader of this request, where they differ.
    """
    find_voices[:] = [voices]
    app.jinja_env.globals.update(_=translated, gettext=translated, ngettext=counted)


def gettext(message: str, **values: Any) -> str:
    """Return a message in the reader's language, or in the one that `force_locale` set, with its named values put in."""
    if not has_app_context():  # a rule of a pure module, read by a test or a program: nobody speaks a language
        return message % values if values else message
    speaking = voice()
    text = str(_text(speaking, message))
    return text % _said(speaking, values) if values else text


def ngettext(singular: str, plural: str, number: int, **values: Any) -> str:
    """Return the form of a message that fits a number; `num` is put in as one of the values."""
    speaking = voice()
    values.setdefault("num", number)
    return _form(speaking, singular, plural, number) % _said(speaking, values)


def lazy_gettext(message: str, **values: Any) -> Message:
    """Return a message that is said when it is read, in the language of who reads it."""
    return Message(gettext, message, **values)


@pass_eval_context
def translated(evaluation: EvalContext, message: str, **values: Any) -> str:
    """Return a message in the reader's language with its named values put in, escaped where the template is HTML."""
    speaking = voice()
    whole = _text(speaking, message)
    if not evaluation.autoescape:
        return str(whole) % _said(speaking, values)
    return whole % _said(speaking, values) if values or "%" in whole else whole


@pass_eval_context
def counted(evaluation: EvalContext, singular: str, plural: str, number: int, **values: Any) -> str:
    """Return the form of a message that fits a number; `num` is put in as one of the values."""
    speaking = voice()
    text = _form(speaking, singular, plural, number)
    values.setdefault("num", number)
    return (Markup(text) if evaluation.autoescape else text) % _said(speaking, values)  # noqa: S704 - as below


@lru_cache(maxsize=8192)
def _text(speaking: str, message: str) -> Markup:
    return Markup(_written(speaking, _of(speaking).gettext(message)))  # noqa: S704 - the catalogue is ours; values are escaped when they are put in


def _form(speaking: str, singular: str, plural: str, number: int) -> str:
    return _written(speaking, _of(speaking).ngettext(singular, plural, number))


def voices_of(numerals: str) -> dict[str, str]:
    """Return language → voice for a reader of these digits."""
    return {"ar": WITH_ARABIC_DIGITS} if numerals == "arab" else {}


def _of(speaking: str) -> NullTranslations:
    found = _catalogues.get(speaking)
    if found is None:
        found = _catalogues[speaking] = pseudo.catalogue(speaking) if speaking in pseudo.VOICES else get_translations()
    return found


@lru_cache(maxsize=8192)
def _written(speaking: str, text: str) -> str:
    """Return a text of the catalogue in the digits of the voice; one with a Latin word in it is a term, which keeps its own."""
    if speaking != WITH_ARABIC_DIGITS:
        return text
    parts = _HOLE.split(text)
    has_term = any(_LATIN.search(part) for part in parts[::2])
    said = [part if has_term else part.translate(ARABIC_DIGITS) for part in parts[::2]]
    holes = [f"{hole[:-1]}s" if hole.startswith("%(") else hole for hole in parts[1::2]]
    return "".join(each for pair in zip_longest(said, holes, fillvalue="") for each in pair)


def _said(speaking: str, values: dict[str, Any]) -> dict[str, Any]:
    if speaking != WITH_ARABIC_DIGITS:
        return values
    return {name: f"{value:,}".translate(_SEPARATED) if type(value) is int else value for name, value in values.items()}


_SEPARATED = {**ARABIC_DIGITS, ord(","): ord("٬")}
