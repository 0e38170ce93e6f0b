"""What the fields of the editor and their choices are called."""

from __future__ import annotations

from typing import Any

from portal.i18n import formats
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.tenants.theme import FAMILIES

LABELS: dict[str, Any] = {
    "colors-light-primary": _l("Brand colour"),
    "typography-family": _l("Font"),
    "typography-base_px": _l("Size of text"),
    "typography-scale": _l("Step from size to size"),
    "typography-arabic_bump": _l("Arabic larger by the factor"),
    "typography-line_height-latin": _l("Line height, Latin"),
    "typography-line_height-arabic": _l("Line height, Arabic"),
    "spacing-density": _l("Density"),
    "spacing-unit_px": _l("Unit of space"),
    "spacing-container_rem": _l("Widest page"),
    "border_radius-s": _l("Corners of fields"),
    "border_radius-m": _l("Corners of cards"),
    "border_radius-l": _l("Corners of dialogs"),
    "border_radius-pill": _l("Labels are round"),
    "shadows-level": _l("Shadows"),
    "branding-name-en": _l("Name beside the logo"),
    "branding-name-ar": _l("Name beside the logo, in Arabic"),
    "branding-login_text-en": _l("Text beside signing in"),
    "branding-login_text-ar": _l("Text beside signing in, in Arabic"),
    "branding-mail_footer-en": _l("Last lines of e-mails"),
    "branding-mail_footer-ar": _l("Last lines of e-mails, in Arabic"),
    "branding-support_url": _l("Page of your own help"),
    "branding-default_locale": _l("Language"),
    "branding-numerals": _l("Digits in Arabic"),
    "branding-calendar": _l("Calendar"),
    "branding-week_start": _l("First day of the week"),
}


def choices() -> dict[str, list[tuple[str, str]]]:
    """Return the choices of the fields that have some: value and label."""
    return {
        "typography-family": [(key, name or _("The device's own")) for key, name in FAMILIES.items()],
        "spacing-density": [("comfortable", _("Comfortable")), ("compact", _("Compact"))],
        "shadows-level": [("none", _("None")), ("soft", _("Soft")), ("strong", _("Strong"))],
        "border_radius-pill": [("1", _("Yes")), ("", _("No"))],
        "branding-default_locale": [("ar", "العربية"), ("en", "English")],
        "branding-numerals": [("latn", "123"), ("arab", "١٢٣")],
        "branding-calendar": [("gregorian", _("Gregorian")), ("umalqura", _("Gregorian, with the Hijri date beside it"))],
        "branding-week_start": [(str(day), formats.weekday(day)) for day in (5, 6, 0, 1, 2, 3, 4)],
    }
