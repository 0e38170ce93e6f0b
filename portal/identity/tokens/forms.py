"""Forms of tokens and clients; what the rules say, the service says."""

from __future__ import annotations

from uuid import UUID

from wtforms import SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Length

from portal.core.digits import read_number
from portal.core.forms import Form
from portal.core.ids import as_uuid
from portal.i18n.words import lazy_gettext as _l

TOO_LONG = _l("This is too long.")


class ScopedForm(Form):
    name = StringField(_l("Name"))
    scopes = SelectMultipleField(_l("What it may do"), validate_choice=False)
    request_key = StringField(validators=[Length(max=60)])

    @property
    def key(self) -> UUID | None:
        return as_uuid(self.request_key.data)


class TokenForm(ScopedForm):
    days = StringField(_l("Good for"))
    networks = TextAreaField(_l("Networks"), [Length(max=4_000, message=TOO_LONG)])

    @property
    def length(self) -> int:
        """Return the days that were chosen; 0, which no token may have, for anything else."""
        return whole(self.days.data)


class ClientForm(ScopedForm):
    kind = StringField(_l("Kind"))


class RotateForm(Form):
    overlap = StringField(_l("The old token"))

    @property
    def hours(self) -> int:
        return whole(self.overlap.data, otherwise=-1)


class LeakForm(Form):
    found = TextAreaField(_l("What you found"), [Length(max=20_000, message=TOO_LONG)])


def whole(text: str | None, *, otherwise: int = 0) -> int:
    """Return the whole number that was typed, in any digits."""
    number = read_number(text or "")
    return number if isinstance(number, int) else otherwise
