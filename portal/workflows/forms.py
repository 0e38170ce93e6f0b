"""Forms of workflows."""

from __future__ import annotations

from wtforms import BooleanField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from portal.core.forms import Form
from portal.i18n import names
from portal.i18n.words import lazy_gettext as _l

LONG_NAME = Length(max=120, message=_l("Use at most 120 characters."))
LONG_TEXT = Length(max=500, message=_l("Use at most 500 characters."))


class NewWorkflowForm(Form):
    name = StringField(_l("Name"), [DataRequired(_l("Give the workflow a name.")), LONG_NAME, names.sound], filters=[names.tidy])
    name_ar = StringField(_l("Name in Arabic"), [LONG_NAME, names.sound], filters=[names.tidy])
    sample = StringField(_l("Begin with"), [InputRequired(_l("Choose what to begin with."))])


class DescribeForm(Form):
    name = StringField(_l("Name"), [DataRequired(_l("Give the workflow a name.")), LONG_NAME, names.sound], filters=[names.tidy])
    name_ar = StringField(_l("Name in Arabic"), [LONG_NAME, names.sound], filters=[names.tidy])
    description = StringField(_l("Description"), [LONG_TEXT, names.sound], filters=[names.tidy_lines])
    description_ar = StringField(_l("Description in Arabic"), [LONG_TEXT, names.sound], filters=[names.tidy_lines])
    is_active = BooleanField()


class ActionForm(Form):
    """A button: nothing but the CSRF token."""
