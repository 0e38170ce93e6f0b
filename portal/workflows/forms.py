"""Forms of workflows."""

from __future__ import annotations

from wtforms import BooleanField, StringField
from wtforms.validators import InputRequired, Length

from portal.core.forms import Form
from portal.i18n.words import lazy_gettext as _l


class NewWorkflowForm(Form):
    name = StringField(
        _l("Name"), [InputRequired(_l("Give the workflow a name.")), Length(max=120, message=_l("Use at most 120 characters."))]
    )
    name_ar = StringField(_l("Name in Arabic"), [Length(max=120, message=_l("Use at most 120 characters."))])
    sample = StringField(_l("Begin with"), [InputRequired(_l("Choose what to begin with."))])


class DescribeForm(Form):
    name = StringField(
        _l("Name"), [InputRequired(_l("Give the workflow a name.")), Length(max=120, message=_l("Use at most 120 characters."))]
    )
    name_ar = StringField(_l("Name in Arabic"), [Length(max=120, message=_l("Use at most 120 characters."))])
    description = StringField(_l("Description"), [Length(max=500, message=_l("Use at most 500 characters."))])
    description_ar = StringField(_l("Description in Arabic"), [Length(max=500, message=_l("Use at most 500 characters."))])
    is_active = BooleanField()


class ActionForm(Form):
    """A button: nothing but the CSRF token."""
