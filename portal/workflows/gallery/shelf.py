"""What the pages of the gallery show: cards by category, what a template does and what it needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from portal.datatables import service as tables
from portal.i18n import search
from portal.i18n.locale import chosen_tag
from portal.workflows import people, stripping
from portal.workflows.definition import Node
from portal.workflows.gallery.models import WorkflowSample
from portal.workflows.samples.catalogue import CATEGORIES, SAMPLES
from portal.workflows.samples.parts import SELF, Sample

OWN = "own"


@dataclass(frozen=True, slots=True)
class Section:
    """One category of the page, with the templates in it that were asked for."""

    key: str
    name: Any
    icon: str
    samples: list[Any]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a template brings and what it leaves to be set up."""

    tables: list[dict[str, Any]]  # name, name_ar, is_there
    people: list[str]
    open_connections: list[Node]
    notes: list[str]
    mails: int
    schedule: Any = None
    inputs: list[dict[str, Any]] = field(default_factory=list)
    days: int = 1


def found(own: Iterable[WorkflowSample], words: str) -> list[Section]:
    """Return every category with its templates that hold all the words, in either language; the organisation's own come first."""
    wanted = search.key(words).split()

    def fits(sample: Any) -> bool:
        text = search.key(sample.name, sample.name_ar, sample.description, sample.description_ar)
        return all(word in text for word in wanted)

    sections = [Section(OWN, None, "building-2", [each for each in own if fits(each)])]
    for key, (name, icon) in CATEGORIES.items():
        sections.append(Section(key, name, icon, [each for each in SAMPLES.values() if each.category == key and fits(each)]))
    return [section for section in sections if section.samples or section.key != "general"]


def needs_of(tenant_id: UUID, nodes: list[Node], settings: dict[str, Any], sample: Sample | None = None) -> Needs:
    """Return what a template needs in this organisation, by the words of the reader."""
    known = tables.names(tenant_id)
    brought = {each.slug: (each.name, each.name_ar) for each in sample.tables} if sample else {}
    used = dict.fromkeys(str(node["config"]["table"]) for node in nodes if node["kind"] == "database" and node["config"].get("table"))
    labels = dict(people.choices(tenant_id))
    asked = dict.fromkeys(who for node in nodes for name in ("candidates", "escalate_to") for who in node["config"].get(name) or ())
    return Needs(
        tables=[
            {"name": (named := known.get(slug) or brought.get(slug) or (slug, None))[0], "name_ar": named[1],
             "is_there": slug in known, "is_made": slug in brought}
            for slug in used
        ],
        people=[str(labels[who]) for who in asked if who in labels],
        open_connections=stripping.left_open(nodes),
        notes=[each.ar if chosen_tag() == "ar" else each.en for each in sample.needs] if sample else [],
        mails=sum(node["kind"] == "email" for node in nodes),
        schedule=sample.schedule if sample else None,
        inputs=list(settings.get("inputs", ())),
        days=max(1, round(settings.get("deadline_s", 86400) / 86400)),
    )  # fmt: skip


def kinds_of(nodes: Iterable[Node]) -> list[str]:
    """Return the kinds of steps, each once, in their order."""
    return list(dict.fromkeys(node["kind"] for node in nodes))


def drawn(nodes: list[Node]) -> list[Node]:
    """Return the steps to draw; one that calls the workflow itself says so by its name."""
    return [{**node, "config": {**node["config"], "workflow": ""}} if node["config"].get("workflow") == SELF else node for node in nodes]
