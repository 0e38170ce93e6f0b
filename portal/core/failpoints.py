"""A named point at which a test makes this process fail: before or after the commit of one move of the engine.

Off, a point costs one comparison. It is set by `FAILPOINT=move:side:how:marker`, which only the environment `test` accepts
(`core.config` refuses to start with it elsewhere). It is hit once, whoever comes first: that process makes the file `marker`.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from portal.core.config import Settings

SIDES = ("before", "after")
HOWS = ("raise", "kill", "stop", "cut")


class Struck(RuntimeError):
    """The failure that a point raises: nothing of ours foresees it."""


@dataclass(frozen=True, slots=True)
class Failpoint:
    """Where to fail, and how.

    Args:
        move: the name that a move gives to `db.commits`.
        side: before or after its commit.
        how: raise an error nobody expects, kill or stop the process, or tell the test to cut the connection at this commit.
    """

    move: str
    side: str
    how: str
    marker: Path

    @classmethod
    def read(cls, text: str) -> Failpoint:
        """Read `move:side:how:marker`.

        Raises:
            ValueError: it is not that.
        """
        move, side, how, marker = text.split(":", 3)
        if side not in SIDES or how not in HOWS:
            raise ValueError(text)
        return cls(move, side, how, Path(marker))


armed: Failpoint | None = None


def arm(settings: Settings) -> None:
    """Set the point that the settings name, if they do.

    Raises:
        RuntimeError: this is no test.
    """
    global armed
    if settings.failpoint and settings.environment != "test":
        raise RuntimeError("FAILPOINT is for tests")
    armed = Failpoint.read(settings.failpoint) if settings.failpoint else None


def hit(side: str, moves: list[str]) -> None:
    """Fail here if this is the point, and nobody has failed there yet.

    Raises:
        Struck: as the test asked for.
    """
    # Who cuts the connection at a commit must be told before it, on whichever side of the server's own commit the cut falls.
    if armed is None or armed.move not in moves or side != ("before" if armed.how == "cut" else armed.side):
        return
    try:
        with armed.marker.open("x", encoding="ascii") as file:
            file.write(armed.side)
    except FileExistsError:
        return
    if armed.how == "raise":
        raise Struck(f"{armed.move}:{armed.side}")
    if armed.how in ("kill", "stop"):
        os.kill(os.getpid(), signal.SIGKILL if armed.how == "kill" else signal.SIGSTOP)
