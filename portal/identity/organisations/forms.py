"""Forms of an organisation."""

from __future__ import annotations

from typing import Any

from wtforms import StringField
from wtforms.validators import Length

from portal.core.forms import Form
from portal.i18n import zones
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.identity.naming import name_field


class OrganisationForm(Form):
    name = name_field(_l("Name"))
    name_ar = name_field(_l("Name in Arabic"))
    timezone = StringField(_l("Time zone"), [Length(max=100)])

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = bool(super().validate(extra_validators))
        if not self.name.data and not self.name_ar.data:
            self.name.errors = [_("Enter a name, in one of the two languages at least.")]
            is_valid = False
        if self.zone() is None:
            self.timezone.errors = [_("Choose a city from the list, for example Riyadh.")]
            is_valid = False
        return is_valid

    def zone(self) -> str | None:
        """Return the zone that was typed, by the name of its city."""
        return zones.find(self.timezone.data or "")


class CloseForm(Form):
    typed = StringField(_l("Name of the organisation"), [Length(max=200)])
