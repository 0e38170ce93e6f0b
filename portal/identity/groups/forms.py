"""Forms of groups."""

from __future__ import annotations

from typing import Any

from portal.core.forms import Form
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.identity.naming import name_field


class GroupForm(Form):
    name = name_field(_l("Name"))
    name_ar = name_field(_l("Name in Arabic"))

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = bool(super().validate(extra_validators))
        if not self.name.data and not self.name_ar.data:
            self.name.errors = [_("Enter a name, in one of the two languages at least.")]
            return False
        return is_valid
