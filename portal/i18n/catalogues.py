"""The catalogues on disk: where they are, and compiled before anybody reads them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from portal.core.config import ROOT

FOLDER = ROOT / "translations"
TAGS = ("ar", "en")


def po_path(tag: str) -> Path:
    """Return where a language's catalogue lies."""
    return FOLDER / tag / "LC_MESSAGES" / "messages.po"


def ensure_compiled() -> None:
    """Compile each catalogue whose compiled form is missing or older; safe when several processes do it at once."""
    for tag in TAGS:
        source = po_path(tag)
        target = source.with_suffix(".mo")
        if not source.exists() or (target.exists() and target.stat().st_mtime >= source.stat().st_mtime):
            continue
        with source.open("rb") as file:
            catalogue = read_po(file, locale=tag)
        handle, name = tempfile.mkstemp(dir=target.parent, suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            write_mo(file, catalogue)
        Path(name).replace(target)
