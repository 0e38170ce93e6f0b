"""Own subsets of IBM Plex: the characters that the product shows, every layout feature, and a name of our own.

The licence (OFL) reserves the name "Plex": a changed font must not carry it, so the family is renamed inside the file too.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

SANS, MONO = "Nasij Sans", "Nasij Mono"
WEIGHT_NAMES = {400: "Regular", 600: "SemiBold"}
NAME_FAMILY, NAME_STYLE, NAME_UNIQUE, NAME_FULL, NAME_POSTSCRIPT = 1, 2, 3, 4, 6
NAME_TYPOGRAPHIC_FAMILY, NAME_TYPOGRAPHIC_STYLE = 16, 17

# Modern Standard Arabic: letters, harakat, both digit rows, punctuation, the letters of borrowed sounds, and the rial sign.
ARABIC = (
    {0x20, 0xA0, 0x060C, 0x061B, 0x061C, 0x061F, 0x0640, 0x0670, 0x0671, 0x067E, 0x0686, 0x06A4, 0x06A9, 0x06AF, 0x06CC}
    | set(range(0x0621, 0x063B))
    | set(range(0x0641, 0x0656))
    | set(range(0x0660, 0x066E))
    | set(range(0x200C, 0x2010))
    | {0x2010, 0x2011, 0xFDF2, 0xFDFC}
    | set(range(0x2066, 0x206A))
)
LATIN = set(range(0x20, 0x7F)) | set(range(0xA0, 0x100)) | {0x0131, 0x0152, 0x0153, 0x02C6, 0x02DA, 0x02DC} | set(range(0x2000, 0x2070))
LATIN |= {0x20AC, 0x2122, *range(0x2190, 0x2194), 0x2212, 0x2215}
# The switch of language names Arabic in its own script; one word must not load a whole file on every English page.
SWITCH = {ord(letter) for letter in "العربية"}
# Code, paths, ids and keys: ASCII, and the few marks that screens show between them.
CODE = set(range(0x20, 0x7F)) | {0xA0, 0xAB, 0xB7, 0xBB, 0x2013, 0x2014, 0x2026, *range(0x2190, 0x2194), 0x2212}


@dataclass(frozen=True, slots=True)
class Face:
    """One font file to make: its logical name, where it comes from, what it keeps, what it is called."""

    name: str
    source: str
    keep: frozenset[int]
    family: str
    weight: int


def _sans(script: str, keep: set[int], weight: int, *, name: str = "") -> Face:
    source = f"@fontsource/ibm-plex-sans-arabic/files/ibm-plex-sans-arabic-{script}-{weight}-normal.woff2"
    return Face(f"nasij-sans-{name or script}-{weight}.woff2", source, frozenset(keep), SANS, weight)


FACES = (
    _sans("arabic", ARABIC, 400),
    _sans("arabic", ARABIC, 600),
    _sans("latin", LATIN, 400),
    _sans("latin", LATIN, 600),
    _sans("arabic", SWITCH, 600, name="switch"),
    Face("nasij-mono-400.woff2", "@fontsource/ibm-plex-mono/files/ibm-plex-mono-latin-400-normal.woff2", frozenset(CODE), MONO, 400),
)


def make(face: Face, packages: Path) -> bytes:
    """Return the woff2 of one face; the same input gives the same bytes."""
    font = TTFont(packages / face.source, recalcTimestamp=False)
    options = Options()
    options.layout_features = ["*"]
    options.flavor = "woff2"
    options.notdef_outline = True
    # Hints sharpen text of the body's size on coarse screens; the semibold of headings and buttons does without, which keeps
    # both scripts in both weights under the budget of 68 KB.
    options.hinting = face.weight == 400
    options.name_IDs = ["*"]  # the address of the licence stays
    chosen = Subsetter(options)
    chosen.populate(unicodes=face.keep)
    chosen.subset(font)
    _rename(font, face)
    font.flavor = "woff2"
    out = BytesIO()
    font.save(out, reorderTables=True)
    return out.getvalue()


def _rename(font: TTFont, face: Face) -> None:
    style = WEIGHT_NAMES[face.weight]
    postscript = f"{face.family.replace(' ', '')}-{style}"
    texts = {
        NAME_FAMILY: face.family,
        NAME_STYLE: "Regular" if face.weight == 400 else style,
        NAME_UNIQUE: postscript,
        NAME_FULL: f"{face.family} {style}",
        NAME_POSTSCRIPT: postscript,
    }
    names = font["name"]
    names.names = [each for each in names.names if each.nameID not in (NAME_TYPOGRAPHIC_FAMILY, NAME_TYPOGRAPHIC_STYLE)]
    for record in names.names:
        if record.nameID in texts:
            record.string = texts[record.nameID]
