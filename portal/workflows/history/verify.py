"""Check an exported history without a database: `portal verify-history FILE`, or `python -m portal.workflows.history.verify FILE`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import BinaryIO

from portal.workflows.history.chain import MAX_LINE, Broken, Head, verify_file

SAID = {
    "changed": "is not as it was written",
    "moved": "does not stand behind the event before it: one was taken out, put in or moved",
    "number": "does not have the number that follows",
    "short": "is missing: the history ends too early",
    "long": "is one more than the history has",
}


def check(path: str, *, expected: str | None = None) -> Head:
    """Check a file, holding one line of it at a time.

    Raises:
        Broken: it is not what was exported; the first wrong event is named.
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        return verify_file(_lines(file), expected=expected)


def said(broken: Broken) -> str:
    """Say in a sentence what is wrong."""
    if broken.reason == "head":
        return "The last event is not the one that the head names."
    if broken.reason == "file":
        return "The file is not as it was exported: its first line or its end was changed."
    return f"Event {broken.seq} {SAID[broken.reason]}."


def main(arguments: list[str]) -> int:
    """Check one file and print the verdict; returns 0 when it holds, 1 when it does not."""
    if len(arguments) not in (1, 2):
        sys.stderr.write("usage: python -m portal.workflows.history.verify FILE [HASH OF THE LAST EVENT]\n")
        return 2
    try:
        head = check(arguments[0], expected=arguments[1] if len(arguments) == 2 else None)
    except Broken as broken:
        sys.stdout.write(f"BROKEN: {said(broken)}\n")
        return 1
    sys.stdout.write(f"OK: {head.count} events of run {head.run}; the last one has the hash {head.hash}.\n")
    return 0


def _lines(file: BinaryIO) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_LINE):
        try:
            yield line.decode()
        except UnicodeDecodeError:
            raise Broken(number, "changed" if number else "file") from None
        number += 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
