"""Started by hand, on the page of the workflow."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.definition import Field


class Simple:
    """A kind that is never due by itself and has nothing to set."""

    variant: ClassVar[str] = ""
    fields: ClassVar[tuple[Field, ...]] = ()
    has_address: ClassVar[bool] = False
    maps_inputs: ClassVar[bool] = False

    def problems(self, config: Any, place: Any) -> dict[str, Any]:
        return {}

    def next_after(self, config: Any, moment: Any) -> None:
        return None

    def words(self, config: Any) -> list[Any]:
        return []


class Manual(Simple):
    kind: ClassVar[str] = "manual"
    icon: ClassVar[str] = "play"
    label: ClassVar[Any] = _l("By hand")
    description: ClassVar[Any] = _l("People who may start runs press a button. A double click starts one run.")
