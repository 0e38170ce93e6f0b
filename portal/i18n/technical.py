"""Technical words inside a sentence that runs from right to left: expressions, paths, header names, cron. Pure."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

# What is written in ASCII, spaces inside of it; only with a letter, an asterisk or a bracket in it: figures alone stand right by themselves.
_RUN = re.compile(r"[!-~]+(?: [!-~]+)*")
_TELLING = re.compile(r"[A-Za-z*${}]")
_BEFORE = re.compile(r"(?:[ ,;]|:(?![a-z]))*")  # a colon before a letter is a name of SQL
# A short one is not cut at the end of a line: its halves would stand in the order of the other direction.
SHORT = 20
_SHORT, _LONG = Markup('<bdi dir="ltr" class="whole">{}</bdi>'), Markup('<bdi dir="ltr">{}</bdi>')
_ARABIC = re.compile("[\u0600-\u08ff\ufb50-\ufdff\ufe70-\ufefc]")


def has_arabic(text: object) -> bool:
    """Say whether there is Arabic in a text, so that what is technical in it must be set apart whatever the page's direction is."""
    return bool(_ARABIC.search(str(text)))


def set_apart(sentence: object) -> str | Markup:
    """Return a sentence for HTML in which each technical word is isolated from left to right; one with tags in it comes back as it is.

    Without that the quotes, dots and asterisks at the edges of such a word would stand on its other side.
    """
    text, found, done = str(sentence), Markup(), 0
    if isinstance(sentence, Markup):  # as texts of the catalogue are, with nothing but a sentence in them
        if "<" in sentence:
            return sentence
        text = sentence.unescape()
    for run in _RUN.finditer(text):
        word = _BEFORE.sub("", run[0].rstrip(".,;:!?"), count=1)
        inner = word[1:] if word.startswith("(") and word.count("(") > word.count(")") else word
        inner = inner[:-1] if inner.endswith(")") and inner.count(")") > inner.count("(") else inner
        if _TELLING.search(inner):
            begins = run.start() + run[0].index(inner)
            found += escape(text[done:begins]) + (_SHORT if len(inner) <= SHORT else _LONG).format(inner)
            done = begins + len(inner)
    return found + escape(text[done:])
