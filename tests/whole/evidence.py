"""What the proof of isolation found, as a report: each test notes what it tried, and the last one written is read by people.

Off unless NASIJ_ISOLATION_REPORT names a folder: `make isolation-report` does, and then every id is tried in every place.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

FOLDER = os.environ.get("NASIJ_ISOLATION_REPORT", "")
IS_WHOLE = bool(FOLDER)

# channel → what is claimed of it
CHANNELS = {
    "routes": "Every route, with the id of the other tenant in each place: 404, never 403; nothing of it shown, no row of it changed.",
    "foreign ids in routes": "Every route with one id, with the id of every other kind of thing of the other tenant: 404 or a page that shows nothing of it.",
    "forms and bodies": "Every route that takes a form, with ids of the other tenant in its fields: no row of it changed, nothing of it shown.",
    "lists": "Every page of one's own, after the other tenant has opened the same: nothing of it shown.",
    "search": "The search from anywhere, its memory and the searches of lists, asked for what is the other tenant's by name, address and id.",
    "jobs": "Every job with ids, called for one tenant with ids of the other: no row of either changed.",
    "exports": "Every list as a file, filtered by ids of the other tenant: no row of it inside.",
    "streams": "Live pages: no stream for a run of the other tenant, and no event of it in one that was opened all the same.",
    "caches": "Fingerprints of pages (ETag), pages kept by browsers, keys and messages in Redis: nothing that one tenant sees comes from another's.",
    "stored files": "Files and pictures by their names and hashes, under the wrong tenant: 404.",
    "logs": "Everything logged while both tenants work, at the most talkative level: no names, addresses or secrets.",
    "rows": "PostgreSQL itself, asked directly as the application: without a tenant no row, with another's none of ours, and none written for it.",
    "planted faults": "One hole of each kind made on purpose: the catalogue gate named every one.",
}

_notes: dict[str, list[dict[str, object]]] = defaultdict(list)
_outcomes: dict[str, str] = {}


def note(channel: str, tried: str, found: object) -> None:
    """Keep what one trial found; the assertion stands beside it, in the test."""
    assert channel in CHANNELS, channel
    if IS_WHOLE:
        _notes[channel].append({"tried": tried, "found": found})


def outcome(test: str, result: str) -> None:
    """Keep how a test ended."""
    if _outcomes.get(test) != "failed":
        _outcomes[test] = result


def write() -> Path | None:
    """Write report.json and report.md; None where no report was asked for."""
    if not IS_WHOLE:
        return None
    folder = Path(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    empty = [channel for channel in CHANNELS if not _notes[channel]]
    whole = {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "held": not empty and bool(_outcomes) and set(_outcomes.values()) == {"passed"},
        "without_evidence": empty,
        "channels": {channel: {"claim": claim, "trials": _notes[channel]} for channel, claim in CHANNELS.items()},
        "tests": _outcomes,
    }
    (folder / "report.json").write_text(json.dumps(whole, indent=1, default=str) + "\n", "utf-8")
    path = folder / "report.md"
    path.write_text(_readable(whole["written"], bool(whole["held"])), "utf-8")
    return path


def _readable(written: object, held: bool) -> str:
    failed = [name for name, result in _outcomes.items() if result != "passed"]
    lines = [
        "# Isolation of tenants",
        "",
        f"Written {written}. **{'Every wall held.' if held else 'NOT PROVEN: see below.'}** {len(_outcomes)} tests, {len(failed)} not passed.",
        "",
        "| Channel | Trials | What is claimed |",
        "|---|---|---|",
        *(f"| {channel} | {len(_notes[channel]) or '**none**'} | {claim} |" for channel, claim in CHANNELS.items()),
        "",
    ]
    for name in failed:
        lines.append(f"- **{_outcomes[name]}**: {name}")
    for channel in CHANNELS:
        lines += ["", f"## {channel.capitalize()}", ""]
        lines += _table(_notes[channel])
    return "\n".join(lines) + "\n"


def _table(notes: list[dict[str, object]]) -> list[str]:
    """Return the trials with the same result together: thousands of lines are read by nobody."""
    together: dict[str, list[str]] = defaultdict(list)
    for each in notes:
        together[str(each["found"])].append(str(each["tried"]))
    rows = ["| Found | Times | Tried |", "|---|---|---|"]
    for found, tried in together.items():
        shown = ", ".join(f"`{each}`" for each in dict.fromkeys(tried[:60]))
        rows.append(f"| {found} | {len(tried)} | {shown}{' …' if len(tried) > 60 else ''} |".replace("\n", " "))
    return rows
