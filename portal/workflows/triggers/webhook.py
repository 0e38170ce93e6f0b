"""Started by a request of another system: signed or not, answered at once or with what the run says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.i18n.words import ngettext
from portal.workflows.definition import Field
from portal.workflows.triggers.base import Place, between, kept
from portal.workflows.triggers.manual import Simple

PROOFS = (
    ("standard", _l("a signature (Standard Webhooks)")),
    ("header", _l("a secret in a header")),
    ("none", _l("nothing: whoever knows the address may start runs")),
)
ANSWERS = (("accepted", _l("at once, with the address of the run")), ("wait", _l("with what the step “Answer the caller” says")))
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}\Z", re.ASCII)
TAKEN = frozenset({"host", "content-type", "content-length", "cookie", "connection", "transfer-encoding", "idempotency-key", "webhook-id",
                   "webhook-timestamp", "webhook-signature"})  # fmt: skip
MAX_WAIT_S = 25
MAX_PER_MINUTE = 60_000


class Webhook(Simple):
    kind: ClassVar[str] = "webhook"
    icon: ClassVar[str] = "webhook"
    label: ClassVar[Any] = _l("When another system calls")
    description: ClassVar[Any] = _l("An address that takes JSON, forms, text and CloudEvents; each delivery starts one run.")
    has_address: ClassVar[bool] = True
    maps_inputs: ClassVar[bool] = True
    fields: ClassVar[tuple[Field, ...]] = (
        Field("proof", "choice", _l("The caller proves itself by"), choices=PROOFS, default="standard"),
        Field(
            "header",
            "code",
            _l("Name of the header"),
            _l("Only for a secret in a header, for example X-Api-Key."),
            default="X-Webhook-Secret",
        ),
        Field("reply", "choice", _l("Nasij answers"), choices=ANSWERS, default="accepted"),
        Field("wait_s", "number", _l("Wait at most so many seconds"), _l("After that the caller gets the address of the run."), default=10),
        Field("per_minute", "number", _l("At most so many calls in a minute"), _l("More are told to come back later."), default=600),
        Field(
            "types",
            "code",
            _l("Only CloudEvents of these types"),
            _l("With commas between them; a * at the end stands for anything. Empty: whatever comes."),
        ),
    )

    def problems(self, config: Mapping[str, Any], place: Place) -> dict[str, Any]:
        name = config["header"]
        wrong_name = config["proof"] == "header" and (not HEADER.match(name) or name.lower() in TAKEN)
        limit = between(config["per_minute"], 1, MAX_PER_MINUTE, _l("Between 1 and %(num)d.", num=MAX_PER_MINUTE))
        return kept(
            [
                ("header", _l("Give a name of a header that is not used otherwise, for example X-Api-Key.") if wrong_name else None),
                ("wait_s", between(config["wait_s"], 1, MAX_WAIT_S, _l("Between 1 and %(num)d.", num=MAX_WAIT_S))),
                ("per_minute", limit),
            ]
        )

    def words(self, config: Mapping[str, Any]) -> list[Any]:
        said = [_("The caller proves itself by: %(proof)s.", proof=dict(PROOFS).get(config["proof"], ""))]
        if config["reply"] == "wait":
            said.append(
                ngettext("Waits up to %(num)d second for the answer.", "Waits up to %(num)d seconds for the answer.", config["wait_s"])
            )
        return said


def takes(config: Mapping[str, Any], event_type: str) -> bool:
    """Say whether a CloudEvent of this type may start a run."""
    wanted = [each.strip() for each in config.get("types", "").split(",") if each.strip()]
    return not wanted or any(event_type.startswith(each[:-1]) if each.endswith("*") else event_type == each for each in wanted)
