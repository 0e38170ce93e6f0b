"""Forms of sign-in factors."""

from __future__ import annotations

from typing import Any

from wtforms import StringField
from wtforms.validators import AnyOf, InputRequired, Length

from portal.core.forms import Form
from portal.i18n.words import lazy_gettext as _l
from portal.identity import lockout as rules
from portal.identity.factors import policy


class CodeForm(Form):
    code = StringField(_l("Code"), [InputRequired(_l("Enter the code.")), Length(max=100)])


class NameForm(Form):
    name = StringField(_l("Name"), [Length(max=60, message=_l("Write 60 letters at most."))])


class PasskeyForm(Form):
    """What the page's script filled in; people see only the name."""

    credential = StringField(validators=[InputRequired()])
    name = StringField(_l("Name"), [Length(max=60, message=_l("Write 60 letters at most."))])


ONE_OF = _l("Choose one of the values.")
AFTER = [str(each) for each in rules.AFTER]
MINUTES = [str(each) for each in rules.MINUTES]


class SecurityForm(Form):
    factor = StringField(_l("Second step"), [AnyOf((policy.OFF, policy.REQUIRED), ONE_OF)])
    lockout = StringField(_l("Lockout"), [AnyOf((policy.OFF, "on"), ONE_OF)], default=policy.OFF)
    publishing = StringField(_l("Publishing workflows"), [AnyOf(("alone", "together"), ONE_OF)], default="alone")
    lockout_after = StringField(_l("Wrong passwords"))
    lockout_window = StringField(_l("Within"))
    lockout_for = StringField(_l("Locked for"))

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = bool(super().validate(extra_validators))
        if self.lockout.data != "on":
            return is_valid
        for field, allowed in ((self.lockout_after, AFTER), (self.lockout_window, MINUTES), (self.lockout_for, MINUTES)):
            if field.data not in allowed:
                field.errors, is_valid = [ONE_OF], False
        return is_valid

    def rule(self) -> rules.Rule | None:
        """Return what was chosen about lockouts; None for off."""
        if self.lockout.data != "on":
            return None
        return rules.Rule(int(self.lockout_after.data or 0), int(self.lockout_window.data or 0), int(self.lockout_for.data or 0))
