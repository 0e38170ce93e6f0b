"""What became of each node or step of a file: codes and what they are about, never sentences, so that they can be kept. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

MAPPED, CHANGED, REVIEW = "mapped", "changed", "review"
LEVELS = (MAPPED, CHANGED, REVIEW)
MOST_WORDS = 8
LONGEST_ARGUMENT = 200


@dataclass(slots=True)
class Line:
    """One node of the file: what it was, the step that stands for it now, and what to know of it."""

    name: str
    type: str
    level: str = MAPPED
    step: str | None = None
    words: list[tuple[str, str]] = field(default_factory=list)  # code, what it is about

    def say(self, level: str, code: str, about: Any = "") -> None:
        """Add a sentence; a line is never better than the worst of them."""
        self.level = max(self.level, level, key=LEVELS.index)
        word = (code, str(about)[:LONGEST_ARGUMENT])
        if word not in self.words and len(self.words) < MOST_WORDS:
            self.words.append(word)


@dataclass(slots=True)
class Report:
    """What became of a file: a line for each node, and what is true of the whole."""

    source: str  # nasij or n8n
    lines: list[Line] = field(default_factory=list)
    general: list[tuple[str, str]] = field(default_factory=list)

    def say(self, code: str, about: Any = "") -> None:
        """Add a sentence about the whole file."""
        word = (code, str(about)[:LONGEST_ARGUMENT])
        if word not in self.general:
            self.general.append(word)

    def counts(self) -> dict[str, int]:
        """Return level → how many nodes."""
        found = Counter(line.level for line in self.lines)
        return {level: found[level] for level in LEVELS}

    def kept(self) -> dict[str, Any]:
        """Return it as JSON, for the audit book and for programs."""
        return {
            "source": self.source,
            "general": [list(word) for word in self.general],
            "lines": [
                {"name": line.name, "type": line.type, "level": line.level, "step": line.step, "words": [list(word) for word in line.words]}
                for line in self.lines
            ],
        }


def read(kept: dict[str, Any]) -> Report:
    """Return a report from what `kept` gave."""
    lines = [
        Line(each["name"], each["type"], each["level"], each["step"], [(word[0], word[1]) for word in each["words"]])
        for each in kept["lines"]
    ]
    return Report(kept["source"], lines, [(word[0], word[1]) for word in kept["general"]])
