"""Code inside of our own sentences: `${ input.name }`, `{"id": 1}`, `:name`, `https://` keep their order among Arabic. Pure."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

# A run of Latin signs, without the stops of the sentence around it; it is code where one of these signs is in it.
RUN = re.compile(r"(?::(?=[a-z])|[^\s.,;:!?()\x7f-\uffff])(?:[ -~]*[^\s.,;:!?(\x7f-\uffff])?")
CODE = re.compile(r"[${}]|:(?=[a-z/])|\(\)")
ARABIC = re.compile("[\u0600-\u06ff]")


def coded(text: object) -> str:
    """Return a sentence for HTML, each piece of code in it set apart from left to right; what is in Latin script alone stays as it is."""
    if isinstance(text, Markup) or not text or not ARABIC.search(said := str(text)):
        return text if isinstance(text, Markup) else str(text or "")
    made, place = Markup(""), 0
    for found in RUN.finditer(said):
        if CODE.search(found[0]):
            made += escape(said[place : found.start()]) + Markup('<bdi dir="ltr">{}</bdi>').format(found[0])
            place = found.end()
    return made + escape(said[place:])
