"""Every kind of step, in the order of the picker."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from portal.workflows.actions.aggregate import Aggregate
from portal.workflows.actions.approval import Approval
from portal.workflows.actions.base import Action
from portal.workflows.actions.callback import Callback
from portal.workflows.actions.condition import Condition
from portal.workflows.actions.database import Database
from portal.workflows.actions.dedupe import Dedupe
from portal.workflows.actions.document import Document
from portal.workflows.actions.email import Email
from portal.workflows.actions.filter import Filter
from portal.workflows.actions.foreach import ForEach
from portal.workflows.actions.goto import GoTo
from portal.workflows.actions.group import Group
from portal.workflows.actions.limit import Limit
from portal.workflows.actions.notification import Notification
from portal.workflows.actions.parallel import Parallel
from portal.workflows.actions.repeat import Repeat
from portal.workflows.actions.respond import Respond
from portal.workflows.actions.send_signal import SendSignal
from portal.workflows.actions.set_values import SetValues
from portal.workflows.actions.signal import Signal
from portal.workflows.actions.slack import Slack
from portal.workflows.actions.sort import Sort
from portal.workflows.actions.sql import Sql
from portal.workflows.actions.stop import Stop
from portal.workflows.actions.subworkflow import Subworkflow
from portal.workflows.actions.switch import Switch
from portal.workflows.actions.task import Task
from portal.workflows.actions.teams import Teams
from portal.workflows.actions.transform import Transform
from portal.workflows.actions.wait import Wait
from portal.workflows.actions.webhook import Webhook
from portal.workflows.definition import Field, Node

ACTIONS: dict[str, Action] = {
    action.kind: action
    for action in (
        Email(), Webhook(), Database(), Sql(), Document(), Notification(), Slack(), Teams(), Respond(), Approval(), Task(),
        Condition(), Switch(), Parallel(), ForEach(), Repeat(), Group(), GoTo(), Stop(), Subworkflow(), Wait(), Signal(),
        SendSignal(), Callback(), SetValues(), Transform(), Filter(), Sort(), Limit(), Aggregate(), Dedupe(),
    )
}  # fmt: skip
FIELDS: dict[str, tuple[Field, ...]] = {kind: action.fields for kind, action in ACTIONS.items()}


def fields_of(node: Node, types: Container[str]) -> list[Field]:
    """Return the settings of a step that are of one of these types; none for a kind that is not known."""
    return [field for field in FIELDS.get(str(node.get("kind")), ()) if field.type in types]


def begins(action: Action | None) -> dict[str, Any]:
    """Return the settings that a step of this kind begins with in the designer, where they differ from those of older steps."""
    return dict(getattr(action, "begins", {}))
