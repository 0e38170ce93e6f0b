"""What can be wrong with a file of workflows."""

from __future__ import annotations

from typing import Any

from portal.core.errors import PortalError


class FileRefused(PortalError):
    """Nothing of the file was taken; `.problems` are whole sentences, at most ten of them."""

    status = 422
    code = "file_refused"

    def __init__(self, *problems: Any) -> None:
        super().__init__(str(problems[0]))
        self.problems = list(problems)[:10]
