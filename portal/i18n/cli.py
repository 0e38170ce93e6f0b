"""`portal strings`: collect the strings of code and templates into the catalogues, and check all of it."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from portal.core.config import ROOT
from portal.i18n.catalogues import FOLDER, TAGS, ensure_compiled, po_path
from portal.i18n.technical import has_arabic

TEMPLATE = FOLDER / "messages.pot"
METHODS = [("portal/**.py", "python"), ("templates/**.html", "jinja2"), ("templates/**.txt", "jinja2")]
KEYWORDS = {
    "_": None,
    "_l": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
}
OPTIONS = {"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
HOLE = re.compile(r"%\((\w+)\)[sd]")
TAG = re.compile(r"</?\w+[^>]*>")
LETTERS = re.compile("[A-Za-z]{3,}")
ARABIC_FORMS = 6
COUNTED = slice(3, 6)  # few, many and other say the number; zero, one and two may be words
# After an Arabic letter, 2026-12-31 is shown as 31-12-2026 and 5% as %5, unless it is set apart (U+2066 … U+2069).
SET_APART = re.compile("\u2066[^\u2069]*\u2069")
TURNED = re.compile(r"\d[-+]\d|\d%(?!\()", re.ASCII)
# In the order of CLDR: zero, one, two, few, many, other. Babel's own formula for Arabic has the last two the other way round.
ARABIC_PLURALS = "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);"


def run(*, check: bool) -> int:
    """Bring the catalogues up to date, or with `check` say what is wrong; returns the exit code."""
    template = collect()
    wanted = {"messages.pot": _text(template)}
    for tag in TAGS:
        wanted[f"{tag}/LC_MESSAGES/messages.po"] = _text(merged(template, tag))
    if not check:
        for name, text in wanted.items():
            path = FOLDER / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        ensure_compiled()
    stale = [name for name, text in wanted.items() if not (FOLDER / name).exists() or (FOLDER / name).read_text("utf-8") != text]
    problems = [f"translations/{name} is stale: run `make strings`" for name in stale]
    problems += [problem for tag in TAGS for problem in problems_of(merged(template, tag), tag)]
    problems += [problem for path in sorted((ROOT / "portal").rglob("*.py")) for problem in made_up(path)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def collect() -> Catalog:
    """Return every string of code and templates, in order of the text, without places: a moved line is no change."""
    found = Catalog(project="Nasij", charset="utf-8", fuzzy=False)
    for filename, _line, message, _comments, context in extract_from_dir(str(ROOT), METHODS, OPTIONS, KEYWORDS, directory_filter=_is_ours):
        if filename.startswith(("portal/", "templates/")):
            found.add(message, context=context)
    return found


def _is_ours(path: str) -> bool:
    relative = Path(path).relative_to(ROOT)
    return not relative.parts or relative.parts[0] in ("portal", "templates")


def merged(template: Catalog, tag: str) -> Catalog:
    """Return a language's catalogue with exactly the strings of the template."""
    known = {}
    if po_path(tag).exists():
        known = {_key(message): message.string for message in _read(po_path(tag), tag) if message.id and any(_strings(message))}
    target = Catalog(locale=tag, project="Nasij", charset="utf-8", fuzzy=False)
    for message in template:
        if not message.id:
            continue
        string = known.get(_key(message))
        if string is None and tag == "en":
            string = message.id
        target.add(message.id, string if string is not None else "")
    return target


def problems_of(catalogue: Catalog, tag: str) -> list[str]:
    """Return what is missing or wrong in a language's catalogue."""
    return [f"{tag}: {problem}: {_key(message)!r}" for message in catalogue if message.id for problem in _wrong(message, tag)]


def made_up(path: Path) -> Iterator[str]:
    """Give each call whose text is no literal: nobody collects it, so nobody translates it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS and node.args):
            continue
        if not isinstance(node.args[0], ast.Constant):
            yield f"{path.relative_to(ROOT)}:{node.lineno}: a text that is no literal cannot be translated"


def _wrong(message: Message, tag: str) -> list[str]:
    strings = _strings(message)
    forms = ARABIC_FORMS if tag == "ar" else 2
    if not all(strings) or (message.pluralizable and len(strings) < forms):
        return ["not translated"]
    ids: tuple[str, ...] = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    wrong = []
    if any(not set(HOLE.findall(string)) <= set(HOLE.findall(ids[-1])) for string in strings):
        wrong.append("a placeholder that the text does not have")
    if not message.pluralizable and set(HOLE.findall(strings[0])) != set(HOLE.findall(ids[0])):
        wrong.append("placeholders differ")
    if any(sorted(TAG.findall(string)) != sorted(TAG.findall(ids[-1])) for string in strings):
        wrong.append("tags differ")
    if any(_edges(string) != _edges(ids[-1]) for string in strings):
        wrong.append("blanks at its ends differ")
    if tag == "ar":
        wrong += _wrong_in_arabic(strings, ids)
    return wrong


def _edges(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def _wrong_in_arabic(strings: tuple[str, ...], ids: tuple[str, ...]) -> list[str]:
    wrong = []
    if len(strings) == ARABIC_FORMS and any(set(HOLE.findall(string)) != set(HOLE.findall(ids[-1])) for string in strings[COUNTED]):
        wrong.append("a form for 3 and more without its number")
    if any(TURNED.search(SET_APART.sub("", string)) for string in strings):
        wrong.append("a figure that would be shown turned round")
    if LETTERS.search(HOLE.sub("", ids[0])) and not any(has_arabic(string) for string in strings):
        wrong.append("not Arabic")
    return wrong


def _strings(message: Message) -> tuple[str, ...]:
    given = message.string
    return (given,) if isinstance(given, str) else tuple(given or ("",))


def _key(message: Message) -> str:
    return str(message.id[0] if isinstance(message.id, tuple) else message.id)


def _read(path: Path, tag: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=tag)


def _text(catalogue: Catalog) -> str:
    buffer = io.BytesIO()
    write_po(buffer, catalogue, omit_header=True, sort_output=True, width=0, no_location=True)
    forms = ARABIC_PLURALS if str(catalogue.locale) == "ar" else f"nplurals={catalogue.num_plurals}; plural={catalogue.plural_expr};"
    plural = f"Plural-Forms: {forms}\\n" if catalogue.locale else ""
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n' + (f'"{plural}"\n' if plural else "")
    return header + "\n" + buffer.getvalue().decode("utf-8")
