"""Put a notice into the bell of people of the tenant, in the transaction that ends the step: exactly once."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.identity import service as identity
from portal.notifications import service as notifications
from portal.workflows.actions.base import Call, Done, Failed, Outcome
from portal.workflows.definition import Field


class Notification:
    kind: ClassVar[str] = "notification"
    icon: ClassVar[str] = "bell"
    label: ClassVar[Any] = _l("Notification")
    description: ClassVar[Any] = _l("Tell people here, in the bell")
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "to",
            "choice",
            _l("To"),
            choices=(
                ("starter", _l("Who started the run")),
                ("admins", _l("Owners and admins")),
                ("everyone", _l("Everyone in the organisation")),
            ),
            default="starter",
        ),
        Field("message", "long_text", _l("Message"), required=True),
        Field(
            "severity",
            "choice",
            _l("Weight"),
            choices=(("info", _l("Information")), ("success", _l("Success")), ("warning", _l("Warning")), ("error", _l("Error"))),
            default="info",
        ),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("count", _l("How many people")),)

    def effect(self, config: dict[str, Any]) -> str:
        return "db"

    def perform(self, call: Call) -> Outcome:
        people = self._people(call)
        if not people:
            return Failed("nobody_to_tell")
        notifications.notify(
            call.tenant_id,
            people,
            type="workflow.notification",
            message=str(call.config["message"]),
            severity=call.config["severity"],
            data={"run_id": str(call.run_id), "workflow": call.workflow_name, "workflow_ar": call.workflow_name_ar},
            link=f"/runs/{call.run_id}",
        )
        return Done({"count": len(people)})

    def _people(self, call: Call) -> list[Any]:
        if call.config["to"] == "starter":
            return [call.started_by] if call.started_by else []
        roles = ("owner", "admin") if call.config["to"] == "admins" else None
        return identity.member_ids(call.tenant_id, roles=roles)
