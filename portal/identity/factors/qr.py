"""A text as a square picture that phones read. Pure."""

from __future__ import annotations

import segno


def picture(text: str) -> str:
    """Return the markup of an SVG element, without size, style or script: the page's style sheet gives it its place."""
    made = segno.make(text, error="m", micro=False)
    return str(made.svg_inline(omitsize=True, border=2, dark="#000", light="#fff", svgclass=None, lineclass=None))
