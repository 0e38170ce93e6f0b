"""Fields of names that have two languages, as every form of identity has them."""

from __future__ import annotations

from typing import Any

from wtforms import StringField
from wtforms.validators import Length

from portal.i18n import names
from portal.i18n.words import lazy_gettext as _l

LONGEST_NAME = 80
LONGEST_TEXT = 300


def name_field(label: Any, *, longest: int = LONGEST_NAME) -> Any:
    """Return a field for a name in one language; it may stay empty where the other is given."""
    said = _l("Use at most %(number)s characters.", number=longest)
    return StringField(label, [Length(max=longest, message=said), names.sound], filters=[names.tidy])


def pair(name: str | None, name_ar: str | None) -> tuple[str, str | None]:
    """Return both names as they are kept: there is always one, and the Arabic one only where it says something else."""
    return (name or name_ar or "", name_ar or None)


def written(thing: Any) -> dict[str, str]:
    """Return the names of a thing as a form shows them: the field whose language was left out stays empty."""
    name_ar = thing.name_ar or ""
    return {"name": "" if thing.name == name_ar else thing.name, "name_ar": name_ar}
