"""What other packages may ask of the history of runs."""

from __future__ import annotations

from portal.workflows.history.events import export, head_of

__all__ = ["export", "head_of"]
