"""Things of an organisation that a definition names by id, named so that another organisation can find its own.

An id becomes a text such as `connection=slack/Team`, and on the way back an id again where there is such a thing here that the importer
may use. Where there is none the text stays, so that the check of the draft names it and the next export says the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any
from uuid import UUID

from portal.connections import service as connections
from portal.datatables import service as tables
from portal.identity import service as identity
from portal.workflows import queries
from portal.workflows.actions.registry import fields_of
from portal.workflows.calendars import service as calendars
from portal.workflows.definition import REFERRING, Field, Node, Settings

LISTS = {"connection": "connections", "workflow": "workflows", "calendar": "calendars", "people": "people"}
Found = tuple[str, str, str]  # step ("" is the start), kind of thing, what it is called


class Book:
    """The things of one organisation by id and by name; read when they are first needed."""

    def __init__(self, tenant_id: UUID, *, may_use_connections: bool = True) -> None:
        self.tenant_id, self.may_use = tenant_id, may_use_connections
        self._by_name: dict[str, dict[str, str]] = {}
        self._usable: dict[tuple[str, str], dict[str, str]] = {}

    @cached_property
    def connections(self) -> dict[str, str]:
        return {str(each.id): f"connection={each.kind}/{each.name}" for each in connections.list_connections(self.tenant_id)}

    @cached_property
    def workflows(self) -> dict[str, str]:
        return {str(row.id): f"workflow={row.name}" for row in queries.workflow_names(self.tenant_id)}

    @cached_property
    def calendars(self) -> dict[str, str]:
        return {str(id_): f"calendar={name}" for id_, name in calendars.named(self.tenant_id)}

    @cached_property
    def people(self) -> dict[str, str]:
        return {designation: f"{designation.partition(':')[0]}={name}" for designation, name in identity.named(self.tenant_id)}

    @cached_property
    def tables(self) -> frozenset[str]:
        return frozenset(tables.names(self.tenant_id))

    def out(self, nodes: list[Node], settings: Settings) -> tuple[list[Node], Settings]:
        """Return a definition with names in the place of ids."""
        named = [_each(node, self._name) for node in nodes]
        wanted = settings.get("error_workflow")
        return named, {**settings, "error_workflow": self.workflows.get(str(wanted), wanted)} if wanted else settings

    def back(self, nodes: list[Node], settings: Settings, *, workflow_id: UUID) -> tuple[list[Node], Settings, list[Found]]:
        """Return a definition with ids in the place of names, and what is not here."""
        left: list[Found] = []
        found = [_each(node, partial(self._id, node=node, workflow_id=workflow_id, left=left)) for node in nodes]
        wanted = settings.get("error_workflow")
        if wanted:
            ids = self._ids("workflow")
            settings = {**settings, "error_workflow": ids.get(str(wanted), wanted)}
            if str(wanted) not in ids:
                left.append(("", "workflow", _plain(wanted)))
        return found, settings, left

    def _name(self, field: Field, value: Any) -> Any:
        if field.type == "people":
            return [self.people.get(str(each), each) for each in value] if isinstance(value, list) else value
        if field.type == "table":  # its short name is what names it
            return value
        return getattr(self, LISTS[field.type]).get(str(value), value)

    def _id(self, field: Field, value: Any, *, node: Node, workflow_id: UUID, left: list[Found]) -> Any:
        key = str(node["key"])
        if field.type == "people":
            ids = self._here(field, node, workflow_id)
            given = value if isinstance(value, list) else []
            left += [(key, "people", _plain(each)) for each in given if "=" in str(each) and str(each) not in ids]
            return [ids.get(str(each), each) for each in given]
        if field.type == "table":
            left += [(key, "table", str(value))] if value not in self.tables else []
            return value
        ids = self._here(field, node, workflow_id)
        if str(value) in ids:
            return ids[str(value)]
        left.append((key, field.type, _plain(value)))
        return value

    def _here(self, field: Field, node: Node, workflow_id: UUID) -> dict[str, str]:
        """Return name → id of what a field may hold here; asked for once, however many steps have the field."""
        if field.type != "connection":
            return self._ids(field.type)
        asked = (str(node["kind"]), field.name)
        if asked not in self._usable:
            families = [family for family, _label in field.choices]
            chosen = connections.choices(self.tenant_id, families, workflow_id=workflow_id, step_kind=asked[0]) if self.may_use else []
            self._usable[asked] = _alone({id_: self.connections[id_] for id_, _name in chosen})
        return self._usable[asked]

    def _ids(self, kind: str) -> dict[str, str]:
        if kind not in self._by_name:
            self._by_name[kind] = _alone(getattr(self, LISTS[kind]))
        return self._by_name[kind]


def _each(node: Node, change: Callable[[Field, Any], Any]) -> Node:
    config = dict(node.get("config") or {})
    for each in fields_of(node, REFERRING):
        if config.get(each.name):
            config[each.name] = change(each, config[each.name])
    return {**node, "config": config}


def _alone(names: dict[str, str]) -> dict[str, str]:
    """Return name → id of what has its name alone: of two with one name nobody can say which was meant."""
    count = Counter(names.values())
    return {name: id_ for id_, name in names.items() if count[name] == 1}


def _plain(value: Any) -> str:
    return str(value).partition("=")[2] or str(value)
