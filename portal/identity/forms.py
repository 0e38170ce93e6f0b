"""Forms of identity."""

from __future__ import annotations

from typing import Any

from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from portal.core.forms import Form
from portal.i18n import preferences, zones
from portal.i18n.reader import LOCALES
from portal.i18n.words import lazy_gettext as _l


class SignInForm(Form):
    email = StringField(_l("E-mail"), [InputRequired(_l("Enter your e-mail address.")), Length(max=320)])
    password = PasswordField(_l("Password"), [InputRequired(_l("Enter your password.")), Length(max=1024)])


class PreferencesForm(Form):
    """How a person wants pages written; an empty answer means: as usual in the organisation and region."""

    language = StringField(_l("Language"))
    numerals = StringField(_l("Digits in Arabic"))
    region = StringField(_l("Country or region"))
    calendar = StringField(_l("Calendar"))
    first_day = StringField(_l("First day of the week"))
    weekend = StringField(_l("Weekend"))
    timezone = StringField(_l("Time zone"))
    hours = StringField(_l("Time of day"))
    times = StringField(_l("Times in lists"))

    def given(self) -> dict[str, Any]:
        """Return what was chosen by the keys it is stored under; a time zone that is not known stays as it was typed."""
        chosen = {key: self[key].data for key in preferences.KEYS if self[key].data}
        if "first_day" in chosen and chosen["first_day"].isascii() and chosen["first_day"].isdigit():
            chosen["first_day"] = int(chosen["first_day"])
        if "timezone" in chosen:
            chosen["timezone"] = zones.find(chosen["timezone"]) or chosen["timezone"]
        return chosen

    def validate(self, extra_validators: Any = None) -> bool:
        is_valid = bool(super().validate(extra_validators))
        given = self.given()
        wrong = [key for key in given if key not in preferences.allowed(given)]
        if self.language.data not in LOCALES:
            wrong.append("language")
        for key in wrong:
            said = _l("Choose a city from the list, for example Riyadh.") if key == "timezone" else _l("Choose one of the values.")
            self[key].errors = [said]
        return is_valid and not wrong
