"""Messages that are said when they are read, in the language of who reads them; `i18n.words` says them with the reader's digits as well."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext
from flask_babel.speaklater import LazyString
from markupsafe import Markup, escape


class Message(LazyString):
    """A message that is text on a page: Flask-Babel's own says that it is HTML, with what people wrote in it as it is."""

    def __html__(self) -> Markup:
        return escape(str(self))


def lazy_gettext(message: str, **values: Any) -> Message:
    """Return a message that is said when it is read."""
    return Message(gettext, message, **values)
