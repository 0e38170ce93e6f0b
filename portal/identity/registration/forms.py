"""Forms of registration."""

from __future__ import annotations

from typing import Any

from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from portal.core.forms import Form
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.identity.mailbox import plain_address
from portal.identity.naming import name_field


class OrganisationForm(Form):
    """The names of an organisation: one of them at least."""

    organisation = name_field(_l("Name of the organisation"))
    organisation_ar = name_field(_l("Name of the organisation in Arabic"))

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = bool(super().validate(extra_validators))
        if not self.organisation.data and not self.organisation_ar.data:
            self.organisation.errors = [_("Enter the name of the organisation, in one of the two languages at least.")]
            return False
        return is_valid


class RegisterForm(OrganisationForm):
    """What is wrong with the password itself says `blocklist.problems_of`."""

    name = name_field(_l("Your name"))
    name_ar = name_field(_l("Your name in Arabic"))
    email = StringField(_l("E-mail"), [InputRequired(_l("Enter your e-mail address.")), Length(max=320)])
    password = PasswordField(_l("Password"), [InputRequired(_l("Enter a password."))])

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = super().validate(extra_validators)
        if not self.name.data and not self.name_ar.data:
            self.name.errors = [_("Enter your name, in one of the two languages at least.")]
            is_valid = False
        if not self.email.errors and plain_address(self.email.data) is None:
            self.email.errors = [_("This is not an e-mail address. It looks like name@example.com.")]
            is_valid = False
        return is_valid


class AgainForm(Form):
    email = StringField(_l("E-mail"), [InputRequired(_l("Enter your e-mail address.")), Length(max=320)])
