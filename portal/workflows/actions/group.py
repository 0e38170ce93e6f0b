"""Group: steps that belong together, so that one error lane or one undo lane can stand for all of them."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Opened, Outcome
from portal.workflows.definition import Field


class Group:
    kind: ClassVar[str] = "group"
    icon: ClassVar[str] = "group"
    label: ClassVar[Any] = _l("Group")
    description: ClassVar[Any] = _l("Put steps together: catch their errors or undo them as one")
    fields: ClassVar[tuple[Field, ...]] = ()
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("last", _l("Last result inside")),)

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        return Opened({"total": 1})
