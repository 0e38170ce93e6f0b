"""Parallel: lanes that run side by side, and the join that says when it is enough."""

from __future__ import annotations

from typing import Any, ClassVar

from portal.i18n.words import lazy_gettext as _l
from portal.workflows.actions.base import Call, Failed, Opened, Outcome
from portal.workflows.definition import MAX_LANES, Field, lane_count


class Parallel:
    kind: ClassVar[str] = "parallel"
    icon: ClassVar[str] = "columns-3"
    label: ClassVar[Any] = _l("Side by side")
    description: ClassVar[Any] = _l("Run several lanes at the same time, then go on")
    fields: ClassVar[tuple[Field, ...]] = (
        Field("lanes", "number", _l("How many lanes"), default=2, least=2, most=MAX_LANES),
        Field(
            "join",
            "choice",
            _l("Go on when"),
            choices=(
                ("all", _l("all lanes have succeeded")),
                ("any", _l("one lane has succeeded")),
                ("some", _l("enough lanes have succeeded")),
            ),
            default="all",
        ),
        Field("need", "number", _l("How many are enough"), default=1, least=1, most=MAX_LANES, show_when=("join", ("some",))),
        Field(
            "rest",
            "choice",
            _l("The other lanes then"),
            choices=(("cancel", _l("are cancelled")), ("run", _l("may run to their end"))),
            default="cancel",
            show_when=("join", ("any", "some")),
        ),
    )
    outputs: ClassVar[tuple[tuple[str, Any], ...]] = (
        ("succeeded", _l("How many lanes succeeded")),
        ("lanes", _l("Last result of each lane")),
    )

    def effect(self, config: dict[str, Any]) -> str:
        return "pure"

    def perform(self, call: Call) -> Outcome:
        total, join = lane_count(call.config), call.config["join"]
        need = {"all": total, "any": 1}.get(join) or call.config["need"]
        if not isinstance(need, int) or not 1 <= need <= total:
            return Failed("join_impossible", detail=str(need)[:50])
        return Opened({"total": total, "need": need, "rest": call.config.get("rest", "cancel")})
