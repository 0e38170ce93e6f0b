"""What a person copied last: kept in their session as the name of it — workflow, revision, steps — and read again when it is pasted.

A revision's number names one content for ever, so nothing is stored twice, and who may not see the workflow any more, or is in
another organisation now, has nothing to paste.
"""

from __future__ import annotations

from uuid import UUID

from flask import session

from portal.core.errors import NotFound
from portal.workflows.definition import Node
from portal.workflows.designer import drafts, several

COPIED = "copied_steps"


def keep(tenant_id: UUID, workflow_id: UUID, revision: int, keys: list[str]) -> None:
    """Remember steps of a draft as it stands at a revision."""
    session[COPIED] = {"tenant": str(tenant_id), "workflow": str(workflow_id), "revision": revision, "keys": keys}


def count(tenant_id: UUID) -> int:
    """Return how many steps were chosen to be copied in this organisation; 0 for none."""
    kept = session.get(COPIED) or {}
    return len(kept.get("keys", ())) if kept.get("tenant") == str(tenant_id) else 0


def part(tenant_id: UUID) -> list[Node] | None:
    """Return the copied steps with everything in their lanes; None when there are none, or they are not kept any more."""
    kept = session.get(COPIED)
    if not kept or kept.get("tenant") != str(tenant_id):
        return None
    try:
        content = drafts.as_it_was(tenant_id, UUID(kept["workflow"]), kept["revision"])
        return several.part_of(content[0], kept["keys"]) if content else None
    except NotFound:
        return None
