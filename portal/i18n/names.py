"""Names as people type and paste them: what is unseen and harmless is taken out, what would deceive is refused with a sentence. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from wtforms import Field
from wtforms.validators import ValidationError

from portal.i18n.words import gettext as _

__all__ = ["TAKEN_OUT", "problem", "sound", "tidy", "tidy_lines"]

# Marks, embeddings and isolates come along when somebody copies from a contact card or a path; pages isolate names by themselves.
TAKEN_OUT = dict.fromkeys([0xAD, 0x61C, 0x200B, 0x200E, 0x200F, 0x202A, 0x202B, 0x202C, 0x2060, *range(0x2066, 0x206A), 0xFEFF])
# Joiners of Persian words and emoji; Arabic number signs, which are seen although Unicode calls them formats.
_KEPT = "\n\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd"
_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")


def tidy(text: Any, *, lines: bool = False) -> Any:
    """Return a name without the marks that nobody sees, with single blanks; `lines` lets a description keep its lines.

    What is no text is returned as it is, so this may be a filter of a form.
    """
    if not isinstance(text, str):
        return text
    plain = unicodedata.normalize("NFC", text.replace("\x00", "").replace("\r\n", "\n").translate(TAKEN_OUT)).strip()
    plain = _LINES.sub("\n" if lines else " ", plain)
    return _BLANKS.sub(" ", plain)


def tidy_lines(text: Any) -> Any:
    """Return a description the same way; its lines stay."""
    return tidy(text, lines=True)


def problem(text: str | None) -> str:
    """Say what is wrong with a name, empty if nothing is: an override, a control or another sign that changes how the rest is read."""
    for each in text or "":
        if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co") and each not in _KEPT:
            return _("Take out the invisible sign %(sign)s: it would change how the rest is read.", sign=f"U+{ord(each):04X}")
    return ""


def sound(_form: Any, field: Field) -> None:
    """A validator of forms: refuse a name with a sign that deceives."""
    if wrong := problem(field.data):
        raise ValidationError(wrong)
