"""XML that came from outside: parsed without entities, without a network, within limits. Knows no table."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from portal.identity.sso.errors import TokenRefused

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
ENCRYPTION = "http://www.w3.org/2001/04/xmlenc#"
NAMES = {"samlp": PROTOCOL, "saml": ASSERTION, "md": METADATA, "ds": SIGNATURE, "xenc": ENCRYPTION}

LARGEST = 200_000
MOST_NODES = 5_000
DEFINES = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
ENCODING = re.compile(r"\A<\?xml[^>]*?\sencoding\s*=\s*[\"']([^\"']*)[\"']")
MOMENT = re.compile(r"\A(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z\Z", re.ASCII)

Element = Any  # lxml has no types


def name(prefix: str, local: str) -> str:
    """Return the full name of an element, for example `name("saml", "Issuer")`."""
    return f"{{{NAMES[prefix]}}}{local}"


def parse(raw: bytes, *, may_comment: bool = False) -> Element:
    """Return the root of a document.

    Args:
        may_comment: comments are dropped instead of refused: in what is written by hand, never in what is signed. Canonical XML leaves
            comments out, so a signature stays good when one is put into the middle of a name, and `a@b<!---->.evil` then reads as `a@b`.

    Raises:
        TokenRefused: it is no XML, too large, defines or uses entities, or holds what nobody asked for.
    """
    if len(raw) > LARGEST:
        raise TokenRefused("too_large")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TokenRefused("xml") from None
    said = ENCODING.match(text)
    # Another encoding would hide from the next check what the parser sees.
    if (said and said[1].lower() not in ("utf-8", "us-ascii")) or DEFINES.search(text):
        raise TokenRefused("doctype")
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, attribute_defaults=False,
        huge_tree=False, remove_comments=may_comment, remove_pis=may_comment,
    )  # fmt: skip
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        raise TokenRefused("xml") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise TokenRefused("doctype")
    for count, node in enumerate(root.iter()):
        if not isinstance(node.tag, str):  # a comment, an instruction or an entity
            raise TokenRefused("comment")
        if count > MOST_NODES:
            raise TokenRefused("too_large")
    return root


def decoded(text: str) -> bytes:
    """Return what a form field of SAML carries in base64.

    Raises:
        TokenRefused: it is none, or too large.
    """
    if len(text) > LARGEST * 4 // 3:
        raise TokenRefused("too_large")
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise TokenRefused("xml") from None
    if not raw:
        raise TokenRefused("xml")
    return raw


def text_of(element: Element | None) -> str:
    """Return the text of an element that holds nothing else; an empty text where there is none.

    Raises:
        TokenRefused: there is more in it than text.
    """
    if element is None:
        return ""
    if len(element):
        raise TokenRefused("form")
    # U+0000 cannot stand in XML; what is trimmed is what pretty-printers add.
    return (element.text or "").strip()


def only(parent: Element, prefix: str, local: str) -> Element:
    """Return the one child of this name.

    Raises:
        TokenRefused: there is none, or more than one.
    """
    found = parent.findall(name(prefix, local))
    if len(found) != 1:
        raise TokenRefused("form")
    return found[0]


def at_most_one(parent: Element, prefix: str, local: str) -> Element | None:
    """Return the child of this name, or None.

    Raises:
        TokenRefused: there is more than one.
    """
    found = parent.findall(name(prefix, local))
    if len(found) > 1:
        raise TokenRefused("form")
    return found[0] if found else None


def moment(text: str | None) -> datetime | None:
    """Return a moment as SAML writes it (UTC, with Z); None when nothing is written.

    Raises:
        TokenRefused: it is no moment.
    """
    if text is None:
        return None
    written = MOMENT.match(text)
    try:
        return datetime.strptime(written[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC) if written else _no_moment()
    except ValueError:
        return _no_moment()


def _no_moment() -> datetime:
    raise TokenRefused("time")


def written(at: datetime) -> str:
    """Return a moment as SAML writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_bytes(element: Element) -> bytes:
    """Return an element as a document of its own, with the namespaces that it uses."""
    made: bytes = etree.tostring(element, with_tail=False)
    return made
