"""Uploaded pictures, made anew: pixels re-encoded to WebP, drawings rebuilt from a list of what may be in them. Pure."""

from __future__ import annotations

import hashlib
import re
import warnings
from dataclasses import dataclass
from io import BytesIO
from xml.etree import ElementTree

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from PIL import Image, ImageOps, UnidentifiedImageError

from portal.i18n.words import gettext as _
from portal.tenants.themes.errors import PictureRefused

LARGEST_BYTES = 2_000_000
LARGEST_PIXELS = 20_000_000
# Twice what is shown, for sharp screens: a logo stands 28 px high in the top bar.
BOXES = {"light": (512, 128), "dark": (512, 128), "favicon": (96, 96)}
IN_MAIL = (400, 80)
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = frozenset(
    [
        "svg",
        "g",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "defs",
        "linearGradient",
        "radialGradient",
        "stop",
        "clipPath",
        "mask",
        "title",
        "desc",
    ]
)
ATTRIBUTES = frozenset(
    [
        "id",
        "viewBox",
        "width",
        "height",
        "x",
        "y",
        "x1",
        "y1",
        "x2",
        "y2",
        "cx",
        "cy",
        "r",
        "rx",
        "ry",
        "fx",
        "fy",
        "d",
        "points",
        "transform",
        "fill",
        "fill-opacity",
        "fill-rule",
        "clip-rule",
        "stroke",
        "stroke-width",
        "stroke-linecap",
        "stroke-linejoin",
        "stroke-miterlimit",
        "stroke-dasharray",
        "stroke-dashoffset",
        "stroke-opacity",
        "opacity",
        "offset",
        "stop-color",
        "stop-opacity",
        "gradientUnits",
        "gradientTransform",
        "spreadMethod",
        "clip-path",
        "clipPathUnits",
        "mask",
        "maskUnits",
        "preserveAspectRatio",
        "color",
        "display",
        "visibility",
    ]
)
# What stands inside `style` is read as attributes of the same names; a reference leads only into the drawing itself.
OWN_REFERENCE = re.compile(r"url\(\s*['\"]?#[\w.-]+['\"]?\s*\)\Z")
SAFE_VALUE = re.compile(r"[\w\s.,#%()+/'\"-]*\Z")
SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture fit to be shown; `name` is its hash with its ending."""

    name: str
    media_type: str
    content: bytes
    width: int
    height: int
    lost_parts: bool


def made_anew(content: bytes, slot: str) -> Picture:
    """Return a picture made from what was uploaded, for one of the `BOXES`.

    Raises:
        PictureRefused: it is too large, no picture, or a drawing that cannot be read.
    """
    if not content:
        raise PictureRefused(_("Choose a file."))
    if len(content) > LARGEST_BYTES:
        raise PictureRefused(_("The picture is larger than 2 MB. Make it smaller, or save it as SVG, PNG or WebP."))
    head = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    return _drawing(content) if head.startswith((b"<?xml", b"<svg", b"<!--", b"<!DOCTYPE")) else _pixels(content, slot)


def for_mail(content: bytes) -> tuple[bytes, int, int]:
    """Return a kept picture as a PNG, which every mail program can show, with the width and height at which to show it."""
    picture = Image.open(BytesIO(content), formats=("WEBP",))
    picture.thumbnail(IN_MAIL, Image.Resampling.LANCZOS)
    out = BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue(), max(1, picture.width // 2), max(1, picture.height // 2)


def _pixels(content: bytes, slot: str) -> Picture:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(BytesIO(content), formats=FORMATS)
            if opened.width * opened.height > LARGEST_PIXELS:
                raise PictureRefused(_("The picture has too many pixels. Make it smaller than 4,000 by 4,000."))
            turned = ImageOps.exif_transpose(opened).convert("RGBA")
    except PictureRefused:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureRefused(_("This is no picture that can be read. Upload a PNG, JPEG, WebP, GIF or SVG file.")) from None
    turned.thumbnail(BOXES[slot], Image.Resampling.LANCZOS)
    # A picture of its own: nothing of the file's descriptions, places or colour profiles comes along.
    plain = Image.new("RGBA", turned.size)
    plain.paste(turned)
    out = BytesIO()
    plain.save(out, "WEBP", quality=90, method=6)
    return _named(out.getvalue(), "webp", "image/webp", plain.size, lost_parts=False)


def _drawing(content: bytes) -> Picture:
    try:
        root = fromstring(content, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError):
        raise PictureRefused(_("This drawing cannot be read. Save it again as plain SVG.")) from None
    if root.tag != f"{SVG}svg":
        raise PictureRefused(_("This drawing cannot be read. Save it again as plain SVG."))
    lost: list[str] = []
    clean = _copied(root, lost)
    if clean is None or len(clean) == 0:
        raise PictureRefused(_("Nothing of this drawing may be shown. Save it again as plain SVG, with texts as paths."))
    width, height = _size(root)
    clean.set("viewBox", root.get("viewBox") or f"0 0 {width} {height}")
    ElementTree.register_namespace("", SVG[1:-1])
    made = ElementTree.tostring(clean, encoding="utf-8")
    return _named(made, "svg", "image/svg+xml", (width, height), lost_parts=bool(lost))


def _copied(element: ElementTree.Element, lost: list[str]) -> ElementTree.Element | None:
    name = element.tag.removeprefix(SVG) if isinstance(element.tag, str) else ""
    if name not in ELEMENTS:
        lost.append(name or "comment")
        return None
    copy = ElementTree.Element(f"{SVG}{name}")
    for attribute, value in [*element.attrib.items(), *_styles(element.get("style", ""))]:
        if attribute == "style":
            continue
        if attribute in ATTRIBUTES and _is_safe(value):
            copy.set(attribute, value)
        elif not attribute.startswith(("{", "data-", "class")) and attribute not in ("version", "role"):
            lost.append(attribute)
    if name in ("title", "desc"):
        copy.text = element.text
    copy.extend(child for child in (_copied(each, lost) for each in element) if child is not None)
    return copy


def _styles(style: str) -> list[tuple[str, str]]:
    found = (each.partition(":") for each in style.split(";") if ":" in each)
    return [(name.strip(), value.strip()) for name, _colon, value in found if name.strip() in ATTRIBUTES]


def _is_safe(value: str) -> bool:
    if "url" in value.lower():
        return bool(OWN_REFERENCE.match(value.strip()))
    return bool(SAFE_VALUE.match(value)) and "javascript" not in value.lower()


def _size(root: ElementTree.Element) -> tuple[int, int]:
    box = (root.get("viewBox") or "").replace(",", " ").split()
    if len(box) == 4:
        try:
            return max(1, round(float(box[2]))), max(1, round(float(box[3])))
        except ValueError:
            pass
    read = [SIZE.match(root.get(name) or "") for name in ("width", "height")]
    width, height = (max(1, round(float(found[1]))) if found else 100 for found in read)
    return width, height


def _named(content: bytes, ending: str, media_type: str, size: tuple[int, int], *, lost_parts: bool) -> Picture:
    return Picture(f"{hashlib.sha256(content).hexdigest()[:24]}.{ending}", media_type, content, *size, lost_parts)
