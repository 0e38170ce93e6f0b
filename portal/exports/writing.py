"""Rows into the bytes of a CSV or XLSX file that is safe to open. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import xlsxwriter

# A spreadsheet takes a cell that begins so for a formula, and a formula can call out. OWASP names these characters.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Marks that change the direction of what follows: in a file they hide what a value really is.
HIDDEN = dict.fromkeys(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C, *range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20)]
)
MAX_CELL = 32_767
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def plain(value: Any) -> Any:
    """Return a cell's value: numbers and booleans as they are, times as ISO in UTC, texts without hidden marks."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).translate(HIDDEN)[:MAX_CELL]


def neutral(value: Any) -> Any:
    """Return a text that no spreadsheet takes for a formula; a minus before digits is a number and stays."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def write(file_format: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], *, right_to_left: bool) -> tuple[bytes, int]:
    """Return the file and the number of its rows.

    Args:
        file_format: `csv` (UTF-8 with a byte order mark, so that Excel reads Arabic) or `xlsx` (texts are texts, never formulas).
        right_to_left: whether the sheet begins at the right.
    """
    return _xlsx(heads, rows, right_to_left=right_to_left) if file_format == "xlsx" else _csv(heads, rows)


def _csv(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> tuple[bytes, int]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(heads)
    count = 0
    for row in rows:
        writer.writerow(["" if cell is None else neutral(plain(cell)) for cell in row])
        count += 1
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace"), count


def _xlsx(heads: Sequence[str], rows: Iterable[Sequence[Any]], *, right_to_left: bool) -> tuple[bytes, int]:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(
        file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    sheet = book.add_worksheet()
    if right_to_left:
        sheet.right_to_left()
    sheet.freeze_panes(1, 0)
    bold = book.add_format({"bold": True})
    for column, head in enumerate(heads):
        sheet.write_string(0, column, str(head), bold)
        sheet.set_column(column, column, 22)
    count = 0
    for count, row in enumerate(rows, start=1):
        for column, cell in enumerate(row):
            _write_cell(sheet, count, column, plain(cell))
    book.close()
    return file.getvalue(), count


def _write_cell(sheet: Any, row: int, column: int, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, value.encode("utf-8", "replace").decode())
