"""What a piece of work uses of the world outside: whoever sends counts it here, whoever asked for the work reads it.

Nothing is kept where nobody measures: counting then costs a look at one variable.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# calls: requests that were written to a line, with each page, each repetition and each token that was fetched for them; sent and
# received: bytes of HTTP calls and of mails, heads with bodies, before TLS; mails: one for each address that a server took; rows: read or
# changed in a table or database, or written into a file.
NAMES = ("calls", "sent", "received", "mails", "rows")

_open: ContextVar[dict[str, int] | None] = ContextVar("used", default=None)


@contextmanager
def measured() -> Iterator[dict[str, int]]:
    """Gather what is counted inside the block; what was counted of nothing has no entry."""
    used: dict[str, int] = {}
    before = _open.set(used)
    try:
        yield used
    finally:
        _open.reset(before)


def count(**amounts: int) -> None:
    """Add to what is being measured in this thread; without a measurement nothing happens."""
    used = _open.get()
    if used is None:
        return
    for name, amount in amounts.items():
        if amount:
            used[name] = used.get(name, 0) + amount
