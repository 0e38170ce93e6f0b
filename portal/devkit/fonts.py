"""Own subsets of fonts: the characters that the product shows, and every layout feature.

The product's own family is made from IBM Plex, whose licence (OFL) reserves the name "Plex": a changed font must not carry it, so it
is renamed inside the file too. The families that a theme may choose reserve no name and keep theirs; each is one variable font per
script, cut to the two weights, with a style sheet of its own, so that pages without it carry nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

SANS, MONO = "Nasij Sans", "Nasij Mono"
WEIGHT_NAMES = {400: "Regular", 600: "SemiBold", 700: "Bold"}
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
    """One font file to make: its logical name, where it comes from, what it keeps, what it is called (empty: as it was), its weight
    (0: all from 400 to 600), and which weight of the source becomes 600."""

    name: str
    source: str
    keep: frozenset[int]
    family: str
    weight: int
    heaviest: int = 600


@dataclass(frozen=True, slots=True)
class Family:
    """A family that a theme may choose.

    Args:
        key: its name in themes, file names and packages.
        ascent, descent: of a line, in thousandths of the size.
        widths: of the catalogue's texts, over those in Nasij Sans: Latin in 400 and 600, Arabic in 400 and 600.
        heaviest: the weight of the source that is shown as 600.
    """

    key: str
    name: str
    package: str
    ascent: int
    descent: int
    widths: tuple[float, float, float, float]
    heaviest: int = 600


FAMILIES = (
    Family("readex", "Readex Pro", "readex-pro", 1000, 250, (1.0707, 1.0765, 1.1832, 1.158)),
    # Its 600 is hardly heavier than its 400.
    Family("cairo", "Cairo", "cairo", 1303, 571, (0.9378, 0.9318, 1.1105, 1.15), heaviest=700),
    Family("vazirmatn", "Vazirmatn", "vazirmatn", 1025, 537, (0.9984, 0.9713, 1.0631, 1.0265)),
)
LATIN_RANGE = (
    "U+0000-00FF,U+0131,U+0152-0153,U+02C6,U+02DA,U+02DC,U+2000-200B,U+2012-2065,U+206A-206F,U+20AC,U+2122,U+2190-2193,U+2212,U+2215"
)
ARABIC_RANGE = "U+0600-06FF,U+0750-077F,U+200C-200F,U+2010-2011,U+2066-2069,U+FB50-FDFF,U+FE70-FEFC"
# What devices have before a font arrives, by script and weight, and how wide Nasij Sans is over each (as in static/css/fonts.css).
STAND_INS = (
    ("Arial", 0, 400, ("Arial", "Liberation Sans", "Helvetica"), 1.012),
    ("Arial", 0, 600, ("Arial Bold", "Liberation Sans Bold", "Helvetica Bold"), 0.967),
    ("Roboto", 0, 400, ("Roboto",), 1.013),
    ("Roboto", 0, 600, ("Roboto Bold",), 1.032),
    ("Noto", 1, 400, ("Noto Sans Arabic", "Noto Sans Arabic UI"), 0.934),
    ("Noto", 1, 600, ("Noto Sans Arabic Bold", "Noto Sans Arabic UI Bold"), 0.926),
    ("DejaVu", 0, 400, ("DejaVu Sans",), 0.886),
    ("DejaVu", 0, 600, ("DejaVu Sans Bold",), 0.811),
    ("DejaVu", 1, 400, ("DejaVu Sans",), 0.894),
    ("DejaVu", 1, 600, ("DejaVu Sans Bold",), 0.786),
)


def _sans(script: str, keep: set[int], weight: int, *, name: str = "") -> Face:
    source = f"@fontsource/ibm-plex-sans-arabic/files/ibm-plex-sans-arabic-{script}-{weight}-normal.woff2"
    return Face(f"nasij-sans-{name or script}-{weight}.woff2", source, frozenset(keep), SANS, weight)


def _chosen(family: Family, script: str, keep: set[int]) -> Face:
    source = f"@fontsource-variable/{family.package}/files/{family.package}-{script}-wght-normal.woff2"
    return Face(f"{family.key}-{script}.woff2", source, frozenset(keep), "", 0, family.heaviest)


FACES = (
    _sans("arabic", ARABIC, 400),
    _sans("arabic", ARABIC, 600),
    _sans("latin", LATIN, 400),
    _sans("latin", LATIN, 600),
    _sans("arabic", SWITCH, 600, name="switch"),
    Face("nasij-mono-400.woff2", "@fontsource/ibm-plex-mono/files/ibm-plex-mono-latin-400-normal.woff2", frozenset(CODE), MONO, 400),
    *(_chosen(family, script, keep) for family in FAMILIES for script, keep in (("arabic", ARABIC), ("latin", LATIN))),
)


def _naskh(script: str, weight: int, family: str) -> Face:
    source = f"@fontsource/noto-naskh-arabic/files/noto-naskh-arabic-{script}-{weight}-normal.woff2"
    return Face(f"naskh-{script}-{weight}.ttf", source, frozenset(), family, weight)


# What PDF documents are set in; never sent to a browser. Two families, because a typesetter takes one file for each name and weight.
DOCUMENT_FACES = tuple(
    _naskh(script, weight, family)
    for script, family in (("arabic", "Noto Naskh Arabic"), ("latin", "Naskh Latin"))
    for weight in (400, 700)
)


def make(face: Face, packages: Path) -> bytes:
    """Return the file of one face, woff2 for pages and ttf for documents; the same input gives the same bytes."""
    font = TTFont(packages / face.source, recalcTimestamp=False)
    if face.name.endswith(".ttf"):
        return _saved(font, face, flavor=None)
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
    if face.weight == 0:
        instantiateVariableFont(font, {"wght": (400, face.heaviest)}, inplace=True)
        font["fvar"].axes[0].maxValue = 600
    return _saved(font, face, flavor="woff2")


def _saved(font: TTFont, face: Face, *, flavor: str | None) -> bytes:
    if face.family:
        _rename(font, face)
    font.flavor = flavor
    out = BytesIO()
    font.save(out, reorderTables=True)
    return out.getvalue()


def stylesheet(family: Family) -> str:
    """Return the faces of a family that a theme may choose, and what stands in for it until it arrives, scaled to its width and line."""
    faces = [
        {
            "font-family": f'"{family.name}"',
            "font-weight": "400 600",
            "font-display": "swap",
            "src": f'url("./fonts/{family.key}-{script}.woff2") format("woff2")',
            "unicode-range": characters,
        }
        for script, characters in (("arabic", ARABIC_RANGE), ("latin", LATIN_RANGE))
    ]
    for name, script, weight, local, width in STAND_INS:
        scale = width * family.widths[2 * script + (weight == 600)]
        faces.append(
            {
                "font-family": f'"{family.name} {name}"',
                "font-weight": str(weight),
                "src": ",".join(f'local("{each}")' for each in local),
                "size-adjust": f"{scale:.1%}",
                "ascent-override": f"{family.ascent / 1000 / scale:.1%}",
                "descent-override": f"{family.descent / 1000 / scale:.1%}",
                "line-gap-override": "0%",
                "unicode-range": ARABIC_RANGE if script else LATIN_RANGE,
            }
        )
    return "".join(f"@font-face{{{';'.join(f'{name}:{value}' for name, value in face.items())}}}\n" for face in faces)


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
