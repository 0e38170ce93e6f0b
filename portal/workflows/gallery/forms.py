"""Forms of the gallery."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import AnyOf, DataRequired, Length

from portal.core.forms import Form
from portal.i18n import names
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.samples.catalogue import CATEGORIES

LONG_NAME = Length(max=120, message=_l("Use at most 120 characters."))
LONG_TEXT = Length(max=500, message=_l("Use at most 500 characters."))
# Names of the sprite that say something of a workflow.
ICONS = (
    ("workflow", _l("Flow")), ("clipboard-check", _l("Task list")), ("stamp", _l("Stamp")), ("users", _l("People")),
    ("store", _l("Shop")), ("shield-check", _l("Shield")), ("chart-column", _l("Figures")), ("messages-square", _l("Conversation")),
    ("monitor", _l("Screen")), ("file-text", _l("Sheet")), ("calendar-check", _l("Calendar")), ("key-round", _l("Key")),
)  # fmt: skip


class SampleForm(Form):
    name = StringField(_l("Name"), [DataRequired(_l("Give the template a name.")), LONG_NAME, names.sound], filters=[names.tidy])
    name_ar = StringField(
        _l("Name in Arabic"), [DataRequired(_l("Give the template an Arabic name.")), LONG_NAME, names.sound], filters=[names.tidy]
    )
    description = StringField(_l("Description"), [LONG_TEXT, names.sound], filters=[names.tidy_lines])
    description_ar = StringField(_l("Description in Arabic"), [LONG_TEXT, names.sound], filters=[names.tidy_lines])
    category = StringField(_l("Category"), [AnyOf(list(CATEGORIES), message=_l("Choose a category."))])
    icon = StringField(_l("Picture"), [AnyOf([key for key, _name in ICONS], message=_l("Choose a picture."))])
