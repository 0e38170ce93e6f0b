"""Tasks in the words of the reader."""

from __future__ import annotations

from typing import Any

from portal.core.errors import Conflict
from portal.i18n.locale import current
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.identity import service as identity
from portal.workflows.errors import AlreadyVoted, TaskClosed, TaskTaken

STATES: dict[str, Any] = {"open": _l("Open"), "decided": _l("Decided"), "expired": _l("Expired"), "cancelled": _l("Cancelled")}


def title_of(task: Any) -> str:
    """Return the headline of a task in the reader's language, else in the other."""
    return str((task.title_ar if current().tag == "ar" else task.title) or task.title)


def outcome_of(task: Any, key: str | None) -> str:
    """Return the words of an outcome in the reader's language."""
    found: dict[str, Any] = next((each for each in task.outcomes if each["key"] == key), {})
    return str(
        (found.get("label_ar") if current().tag == "ar" else found.get("label")) or found.get("label") or found.get("label_ar") or key or ""
    )


def tone_of(task: Any) -> str:
    """Return how the decision of a task looks: a designer says it of the outcome, else it is neither good nor bad news."""
    found: dict[str, Any] = next((each for each in task.outcomes if each["key"] == task.outcome), {})
    return {"danger": "danger", "success": "success"}.get(found.get("tone", ""), "info")


def refusal_of(refused: Conflict) -> str:
    """Return why a task could not be decided, taken or handed on."""
    if isinstance(refused, TaskTaken):
        return _("%(person)s has taken this task.", person=identity.names_of([refused.by]).get(refused.by) or _("Somebody"))
    if isinstance(refused, AlreadyVoted):
        return _("You have decided otherwise before, and a decision is never changed.")
    state = refused.state if isinstance(refused, TaskClosed) else ""
    return {
        "decided": _("Somebody else was faster: the decision has fallen. Nothing of yours was counted."),
        "expired": _("The time of this task is up."),
        "cancelled": _("The run has ended, so there is nothing to decide any more."),
    }.get(state, _("Nothing was changed."))
