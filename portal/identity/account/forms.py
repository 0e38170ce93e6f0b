"""Forms of the account."""

from __future__ import annotations

from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from portal.core.forms import Form
from portal.i18n.words import lazy_gettext as _l


class ConfirmForm(Form):
    password = PasswordField(_l("Password"), [InputRequired(_l("Enter your password.")), Length(max=1024)])


class NewPasswordForm(Form):
    """What is wrong with the password itself says `blocklist.problems_of`."""

    password = PasswordField(_l("New password"), [InputRequired(_l("Enter a new password."))])


class ChangePasswordForm(NewPasswordForm):
    """`current` is empty for who has no password yet."""

    current = PasswordField(_l("Current password"), [Length(max=1024)])


class ForgottenForm(Form):
    email = StringField(_l("E-mail"), [InputRequired(_l("Enter your e-mail address.")), Length(max=320)])
