"""`${ … }` in a text of the other direction, where one edits it: a field cannot hold markup, so an isolate stands around each. Pure.

The isolates are there for the eye only: they are put in when a field is drawn and taken out when one is read. `static/js/flow/bidi.js`
does the same while one types.
"""

from __future__ import annotations

import re

from portal.i18n.technical import has_arabic

LRI, PDI = "\u2066", "\u2069"
# Closed, with quoted text and one pair of brackets inside; else what is written in Latin script from "${" on.
VALUE = re.compile(r"""\$\{(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\{[^{}\n]*\}|[^{}"'\n])*\}|\$\{(?:[ -~]*[!-~])?""")


def isolated(text: str) -> str:
    """Return a text as a field shows it: each `${ … }` reads left to right, whatever stands around it."""
    return VALUE.sub(rf"{LRI}\g<0>{PDI}", text) if "${" in text and has_arabic(text) else text


def bare(text: str) -> str:
    """Return what stands in a field without the isolates."""
    return text.replace(LRI, "").replace(PDI, "")
