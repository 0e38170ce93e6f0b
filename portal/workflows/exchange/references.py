"""Things of an organisation that a definition names by id, named so that another organisation can find its own.

An id becomes a text such as `connection=slack/Team`, and on the way back an id again where there is such a thing here that the importer
may use. Where there is none the text stays, so that the check of the draft names it and the next export says the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import Any
from uuid import UUID

from portal.connections import service as connections
from portal.datatables import service as tables
from portal.identity import service as identity
from portal.workflows import queries
from portal.workflows.actions.registry import FIELDS
from portal.workflows.calendars import service as calendars
from portal.workflows.definition import Field, Node, Settings

REFERRING = frozenset({"connection", "workflow", "calendar", "people", "table"})
Found = tuple[str, str, str]  # step ("" is the start), kind of thing, what it is called


class Book:
    """The things of one organisation by id and by name; read when they are first needed."""

    def __init__(self, tenant_id: UUID, *, may_use_connections: bool = True) -> None:
        self.tenant_id, self.may_use = tenant_id, may_use_connections

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
        named = [self._each(node, lambda field, value: self._name(field.type, value)) for node in nodes]
        wanted = settings.get("error_workflow")
        return named, {**settings, "error_workflow": self.workflows.get(str(wanted), wanted)} if wanted else settings

    def back(self, nodes: list[Node], settings: Settings, *, workflow_id: UUID) -> tuple[list[Node], Settings, list[Found]]:
        """Return a definition with ids in the place of names, and what is not here."""
        left: list[Found] = []
        found = []
        for node in nodes:
            key, kind = str(node["key"]), str(node.get("kind"))
            found.append(self._each(node, lambda field, value, key=key, kind=kind: self._id(field, value, key, kind, workflow_id, left)))  # type: ignore[misc]
        wanted = settings.get("error_workflow")
        if wanted:
            ids = _ids(self.workflows)
            settings = {**settings, "error_workflow": ids.get(str(wanted), wanted)}
            if str(wanted) not in ids:
                left.append(("", "workflow", _plain(wanted)))
        return found, settings, left

    def _each(self, node: Node, change: Callable[[Field, Any], Any]) -> Node:
        config = dict(node.get("config") or {})
        for each in FIELDS.get(str(node.get("kind")), ()):
            if each.name in config and each.type in REFERRING and config[each.name]:
                config[each.name] = change(each, config[each.name])
        return {**node, "config": config}

    def _name(self, kind: str, value: Any) -> Any:
        if kind == "people":
            return [self.people.get(str(each), each) for each in value] if isinstance(value, list) else value
        known = {"connection": self.connections, "workflow": self.workflows, "calendar": self.calendars}.get(kind, {})
        return known.get(str(value), value)

    def _id(self, field: Field, value: Any, key: str, step_kind: str, workflow_id: UUID, left: list[Found]) -> Any:
        if field.type == "people":
            ids = _ids(self.people)
            given = value if isinstance(value, list) else []
            left += [(key, "people", _plain(each)) for each in given if "=" in str(each) and str(each) not in ids]
            return [ids.get(str(each), each) for each in given]
        if field.type == "table":
            left += [(key, "table", str(value))] if value not in self.tables else []
            return value
        if field.type == "connection":
            families = [family for family, _label in field.choices]
            usable = (
                dict(connections.choices(self.tenant_id, families, workflow_id=workflow_id, step_kind=step_kind)) if self.may_use else {}
            )
            ids = _ids({id_: self.connections[id_] for id_ in usable})
        else:
            ids = _ids(self.workflows if field.type == "workflow" else self.calendars)
        if str(value) in ids:
            return ids[str(value)]
        left.append((key, field.type, _plain(value)))
        return value


def _ids(names: dict[str, str]) -> dict[str, str]:
    """Return name → id of what has its name alone: of two with one name nobody can say which was meant."""
    count = Counter(names.values())
    return {name: id_ for id_, name in names.items() if count[name] == 1}


def _plain(value: Any) -> str:
    return str(value).partition("=")[2] or str(value)
