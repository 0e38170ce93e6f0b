"""What can go wrong with workflows and runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.errors import Conflict, PortalError

if TYPE_CHECKING:
    from portal.workflows.definition import Problem


class DraftInvalid(PortalError):
    """The draft breaks at least one rule of the definition; `.problems` says which."""

    status = 422
    code = "draft_invalid"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__()
        self.problems = problems


class NotPublished(Conflict):
    """The workflow has no live version to run."""

    code = "not_published"


class WrongState(Conflict):
    """The run is no longer in a state that allows this."""

    code = "wrong_state"
