"""Forms of single sign-on."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, StringField
from wtforms.validators import AnyOf, InputRequired, Length

from portal.core.forms import Form
from portal.i18n import names
from portal.i18n.words import lazy_gettext as _l
from portal.identity.sso.models import NEWCOMER_ROLES

SHORT = Length(max=60, message=_l("Use at most 60 characters."))
LONG = Length(max=500, message=_l("Use at most 500 characters."))


class Entered(Form):
    """What every kind of provider asks."""

    name = StringField(_l("Name"), [InputRequired(_l("Give the provider a name: people see it on the button.")), SHORT, names.sound],
                       filters=[names.tidy])  # fmt: skip
    name_ar = StringField(_l("Name in Arabic"), [SHORT, names.sound], filters=[names.tidy])
    default_role = StringField(_l("Role of newcomers"), [AnyOf(NEWCOMER_ROLES, message=_l("Choose one of the values."))], default="member")
    admits_newcomers = BooleanField(_l("Let newcomers in"))
    allows_passwords = BooleanField(_l("Members may also sign in with a password"))

    def given(self) -> dict[str, Any]:
        """Return what is kept as it was written."""
        return {
            "name": self.name.data,
            "name_ar": self.name_ar.data or None,
            "issuer": self.issuer.data,
            "default_role": self.default_role.data,
            "admits_newcomers": self.admits_newcomers.data,
            "allows_passwords": self.allows_passwords.data,
        }


class ProviderForm(Entered):
    issuer = StringField(_l("Issuer"), [InputRequired(_l("Enter the address of the provider.")), LONG])
    client_id = StringField(_l("Client ID"), [InputRequired(_l("Enter the client ID that the provider gave you.")), LONG])
    client_secret = StringField(_l("Client secret"), [LONG])

    def given(self) -> dict[str, Any]:
        """Return what is kept as it was written; the secret is not."""
        return {**super().given(), "client_id": self.client_id.data}


class WaysForm(Form):
    """Where somebody belongs: their address, or the short name of their organisation."""

    where = StringField(_l("Work e-mail"), [InputRequired(_l("Enter your work e-mail.")), Length(max=320)])
