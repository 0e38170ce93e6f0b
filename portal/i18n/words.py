"""`_()` and `ngettext()`, in templates and formats: the catalogue is looked up once per language, not once per word.

A list page says some hundreds of words; going through Flask-Babel's request lookups for each costs more than the rest of the page.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from babel.support import NullTranslations
from flask import Flask
from flask_babel import get_translations
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup

from portal.core.render import language

_catalogues: dict[str, NullTranslations] = {}


def init_app(app: Flask) -> None:
    """Let the templates of this application speak through this module."""
    app.jinja_env.globals.update(_=translated, gettext=translated, ngettext=counted)


def gettext(message: str, **values: Any) -> str:
    """Return a message in the reader's language, or in the one that `force_locale` set, with its named values put in."""
    text = _of(language()).gettext(message)
    return text % values if values else text


def ngettext(singular: str, plural: str, number: int, **values: Any) -> str:
    """Return the form of a message that fits a number; `num` is put in as one of the values."""
    values.setdefault("num", number)
    return _of(language()).ngettext(singular, plural, number) % values


@pass_eval_context
def translated(evaluation: EvalContext, message: str, **values: Any) -> str:
    """Return a message in the reader's language with its named values put in, escaped where the template is HTML."""
    whole = _text(language(), message)
    if not evaluation.autoescape:
        return str(whole) % values
    return whole % values if values or "%" in whole else whole


@pass_eval_context
def counted(evaluation: EvalContext, singular: str, plural: str, number: int, **values: Any) -> str:
    """Return the form of a message that fits a number; `num` is put in as one of the values."""
    text = _of(language()).ngettext(singular, plural, number)
    values.setdefault("num", number)
    return (Markup(text) if evaluation.autoescape else text) % values  # noqa: S704 - as below


@lru_cache(maxsize=8192)
def _text(tag: str, message: str) -> Markup:
    return Markup(_of(tag).gettext(message))  # noqa: S704 - the catalogue is ours; values are escaped when they are put in


def _of(tag: str) -> NullTranslations:
    found = _catalogues.get(tag)
    if found is None:
        found = _catalogues[tag] = get_translations()
    return found
