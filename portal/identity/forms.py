"""Forms of identity."""

from __future__ import annotations

from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from portal.core.forms import Form
from portal.i18n.words import lazy_gettext as _l


class SignInForm(Form):
    email = StringField(_l("E-mail"), [InputRequired(_l("Enter your e-mail address.")), Length(max=320)])
    password = PasswordField(_l("Password"), [InputRequired(_l("Enter your password.")), Length(max=1024)])
