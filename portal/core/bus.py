"""Announce a fact inside the transaction that made it true; listeners write rows or enqueue, nothing slow."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

Event = TypeVar("Event")

_listeners: dict[type, list[Callable[[Any], None]]] = defaultdict(list)


def listen(kind: type[Event]) -> Callable[[Callable[[Event], None]], Callable[[Event], None]]:
    """Call the decorated function for each announced event of this class; registering it twice does nothing."""

    def register(listener: Callable[[Event], None]) -> Callable[[Event], None]:
        if listener not in _listeners[kind]:
            _listeners[kind].append(listener)
        return listener

    return register


def announce(event: object) -> None:
    """Tell every listener of the event's class, in the open transaction; an exception rolls the whole change back."""
    for listener in _listeners[type(event)]:
        listener(event)
