"""The pages of settings: each package offers its own from its wiring; the shell lists them, and the palette finds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import request, url_for

from portal.core.access import Permission, current
from portal.core.words import Message

GROUPS = ("you", "organisation")


@dataclass(frozen=True, slots=True)
class Place:
    """One page of settings.

    Args:
        group: "you" for what concerns only the person, "organisation" for what concerns everybody in it.
        endpoint: of a page without arguments.
        rank: smaller ones stand first in their group.
        permission: who sees it; None means everybody who is signed in.
        note: what is done there, one sentence.
        prefix: endpoints that begin with it belong to this place; empty means its own endpoint only.
    """

    group: str
    label: Message
    endpoint: str
    icon: str
    rank: int
    permission: Permission | None = None
    note: Message | str = ""
    prefix: str = ""

    @property
    def url(self) -> str:
        return url_for(self.endpoint)

    @property
    def is_current(self) -> bool:
        here = request.endpoint or ""
        return here == self.endpoint or bool(self.prefix and here.startswith(self.prefix))


_places: dict[str, Place] = {}


def offer(place: Place) -> None:
    """List a page of settings."""
    assert place.group in GROUPS, place.group
    _places[place.endpoint] = place


def offered(group: str) -> Iterator[Place]:
    """Give the pages of a group that the reader may open."""
    here = current()
    for place in sorted(_places.values(), key=lambda each: each.rank):
        if here is not None and place.group == group and (place.permission is None or here.can(place.permission)):
            yield place
