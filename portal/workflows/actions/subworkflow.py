"""Sub-workflow: runs another workflow of the organisation and waits for its end, without a worker."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Calls, Failed, Outcome
from portal.workflows.definition import Field


class Subworkflow:
    kind: ClassVar[str] = "subworkflow"
    icon: ClassVar[str] = "workflow"
    label: ClassVar[Any] = _l("Sub-workflow")
    description: ClassVar[Any] = _l("Run another workflow and use its result")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("workflow", "workflow", _l("Workflow"), _l("Its live version at that moment is run."), required=True),
        Field("inputs", "pairs", _l("Inputs"), _l("Key of an input of that workflow, and its value"), default=()),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (("output", _l("Result of the run")), ("run_id", _l("Number of its run")))

    def effect(self, config: dict[str, Any]) -> str:
        return "db"  # the other run is accepted in the transaction that makes this step wait: exactly once

    def perform(self, call: Call) -> Outcome:
        try:
            workflow_id = UUID(str(call.config["workflow"]))
        except ValueError:
            return Failed("child_not_found")
        return Calls(workflow_id, {str(pair["name"]): pair["value"] for pair in call.config["inputs"] or () if pair.get("name")})
