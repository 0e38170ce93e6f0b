"""What SCIM writes: filters, the attributes of users and groups, PATCH as Entra ID and Okta send it. Pure."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.identity.scim.errors import ScimRefused

Document = dict[str, Any]

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
# Attribute → its kind; what else a directory sends is left out, as it does not concern us.
USER_ATTRIBUTES: dict[str, str] = {
    "userName": "text", "externalId": "text", "displayName": "text", "nickName": "text", "title": "text", "userType": "text",
    "preferredLanguage": "text", "locale": "text", "timezone": "text", "profileUrl": "text", "active": "flag", "name": "parts",
    "emails": "list", "phoneNumbers": "list", "addresses": "list", "roles": "list", ENTERPRISE: "parts",
}  # fmt: skip
GROUP_ATTRIBUTES: dict[str, str] = {"displayName": "text", "externalId": "text", "members": "members"}
LONGEST_TEXT = 1_000
MOST_VALUES = 50
MOST_OPERATIONS = 100
MOST_MEMBERS = 5_000
FILTER = re.compile(r'^\s*([A-Za-z.\[\]" ]{1,60}?)\s+eq\s+("(?:[^"\\]|\\.)*")\s*$', re.IGNORECASE)
SELECTED = re.compile(r'^(\w+)\[\s*(\w+)\s+eq\s+("(?:[^"\\]|\\.)*"|true|false)\s*\](?:\.(\w+))?$', re.IGNORECASE)
PLAIN = re.compile(r"^\w+(?:\.\w+)?$")


@dataclass(frozen=True, slots=True)
class Filter:
    """The one kind of filter that directories ask: an attribute equals a text."""

    attribute: str
    value: str


def read_filter(written: str | None, allowed: Iterable[str]) -> Filter | None:
    """Read a filter; None when there is none.

    Raises:
        ScimRefused: it is not `attribute eq "text"` with one of the attributes.
    """
    if not written:
        return None
    found = FILTER.match(written) if len(written) <= LONGEST_TEXT else None
    names = {each.lower(): each for each in allowed}
    attribute = names.get(re.sub(r"\s+", " ", found[1]).lower()) if found else None
    if found is None or attribute is None:
        raise ScimRefused(f'Only `attribute eq "text"` is understood, with one of: {", ".join(names.values())}.', kind="invalidFilter")
    try:
        value = json.loads(found[2])
    except ValueError:
        raise ScimRefused("The text of the filter is not written correctly.", kind="invalidFilter") from None
    return Filter(attribute, _text(value, "filter"))


def read_user(body: Any) -> Document:
    """Return the attributes of a whole user.

    Raises:
        ScimRefused: it is no user, or an attribute has no such value.
    """
    return _whole(body, USER_ATTRIBUTES, "userName")


def read_group(body: Any) -> Document:
    """Return the attributes of a whole group, `members` as a list of ids.

    Raises:
        ScimRefused: it is no group, or an attribute has no such value.
    """
    return _whole(body, GROUP_ATTRIBUTES, "displayName")


def _whole(body: Any, attributes: dict[str, str], needed: str) -> Document:
    if not isinstance(body, dict):
        raise ScimRefused("The body must be a JSON object.", kind="invalidSyntax")
    document: Document = {}
    names = {each.lower(): each for each in attributes}
    for key, value in body.items():
        name = names.get(key.lower())
        if name is not None and value is not None:
            document[name] = _value(name, value, attributes[name])
    if not document.get(needed):
        raise ScimRefused(f"{needed} is missing.", kind="invalidValue")
    return document


def patch(document: Document, body: Any, attributes: dict[str, str]) -> Document:
    """Return a document with the operations of a PATCH carried out, all or none.

    Raises:
        ScimRefused: an operation is not understood.
    """
    operations = _of(body, "Operations")
    if not isinstance(operations, list) or not 1 <= len(operations) <= MOST_OPERATIONS:
        raise ScimRefused(f"Operations must be a list of 1 to {MOST_OPERATIONS}.", kind="invalidSyntax")
    changed = copy.deepcopy(document)
    for each in operations:
        verb, path, value = _of(each, "op"), _of(each, "path"), _of(each, "value")
        verb = verb.lower() if isinstance(verb, str) else ""
        if verb not in ("add", "replace", "remove"):
            raise ScimRefused("op must be add, replace or remove.", kind="invalidSyntax")
        if path is not None and not isinstance(path, str):
            raise ScimRefused("path must be a text.", kind="invalidPath")
        if path:
            _apply(changed, verb, path, value, attributes)
        elif verb == "remove" or not isinstance(value, dict):
            raise ScimRefused("Without a path, value must be an object, and nothing can be removed.", kind="noTarget")
        else:
            for key, part in value.items():
                _apply(changed, verb, key, part, attributes, is_lenient=True)
    return changed


def _of(thing: Any, name: str) -> Any:
    """Return a member of an object whatever the case of its name: Entra ID writes `Op`, others `op`."""
    if not isinstance(thing, dict):
        raise ScimRefused("The body must hold JSON objects.", kind="invalidSyntax")
    return next((value for key, value in thing.items() if key.lower() == name.lower()), None)


def _apply(document: Document, verb: str, path: str, value: Any, attributes: dict[str, str], *, is_lenient: bool = False) -> None:
    path = path.strip()
    for prefix in (f"{USER}:", f"{GROUP}:"):
        if path.lower().startswith(prefix.lower()):
            path = path[len(prefix) :]
    names = {each.lower(): each for each in attributes}
    if path.lower().startswith(ENTERPRISE.lower()) and ENTERPRISE in attributes:
        name, part = ENTERPRISE, path[len(ENTERPRISE) :].lstrip(":.")
        return _set_part(document, name, part, verb, value) if part else _set(document, name, verb, value, attributes)
    if found := SELECTED.match(path):
        name = names.get(found[1].lower(), "")
        if attributes.get(name) == "members":
            return _select_members(document, name, verb, found)
        if attributes.get(name) == "list":
            return _select(document, name, verb, found, value)
    if not PLAIN.match(path) and ":" not in path:
        raise ScimRefused("The path is not understood.", kind="invalidPath")
    head, _dot, part = path.partition(".")
    name = names.get(head.lower(), "")
    if not name:
        if is_lenient or ":" in path:
            return None  # an attribute that does not concern us
        raise ScimRefused("There is no such attribute.", kind="invalidPath")
    if part:
        if attributes[name] != "parts":
            raise ScimRefused("This attribute has no parts.", kind="invalidPath")
        return _set_part(document, name, part, verb, value)
    return _set(document, name, verb, value, attributes)


def _set(document: Document, name: str, verb: str, value: Any, attributes: dict[str, str]) -> None:
    kind = attributes[name]
    if verb == "remove":
        if kind == "members" and value is not None:
            gone = set(_value(name, value, kind))
            document[name] = [each for each in document.get(name, []) if each not in gone]
        else:
            document.pop(name, None)
        return
    checked = _value(name, value, kind)
    if verb == "add" and kind in ("list", "members"):
        known = document.get(name, [])
        checked = [*known, *(each for each in checked if each not in known)]
        if len(checked) > (MOST_MEMBERS if kind == "members" else MOST_VALUES):
            raise ScimRefused(f"{name} has too many values.", kind="invalidValue")
    if kind == "parts":
        checked = {**document.get(name, {}), **checked}
    document[name] = checked


def _set_part(document: Document, name: str, part: str, verb: str, value: Any) -> None:
    parts = dict(document.get(name, {}))
    if verb == "remove":
        parts.pop(part, None)
    else:
        parts[part[:60]] = _plain(value, name)
    if len(parts) > MOST_VALUES:
        raise ScimRefused(f"{name} has too many parts.", kind="invalidValue")
    document[name] = parts


def _select(document: Document, name: str, verb: str, found: re.Match[str], value: Any) -> None:
    """Change the values of a list that the path selects, as in `emails[type eq "work"].value`."""
    key, wanted, part = found[2], _quoted(found[3]), found[4]
    values = [dict(each) for each in document.get(name, [])]
    chosen = [each for each in values if each.get(key) == wanted]
    if verb == "remove":
        if part:
            for each in chosen:
                each.pop(part, None)
        else:
            values = [each for each in values if each not in chosen]
    else:
        if not chosen:
            chosen = [{key: wanted}]
            values += chosen
        for each in chosen:
            each.update({part: _plain(value, name)} if part else _value(name, [value], "list")[0])
    document[name] = values


def _select_members(document: Document, name: str, verb: str, found: re.Match[str]) -> None:
    if verb != "remove" or found[2].lower() != "value" or found[4]:
        raise ScimRefused("Members are selected only to remove them, by their value.", kind="invalidPath")
    wanted = str(_quoted(found[3])).lower()
    document[name] = [each for each in document.get(name, []) if each != wanted]


def _quoted(written: str) -> Any:
    try:
        return json.loads(written if written.startswith('"') else written.lower())
    except ValueError:
        raise ScimRefused("The path is not understood.", kind="invalidPath") from None


def _value(name: str, value: Any, kind: str) -> Any:
    if kind == "text":
        return _text(value, name)
    if kind == "flag":
        return _flag(value, name)
    if kind == "parts":
        if not isinstance(value, dict) or len(value) > MOST_VALUES:
            raise ScimRefused(f"{name} must be an object.", kind="invalidValue")
        return {str(key)[:60]: _plain(part, name) for key, part in value.items() if part is not None}
    values = value if isinstance(value, list) else [value]
    if len(values) > (MOST_MEMBERS if kind == "members" else MOST_VALUES):
        raise ScimRefused(f"{name} has too many values.", kind="invalidValue")
    if kind == "members":
        return list(dict.fromkeys(_member(each) for each in values))
    if not all(isinstance(each, dict) for each in values):
        raise ScimRefused(f"{name} must be a list of objects.", kind="invalidValue")
    return [{str(key)[:60]: _plain(part, name) for key, part in each.items() if part is not None} for each in values]


def _member(value: Any) -> str:
    given = value.get("value") if isinstance(value, dict) else value
    try:
        return str(UUID(given))
    except (ValueError, TypeError, AttributeError):
        raise ScimRefused("A member is named by the id of a user.", kind="invalidValue") from None


def _plain(value: Any, name: str) -> Any:
    """Return a small value of no deeper kind."""
    if isinstance(value, dict):
        value = value.get("value", value.get("displayName", ""))  # a manager, for example
    return value if isinstance(value, bool) else _text(value, name)


def _flag(value: Any, name: str) -> bool:
    if isinstance(value, str):  # Entra ID writes "False"
        value = {"true": True, "false": False}.get(value.lower())
    if not isinstance(value, bool):
        raise ScimRefused(f"{name} must be true or false.", kind="invalidValue")
    return value


def _text(value: Any, name: str) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or "\x00" in value or not _is_text(value):
        raise ScimRefused(f"{name} must be a text of at most {LONGEST_TEXT} characters.", kind="invalidValue")
    return value.strip()


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def address_of(document: Document) -> str:
    """Return the address of a user: the primary one, else the one for work, else the first, else a userName that is one."""
    emails = [each for each in document.get("emails", []) if isinstance(each.get("value"), str) and "@" in each["value"]]
    ranked = sorted(emails, key=lambda each: (each.get("primary") not in (True, "true", "True"), each.get("type") != "work"))
    return str(ranked[0]["value"]) if ranked else str(document["userName"]) if "@" in document["userName"] else ""


def name_of(document: Document) -> str:
    """Return what to call a user; empty when the directory does not say."""
    name = document.get("name", {})
    both = " ".join(str(name[part]) for part in ("givenName", "familyName") if name.get(part))
    return str(document.get("displayName") or name.get("formatted") or both)
