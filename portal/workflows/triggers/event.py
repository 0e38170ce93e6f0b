"""Started by something that happened in Nasij itself: a public fact of `portal/events.py`, if a condition holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from portal import events
from portal.i18n.formats import isolate
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.definition import Field
from portal.workflows.triggers.base import Place, between, kept
from portal.workflows.triggers.manual import Simple

# What may start a run, under the name that a builder reads. What is not here (sign-ins, passwords, tokens, support) is nobody's to
# build on: it would show a builder what only those may see who keep the organisation safe.
PUBLIC: dict[str, tuple[type, Any]] = {
    "run.finished": (events.RunFinished, _l("A run ended")),
    "run.started": (events.RunStarted, _l("A run began")),
    "step.in_doubt": (events.StepInDoubt, _l("A step needs a decision")),
    "workflow.published": (events.WorkflowPublished, _l("A version was published")),
    "member.joined": (events.MemberJoined, _l("Somebody became a member")),
    "member.removed": (events.MemberRemoved, _l("Somebody is no member any more")),
    "role.changed": (events.RoleChanged, _l("A member has another role")),
    "theme.published": (events.ThemePublished, _l("A theme was published")),
}
TYPE_OF = {kind: name for name, (kind, _words) in PUBLIC.items()}
MAX_DEPTH = 5
MAX_PER_MINUTE = 600


class Event(Simple):
    kind: ClassVar[str] = "event"
    icon: ClassVar[str] = "megaphone"
    label: ClassVar[Any] = _l("When something happens in Nasij")
    description: ClassVar[Any] = _l("A run ended, a version was published, somebody joined: if your condition holds.")
    maps_inputs: ClassVar[bool] = True
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "event",
            "choice",
            _l("What happens"),
            choices=tuple((name, words) for name, (_kind, words) in PUBLIC.items()),
            default="run.finished",
        ),
        Field("when", "expression", _l("Only if"), _l('True or false, for example input.status == "failed". Empty: always.')),
        Field("per_minute", "number", _l("At most so many in a minute"), _l("More are noted and start nothing."), default=60),
    )

    def problems(self, config: Mapping[str, Any], place: Place) -> dict[str, Any]:
        limit = between(config["per_minute"], 1, MAX_PER_MINUTE, _l("Between 1 and %(num)d.", num=MAX_PER_MINUTE))
        return kept([("per_minute", limit)])

    def words(self, config: Mapping[str, Any]) -> list[Any]:
        said = [_("Starts when: %(what)s.", what=PUBLIC[config["event"]][1])]
        return [*said, _("Only if: %(condition)s.", condition=isolate(config["when"]))] if config["when"] else said


def payload_of(event: Any) -> dict[str, Any]:
    """Return what an event says, as the JSON that a condition reads: everything but the tenant."""
    return {
        field.name: value if isinstance(value := getattr(event, field.name), bool | int | type(None)) else str(value)
        for field in dataclasses.fields(event)
        if field.name != "tenant_id"
    }


def fields_of(name: str) -> list[str]:
    """Return the names that a condition on this event may read."""
    return [field.name for field in dataclasses.fields(PUBLIC[name][0]) if field.name != "tenant_id"]
