"""What can be searched for and done from anywhere. Packages register providers in their `wiring.py`; the shell asks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask_babel import force_locale

from portal.core.words import Message


class Kind(StrEnum):
    """What an entry is; the order is the order of the groups while nothing is typed."""

    RECENT = "recent"
    PAGE = "page"
    ACTION = "action"
    WORKFLOW = "workflow"
    RUN = "run"
    TABLE = "table"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the palette, in the reader's language.

    Attributes:
        url: where a page is, or what an action posts to.
        about: a second, quieter text.
        words: more that it is found by, in both languages; never shown.
        is_post: the entry changes something, so it is sent as a form with `name` = `value`.
        presses: selector of a control of the page that does the same in place; it is pressed instead where there is one.
        is_technical: the label is a token that always reads left to right.
    """

    kind: Kind
    label: str
    icon: str
    url: str = ""
    about: str = ""
    words: tuple[str, ...] = ()
    is_post: bool = False
    name: str = ""
    value: str = ""
    presses: str = ""
    is_technical: bool = False


def entry(kind: Kind, text: Message, icon: str, url: str = "", *, also: Message | None = None, **more: Any) -> Entry:
    """Return an entry that is found by its name, and by `also`, in both languages."""
    return Entry(kind, str(text), icon, url, words=tuple(_in_each_language(text, also)), **more)


def _in_each_language(*texts: Message | None) -> list[str]:
    found = []
    for tag in ("ar", "en"):
        with force_locale(tag):
            found += [str(text) for text in texts if text is not None]
    return found


Find = Callable[[str], Iterable[Entry]]
Recall = Callable[[UUID], Entry | None]

_finders: dict[Find, int] = {}
_recalls: dict[str, Recall] = {}


def provide(find: Find, *, place: int) -> None:
    """Ask `find` at each search; registering it twice does nothing.

    Of entries that fit equally well, those of a lower `place` stand first.

    It gets the folded text (empty while nothing is typed) and gives entries that the person may use. What it gives is ranked
    and thinned out afterwards, so it may give too much; it must not give what the person may not see.
    """
    _finders[find] = place


def provide_recall(place: str, recall: Recall) -> None:
    """Let things of a page address `/place/<id>` be shown again as recent ones; `recall` gives None for what is not there."""
    _recalls[place] = recall


def found(text: str) -> list[Entry]:
    """Return what every provider gives for a folded text."""
    return [entry for find in sorted(_finders, key=lambda each: _finders[each]) for entry in find(text)]


def recalled(place: str, thing_id: UUID) -> Entry | None:
    """Return the entry of a page address, or None when it is unknown or not this person's."""
    recall = _recalls.get(place)
    return recall(thing_id) if recall else None
