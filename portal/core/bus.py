"""Announce a fact inside the transaction that made it true; listeners write rows or enqueue, nothing slow."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Event = TypeVar("Event")

_listeners: dict[type, list[Callable[[Any], None]]] = defaultdict(list)


_is_muted: ContextVar[bool] = ContextVar("is_muted", default=False)


@contextmanager
def muted() -> Iterator[None]:
    """Let nothing be announced inside the block: for what is only tried and rolled back in any case."""
    token = _is_muted.set(True)
    try:
        yield
    finally:
        _is_muted.reset(token)


def listen(kind: type[Event]) -> Callable[[Callable[[Event], None]], Callable[[Event], None]]:
    """Call the decorated function for each announced event of this class; registering it twice does nothing."""

    def register(listener: Callable[[Event], None]) -> Callable[[Event], None]:
        if listener not in _listeners[kind]:
            _listeners[kind].append(listener)
        return listener

    return register


def announce(event: object) -> None:
    """Tell every listener of the event's class, in the open transaction; an exception rolls the whole change back."""
    for listener in () if _is_muted.get() else _listeners[type(event)]:
        listener(event)
