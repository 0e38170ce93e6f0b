"""Forms of sign-in factors."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import AnyOf, InputRequired, Length

from portal.core.forms import Form
from portal.i18n.words import lazy_gettext as _l
from portal.identity.factors import policy


class CodeForm(Form):
    code = StringField(_l("Code"), [InputRequired(_l("Enter the code.")), Length(max=100)])


class NameForm(Form):
    name = StringField(_l("Name"), [Length(max=60, message=_l("Write 60 letters at most."))])


class PasskeyForm(Form):
    """What the page's script filled in; people see only the name."""

    credential = StringField(validators=[InputRequired()])
    name = StringField(_l("Name"), [Length(max=60, message=_l("Write 60 letters at most."))])


class SecurityForm(Form):
    factor = StringField(_l("Second step"), [AnyOf((policy.OFF, policy.REQUIRED), _l("Choose one of the values."))])
