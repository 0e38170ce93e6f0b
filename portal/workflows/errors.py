"""What can go wrong with workflows and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from portal.core.errors import Conflict, PortalError
from portal.i18n.words import gettext as _

if TYPE_CHECKING:
    from portal.workflows.definition import Problem


class DraftInvalid(PortalError):
    """The draft breaks at least one rule of the definition; `.problems` says which."""

    status = 422
    code = "draft_invalid"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__()
        self.problems = problems


class TooBroad(PortalError):
    """So many runs would have to be opened for their values that it takes too long."""

    status = 422
    code = "too_broad"

    def __init__(self) -> None:
        super().__init__(_("So many runs would have to be opened that it takes too long. Narrow the list by workflow, period or status."))


class NotPublished(Conflict):
    """The workflow has no live version to run."""

    code = "not_published"


class GateFull(Conflict):
    """As many runs of the workflow go on as may, and it refuses more; nothing was started."""

    code = "gate_full"

    def __init__(self) -> None:
        super().__init__(_("As many runs of this workflow go on as may at once. Try again when one of them has ended."))


class WrongState(Conflict):
    """The run is no longer in a state that allows this."""

    code = "wrong_state"


class NeedsApproval(Conflict):
    """The organisation lets nobody publish alone: somebody else must agree first."""

    code = "needs_approval"


class TaskClosed(Conflict):
    """The task is open no more; `.state` says how it ended, `.outcome` what was decided."""

    code = "task_closed"

    def __init__(self, state: str, outcome: str | None = None) -> None:
        super().__init__()
        self.state, self.outcome = state, outcome


class TaskTaken(Conflict):
    """Somebody else has taken the task; `.by` is who."""

    code = "task_taken"

    def __init__(self, by: UUID) -> None:
        super().__init__()
        self.by = by


class AlreadyVoted(Conflict):
    """This person has decided otherwise before, and a vote is never changed."""

    code = "already_voted"


class NobodyNamed(PortalError):
    """Fewer people may decide than must: `.able` of `.need`."""

    status = 422
    code = "nobody_named"

    def __init__(self, able: int, need: int) -> None:
        super().__init__()
        self.able, self.need = able, need
