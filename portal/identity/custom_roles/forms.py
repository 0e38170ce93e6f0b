"""Forms of roles."""

from __future__ import annotations

from typing import Any

from flask import request
from wtforms import StringField
from wtforms.validators import Length

from portal.core.forms import Form
from portal.i18n import names
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.identity.custom_roles.service import Draft
from portal.identity.naming import LONGEST_TEXT, name_field, pair


class RoleForm(Form):
    name = name_field(_l("Name"))
    name_ar = name_field(_l("Name in Arabic"))
    description = StringField(_l("Description"), [Length(max=LONGEST_TEXT), names.sound], filters=[names.tidy_lines])

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = bool(super().validate(extra_validators))
        if not self.name.data and not self.name_ar.data:
            self.name.errors = [_("Enter a name, in one of the two languages at least.")]
            return False
        return is_valid

    def draft(self) -> Draft:
        """Return the role that was typed."""
        name, name_ar = pair(self.name.data, self.name_ar.data)
        return Draft(name, name_ar, self.description.data or None, request.form.getlist("permission"))
