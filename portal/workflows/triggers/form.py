"""Started by a form on a page of its own: for members who are signed in, or for everybody who has the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.workflows.definition import Field
from portal.workflows.triggers.base import Place, between, kept
from portal.workflows.triggers.manual import Simple
from portal.workflows.triggers.schedule import day_problem, zones

WHO = (("members", _l("members of the organisation who are signed in")), ("everybody", _l("everybody who has the address")))
MAX_PER_HOUR = 1_000


class Form(Simple):
    kind: ClassVar[str] = "form"
    icon: ClassVar[str] = "file-text"
    label: ClassVar[Any] = _l("With a form")
    description: ClassVar[Any] = _l("A page that asks for the inputs of the workflow, in both languages.")
    has_address: ClassVar[bool] = True
    fields: ClassVar[tuple[Field, ...]] = (
        Field("who", "choice", _l("The form is for"), choices=WHO, default="members"),
        Field("title", "text", _l("Title"), _l("Empty: the name of the workflow.")),
        Field("title_ar", "text", _l("Title in Arabic")),
        Field("intro", "long_text", _l("Words above the form")),
        Field("intro_ar", "long_text", _l("Words above the form, in Arabic")),
        Field("thanks", "long_text", _l("Words after sending"), _l("Empty: a plain thank-you.")),
        Field("thanks_ar", "long_text", _l("Words after sending, in Arabic")),
        Field("ends_on", "day", _l("Last day"), _l("Year first, in either calendar. Empty: without an end.")),
        Field("zone", "zone", _l("Time zone of that day"), required=True, default=""),
        Field("per_hour", "number", _l("At most so many from one network in an hour"), default=20),
    )

    def problems(self, config: Mapping[str, Any], place: Place) -> dict[str, Any]:
        limit = between(config["per_hour"], 1, MAX_PER_HOUR, _l("Between 1 and %(num)d.", num=MAX_PER_HOUR))
        zone = None if config["zone"] in zones() else _l("Choose a time zone from the list, for example Asia/Riyadh.")
        return kept([("per_hour", limit), ("ends_on", day_problem(config["ends_on"])), ("zone", zone)])

    def words(self, config: Mapping[str, Any]) -> list[Any]:
        return [_("The form is for: %(who)s.", who=dict(WHO)[config["who"]])]
