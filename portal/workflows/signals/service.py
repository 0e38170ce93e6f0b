"""The verbs of signals."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.audit import service as audit
from portal.core import db
from portal.core.access import SYSTEM, Actor
from portal.core.errors import Invalid
from portal.i18n.words import lazy_gettext as _l
from portal.workflows import queries as runs
from portal.workflows.errors import WrongState
from portal.workflows.signals import callbacks, kept, queries


def send_signal(
    tenant_id: UUID,
    name: str,
    *,
    key: str,
    payload: Any,
    by: Actor,
    source: str,
    dedup_key: str | None = None,
    run_id: UUID | None = None,
) -> tuple[UUID, bool]:
    """Tell whoever waits for it, now or within thirty days, that something happened; exactly one step takes it.

    Args:
        source: api or page.
        dedup_key: the same key under the same name is the same signal.
        run_id: the only run that may take it.

    Returns:
        The signal's id, and False if the key had been used before.

    Raises:
        Invalid: `.problems` says what is wrong with name, key or payload.
        NotFound: no such run.
    """
    problems = {}
    if not kept.NAME.match(name):
        problems["signal"] = _l("Use letters, digits and _ . : - in the name of a signal, at most 80.")
    if len(key) > kept.LONGEST_KEY or not key.isprintable():
        problems["key"] = _l("Use at most %(num)d characters.", num=kept.LONGEST_KEY)
    if len(db.to_json(payload)) > kept.MAX_PAYLOAD_BYTES:
        problems["payload"] = _l("Send at most 200 kB.")
    if problems:
        raise Invalid(problems)
    with db.transaction(tenant_id):
        if run_id is not None:
            runs.get_run(tenant_id, run_id)
        signal_id, is_new = kept.keep(
            tenant_id, name, key=key, payload=payload, source=source, dedup_key=dedup_key, sent_by=by.id, run_id=run_id
        )
        if is_new:
            audit.record(tenant_id, by, "signal.sent", signal_id, name=name, key=key, **({"run": run_id} if run_id else {}))
    return signal_id, is_new


def send_to_step(tenant_id: UUID, run_id: UUID, node_key: str, payload: Any, *, by: Actor) -> None:
    """Send the signal that a step of a run waits for, to this run alone. A second time while the first is on its way changes nothing.

    Raises:
        NotFound: no such run.
        WrongState: the step does not wait for a signal that people send.
    """
    with db.transaction(tenant_id):
        runs.get_run(tenant_id, run_id)
        wait = queries.open_wait(tenant_id, run_id, node_key)
        if wait is None or wait.name == callbacks.SIGNAL:
            raise WrongState
        dedup = f"page:{wait.step_id}"
        send_signal(tenant_id, wait.name, key=wait.corr_key, payload=payload, by=by, source="page", dedup_key=dedup, run_id=run_id)


def waits_of(tenant_id: UUID, run_id: UUID) -> dict[UUID, Any]:
    """Return name and corr_key of what people may send to the waiting steps of a run, by step."""
    return {step: row for step, row in queries.open_waits(tenant_id, run_id).items() if row.name != callbacks.SIGNAL}


def receive_callback(token: str, payload: Any) -> UUID | None:
    """Take what another system sends to the address of a step; the first answer counts, later ones get the same id and change nothing.

    Returns:
        The id of the answer; None when the address is not ours, or nobody waits behind it any more.

    Raises:
        Invalid: it is too large.
    """
    place = callbacks.read(token)
    if place is None:
        return None
    if len(db.to_json(payload)) > kept.MAX_PAYLOAD_BYTES:
        raise Invalid({"": _l("Send at most 200 kB.")})
    with db.transaction():
        db.enter_tenant(place.tenant_id)
        before = kept.find(place.tenant_id, callbacks.SIGNAL, place.idem_key)
        if before is not None or not queries.may_answer(place.tenant_id, place.run_id, place.idem_key):
            return before
        key = place.idem_key
        signal_id, is_new = kept.keep(
            place.tenant_id, callbacks.SIGNAL, key=key, payload=payload, source="callback", dedup_key=key, run_id=place.run_id
        )
        if is_new:
            audit.record(place.tenant_id, SYSTEM, "callback.received", place.run_id, step=place.node_key)
    return signal_id
