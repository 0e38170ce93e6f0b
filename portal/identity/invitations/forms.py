"""Forms of invitations."""

from __future__ import annotations

from typing import Any

from wtforms import PasswordField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from portal.core.forms import Form
from portal.i18n.reader import LOCALES
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.identity.naming import name_field


class InviteForm(Form):
    addresses = TextAreaField(_l("E-mail addresses"), [InputRequired(_l("Enter an e-mail address.")), Length(max=20_000)])
    role = StringField(_l("Role"))
    language = StringField(_l("Language of the mail"))

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = bool(super().validate(extra_validators))
        if self.language.data not in LOCALES:
            self.language.errors = [_("Choose one of the values.")]
            return False
        return is_valid


class JoinForm(Form):
    """What is wrong with the password itself says `blocklist.problems_of`."""

    name = name_field(_l("Your name"))
    name_ar = name_field(_l("Your name in Arabic"))
    password = PasswordField(_l("Password"), [InputRequired(_l("Enter a password."))])

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = bool(super().validate(extra_validators))
        if not self.name.data and not self.name_ar.data:
            self.name.errors = [_("Enter your name, in one of the two languages at least.")]
            return False
        return is_valid
