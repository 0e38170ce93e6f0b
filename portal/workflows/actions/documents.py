"""A list as a document: CSV and XLSX as the house writes its own lists, PDF set by Typst in Naskh, from right to left in Arabic."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typst

from portal.core import clock
from portal.core.config import ROOT, current_settings
from portal.exports import service as exports
from portal.i18n.reader import LOCALES, Locale
from portal.tenants.service import Letterhead
from portal.workflows.expressions import as_text

MEDIA_TYPES = {**exports.MEDIA_TYPES, "pdf": "application/pdf"}
MAX_ROWS = {"csv": 50_000, "xlsx": 50_000, "pdf": 2_000}
MAX_COLUMNS = 50
MAX_PDF_CELLS = 10_000  # Typst lays out a whole table at once: these take 2 s and 300 MB, and twice as many twice that
MAX_CELL = 2_000
TEMPLATE = ROOT / "templates" / "documents" / "table.typ"
# The width of a column follows its texts, within these bounds.
NARROWEST, WIDEST, LOOKED_AT = 6, 40, 200


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: the keys of its columns, what stands over them, and its rows of values."""

    keys: tuple[str, ...]
    heads: tuple[str, ...]
    rows: list[list[Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """What stands around the table of a PDF."""

    locale: str
    title: str = ""
    text: str = ""
    landscape: bool = False
    letterhead: Letterhead | None = None
    organisation: str = ""


class DocumentRefused(Exception):
    """The document cannot be made: `.args[0]` is no_list, too_many_rows or too_many_columns."""


def sheet_of(items: Any, columns: Sequence[tuple[str, str]], *, file_format: str) -> Sheet:
    """Read a list of maps (or of plain values) as a table; without chosen columns it has those of the items, in their order.

    Raises:
        DocumentRefused: it is no list, or too large.
    """
    if items is None:
        return Sheet((), ())
    if not isinstance(items, list):
        raise DocumentRefused("no_list", type(items).__name__)
    if len(items) > MAX_ROWS[file_format]:
        raise DocumentRefused("too_many_rows", str(MAX_ROWS[file_format]))
    rows = [item if isinstance(item, dict) else {"value": item} for item in items]
    named = list(columns) or [(key, key) for key in dict.fromkeys(key for row in rows for key in row)]
    if len(named) > MAX_COLUMNS:
        raise DocumentRefused("too_many_columns", str(MAX_COLUMNS))
    if file_format == "pdf" and len(rows) * len(named) > MAX_PDF_CELLS:
        raise DocumentRefused("too_many_rows", str(MAX_PDF_CELLS // len(named)))
    keys = tuple(key for key, _label in named)
    return Sheet(keys, tuple(label or key for key, label in named), [[_value(row.get(key)) for key in keys] for row in rows])


def write(file_format: str, sheet: Sheet, page: Page) -> bytes:
    """Return the file."""
    locale = LOCALES[page.locale]
    if file_format == "pdf":
        return _pdf(sheet, page, locale)
    return exports.write(file_format, list(sheet.heads), sheet.rows, right_to_left=locale.dir == "rtl")[0]


def _value(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float) else as_text(value)


def _pdf(sheet: Sheet, page: Page, locale: Locale) -> bytes:
    head = page.letterhead or Letterhead()
    cells = [[_shown(value, locale) for value in row] for row in sheet.rows]
    name = head.name.get(locale.tag) or head.name.get(locale.other.tag) or page.organisation
    footer = head.footer.get(locale.tag) or head.footer.get(locale.other.tag) or ""
    data = {
        "lang": locale.tag,
        "dir": locale.dir,
        "landscape": page.landscape,
        "letterhead": page.letterhead is not None,
        "accent": head.accent,
        "organisation": _plain(name),
        "footer": _plain(" ".join(footer.split())),
        "date": clock.now().date().isoformat(),
        "logo": "logo.png" if head.logo and page.letterhead else None,
        "title": _plain(page.title),
        "paragraphs": [_plain(part).split("\n") for part in page.text.split("\n\n") if part.strip()],
        "heads": [_plain(each) for each in sheet.heads],
        "numbers": [_is_numeric(sheet.rows, column) for column in range(len(sheet.keys))],
        "widths": [_width([sheet.heads[column], *(row[column] for row in cells[:LOOKED_AT])]) for column in range(len(sheet.keys))],
        "rows": cells,
    }
    with tempfile.TemporaryDirectory(prefix="nasij-document-") as folder:
        # Typst reads inside this folder and nowhere else; the data is JSON, so no text of it is ever markup.
        root = Path(folder)
        (root / "data.json").write_text(json.dumps(data, ensure_ascii=False), "utf-8")
        (root / "table.typ").write_bytes(TEMPLATE.read_bytes())
        if head.logo:
            (root / "logo.png").write_bytes(head.logo[0])
        fonts = [str(current_settings().static_path / "fonts")]
        made = typst.compile(str(root / "table.typ"), root=folder, font_paths=fonts, ignore_system_fonts=True, format="pdf")
    assert isinstance(made, bytes)
    return made


def _shown(value: Any, locale: Locale) -> str:
    if isinstance(value, bool):
        return {"ar": ("لا", "نعم"), "en": ("No", "Yes")}[locale.tag][value]
    text = as_text(value)[:MAX_CELL]
    # A text with another direction than the page keeps to itself, or its punctuation would move.
    return f"\u2068{_plain(text)}\u2069" if text else ""


def _plain(text: str) -> str:
    return str(exports.plain(text) or "").encode("utf-8", "replace").decode()


def _is_numeric(rows: list[list[Any]], column: int) -> bool:
    values = [row[column] for row in rows if row[column] is not None]
    return bool(values) and all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)


def _width(texts: list[str]) -> int:
    return max(NARROWEST, min(WIDEST, max(len(each) for each in texts)))
