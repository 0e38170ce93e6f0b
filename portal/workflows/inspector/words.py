"""What becomes of a step in hard times, in plain sentences: cut off, tried again, out of time, failed. Pure."""

from __future__ import annotations

from typing import Any

from portal.i18n.formats import number as formatted
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.i18n.words import ngettext

CUT_OFF: dict[str, Any] = {
    "pure": _l("If the server stops in the middle, the step is worked out again. It reaches nobody, so nothing happens twice."),
    "db": _l("Its work and its result are written together: exactly once, even if the server stops in the middle."),
    "idempotent": _l("If it is cut off, it is done again with the same key, by which the receiver knows what it has had already."),
    "at_least_once": _l("If it is cut off, it is done again. So in rare cases the receiver gets it twice."),
    "unsafe": _l("If it is cut off when it may have been sent, it is not done again by itself: somebody looks and decides."),
}

IF_IT_FAILS: dict[str, Any] = {
    "fail": _l(
        "Once it has failed for good, the error goes to the step around it. Where nothing catches it the run has failed, and what can be taken back is taken back."
    ),
    "continue": _l("Once it has failed for good, the run goes on with the next step. In place of a result, this step then has the error."),
    "lane": _l("Once it has failed for good, the run goes into the lane “If it fails”, whose steps can read the error, and on from there."),
}


def policy(on_error: str) -> Any:
    """Return the sentence about what a failure of the step does."""
    return IF_IT_FAILS.get(on_error, IF_IT_FAILS["fail"])


def fate(effect: str, *, attempts: Any, timeout_s: Any) -> list[Any]:
    """Return the sentences about a step with this effect class and these limits.

    Args:
        attempts, timeout_s: as the form holds them; what is no number is passed over.
    """
    said = [CUT_OFF.get(effect, CUT_OFF["unsafe"])]
    if effect in ("pure", "db"):
        return said
    if isinstance(timeout_s, int):
        said.append(
            ngettext(
                "An attempt without an answer ends after %(num)d second.",
                "An attempt without an answer ends after %(num)d seconds.",
                timeout_s,
            )
        )
    if isinstance(attempts, int) and effect != "unsafe":
        said.append(
            _("It is tried only once.")
            if attempts == 1
            else _("It is tried up to %(num)s times; then it has failed.", num=formatted(attempts))
        )
    return said
