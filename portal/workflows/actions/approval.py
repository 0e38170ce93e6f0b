"""Ask people to approve something."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions import asking
from portal.workflows.actions.base import Call, Outcome
from portal.workflows.definition import Field

APPROVE = {"key": "approve", "label": "Approve", "label_ar": "موافقة", "tone": "success"}
REJECT = {"key": "reject", "label": "Reject", "label_ar": "رفض", "tone": "danger"}
RETURN = {"key": "return", "label": "Send back", "label_ar": "إعادة للتعديل", "tone": "warning"}
WAYS = (APPROVE, RETURN, REJECT)


class Approval:
    kind: ClassVar[str] = "approval"
    icon: ClassVar[str] = "stamp"
    label: ClassVar[Any] = _l("Approval")
    description: ClassVar[Any] = _l("Ask people to approve or reject; the run waits for them")
    fields: ClassVar[tuple[Field, ...]] = (
        *asking.TITLE,
        asking.PEOPLE,
        Field("may_return", "boolean", _l("They may also send it back for changes"), default=False),
        asking.LANES,
        *asking.REST,
    )
    begins: ClassVar[dict[str, Any]] = {"own_lanes": True}
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = asking.OUTPUTS

    def effect(self, config: dict[str, Any]) -> str:
        return "db"

    def perform(self, call: Call) -> Outcome:
        return asking.ask(call, [APPROVE, *([RETURN] if call.config["may_return"] else []), REJECT])

    def check(self, config: dict[str, Any], deadline_s: int) -> list[tuple[str, Any]]:
        """Return what is wrong with the settings beyond their fields: (field, sentence)."""
        return asking.problems_of(config, deadline_s)
