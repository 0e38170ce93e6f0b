"""One locale object: the language tag and its direction, chosen by the person, the cookie or the browser."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, g, has_request_context, request
from flask_babel import Babel

from portal.core import access
from portal.core.render import language
from portal.i18n import catalogues, formats, words


@dataclass(frozen=True, slots=True)
class Locale:
    """A language of the portal; `name` is written in its own script."""

    tag: str
    dir: str
    name: str

    @property
    def other(self) -> Locale:
        """The language that the switch offers."""
        return LOCALES["en" if self.tag == "ar" else "ar"]


LOCALES = {"en": Locale("en", "ltr", "English"), "ar": Locale("ar", "rtl", "العربية")}
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
    words.init_app(app)
    app.jinja_env.filters.update(formats.FILTERS)
    app.jinja_env.globals.update(bilingual=bilingual)
    app.context_processor(lambda: {"locale": current()})


def known(tag: str | None) -> str:
    """Return the tag if it is a language of the portal, else the default."""
    return tag if tag in LOCALES else DEFAULT


def chosen_tag() -> str:
    """The person's choice, else the cookie's, else the browser's, else English."""
    if not has_request_context():
        return DEFAULT
    if "locale_tag" not in g:
        here = access.current()
        chosen = (here.locale if here else None) or request.cookies.get("locale")
        if chosen not in LOCALES:
            chosen = request.accept_languages.best_match(list(LOCALES), DEFAULT)
        g.locale_tag = chosen
    tag: str = g.locale_tag
    return tag


def current() -> Locale:
    """Return the locale of this request."""
    return LOCALES[chosen_tag()]


def bilingual(thing: object, field: str = "name") -> str:
    """Return a thing's name (or another field) in the reader's language, else in the one it has."""
    english, arabic = _read(thing, field), _read(thing, f"{field}_ar")
    return (arabic or english or "") if language() == "ar" else (english or arabic or "")


def _read(thing: object, field: str) -> str | None:
    found = thing.get(field) if isinstance(thing, dict) else getattr(thing, field, None)
    return str(found) if found else None
