"""The verbs of triggers; each is one transaction, audited, announced."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text

from portal import events
from portal.audit import service as audit
from portal.core import bus, clock, db
from portal.core.access import Actor
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.ids import new_id
from portal.core.secrets import new_token, seal, token_hash, unseal
from portal.i18n.words import gettext as _
from portal.workflows import queries as workflows
from portal.workflows.triggers import arriving, base, mapping, queries, signing, wording
from portal.workflows.triggers.arriving import Arrival
from portal.workflows.triggers.base import Kind, Place
from portal.workflows.triggers.models import BUILT_IN, WorkflowReceipt, WorkflowTrigger
from portal.workflows.triggers.registry import of

MOST_TRIGGERS = 50
MOST_SECRETS = 5
OVERLAPS_H = (0, 1, 24, 168)
KEPT_DAYS = 90


class TurnedOff(Conflict):
    """This way of starting the workflow is switched off."""

    code = "start_off"


def start_by_person(
    tenant_id: UUID,
    workflow_id: UUID,
    kind: str,
    *,
    given: dict[str, Any],
    by: Actor,
    key: str | None = None,
    is_strict: bool = False,
    priority: int | None = None,
) -> tuple[UUID, bool]:
    """Accept a run that a person asks for, by hand or through a program of theirs; return its id, and False if this key had started it.

    Args:
        kind: manual or api.
        is_strict: the same key with other inputs is refused, otherwise it is another start; so is an input that the workflow does not
            ask for, otherwise it is left out.
        priority: 1 comes first, 5 last; None takes the workflow's.

    Raises:
        NotFound: no such workflow in this tenant.
        TurnedOff: this way of starting is switched off.
        NotPublished: the workflow has no live version, or is switched off.
        KeyUsed: the key came with other inputs before.
        GateFull: as many of its runs go on as may, and it refuses more.
        Invalid: `.problems` says which input is wrong.
    """
    digest = arriving.hash_of(given)
    full = f"{by.id}:{key}" if key else str(new_id())
    if key and not is_strict:
        full += f":{digest.hex()[:32]}"
    with db.transaction():
        trigger = queries.opened(tenant_id, ensure_built_in(tenant_id, workflow_id, kind))
    if trigger is None:
        raise TurnedOff(_("This way of starting the workflow is switched off."))
    arrival = Arrival(
        key=arriving.fitted(full),
        read=lambda declared: mapping.read(declared, {}, {}, given, is_strict=is_strict),
        body_hash=digest if is_strict and key else None,
        priority=priority,
    )
    return arriving.begun(trigger, arrival, by=by)[:2]


def start_of(tenant_id: UUID, run_id: UUID) -> wording.Start | None:
    """Return by which way a run started, in the reader's words; None for what no way of starting has begun, as a retry."""
    row = queries.starter_of(tenant_id, run_id)
    return wording.start(row) if row is not None else None


def ensure_built_in(tenant_id: UUID, workflow_id: UUID, kind: str) -> UUID:
    """Return the trigger of a kind that each workflow has once, made when it is first needed.

    Raises:
        NotFound: no such workflow in this tenant.
    """
    known = queries.built_in(tenant_id, workflow_id, kind)
    if known is not None:
        return known.id
    workflows.get_workflow(tenant_id, workflow_id)
    with db.transaction() as session:
        session.execute(
            text(
                "insert into workflow_triggers (id, tenant_id, workflow_id, kind) values (:id, :tenant, :workflow, :kind)"
                " on conflict (tenant_id, workflow_id, kind) where kind in ('manual','api') do nothing"
            ),
            {"id": new_id(), "tenant": tenant_id, "workflow": workflow_id, "kind": kind},
        )
        known = queries.built_in(tenant_id, workflow_id, kind)
    assert known is not None
    return known.id


def place_of(tenant_id: UUID, workflow_id: UUID, *, timezone: str) -> Place:
    """Return what a trigger's form must know of its workflow: the inputs of the live version, or of the draft before there is one.

    Raises:
        NotFound: no such workflow in this tenant.
    """
    workflow = workflows.get_workflow(tenant_id, workflow_id)
    live = workflows.get_version(tenant_id, workflow.published_version_id) if workflow.published_version_id else None
    return Place((live.settings if live else workflow.settings).get("inputs", []), timezone)


def add_trigger(
    tenant_id: UUID,
    workflow_id: UUID,
    kind: Kind,
    *,
    name: str,
    name_ar: str | None,
    config: dict[str, Any],
    place: Place,
    by: Actor,
    begins_off: bool = False,
) -> UUID:
    """Add a trigger, switched on unless it `begins_off`; a form for everybody always begins switched off.

    Raises:
        NotFound: no such workflow in this tenant.
        Invalid: `.problems` names each wrong field.
        Conflict: the workflow has as many as it may have.
    """
    _check(kind, config, place)
    with db.transaction() as session:
        workflows.get_workflow(tenant_id, workflow_id, lock=True)
        if len(queries.list_triggers(tenant_id, workflow_id)) >= MOST_TRIGGERS:
            raise Conflict(_("A workflow has at most %(num)d ways of starting. Delete one that is not needed.", num=MOST_TRIGGERS))
        trigger = WorkflowTrigger(
            id=new_id(), tenant_id=tenant_id, workflow_id=workflow_id, kind=kind.kind, name=name, name_ar=name_ar or None, created_by=by.id
        )
        trigger.is_enabled = not begins_off and not (kind.kind == "form" and config["who"] == "everybody")
        _configure(trigger, kind, config)
        if kind.has_address:
            _give_address(trigger)
        if kind.kind == "webhook":
            trigger.secrets = [_sealed(trigger, signing.new_secret(), until=None)]
        session.add(trigger)
        session.flush()
        audit.record(tenant_id, by, "trigger.added", trigger.id, workflow=workflow_id, kind=kind.kind)
        _announce(trigger, "added")
    return trigger.id


def change_trigger(
    tenant_id: UUID, trigger_id: UUID, *, name: str, name_ar: str | None, config: dict[str, Any], place: Place, by: Actor
) -> None:
    """Change a trigger; a schedule is due anew from now on, what it missed under its old settings is forgotten.

    Raises:
        NotFound: no such trigger in this tenant.
        Invalid: `.problems` names each wrong field.
    """
    with db.transaction():
        trigger = changeable(tenant_id, trigger_id)
        kind = of(trigger.kind, trigger.config.get("mode", ""))
        _check(kind, config, place)
        trigger.name, trigger.name_ar = name, name_ar or None
        _configure(trigger, kind, config)
        audit.record(tenant_id, by, "trigger.changed", trigger_id, workflow=trigger.workflow_id, kind=trigger.kind)
        _announce(trigger, "changed")


def switch_trigger(tenant_id: UUID, workflow_id: UUID, trigger_id: UUID, *, is_enabled: bool, by: Actor) -> None:
    """Switch a trigger on or off; a schedule that is switched on begins from now. Safe to repeat.

    Raises:
        NotFound: no such trigger of this workflow.
    """
    with db.transaction():
        trigger = queries.get_trigger(tenant_id, trigger_id, lock=True)
        if trigger.workflow_id != workflow_id:
            raise NotFound
        if trigger.is_enabled == is_enabled:
            return
        trigger.is_enabled = is_enabled
        if is_enabled:
            trigger.next_fire_at = _next(trigger)
        audit.record(tenant_id, by, "trigger.switched", trigger_id, workflow=workflow_id, is_enabled=is_enabled)
        _announce(trigger, "enabled" if is_enabled else "disabled")


def delete_trigger(tenant_id: UUID, trigger_id: UUID, *, by: Actor) -> None:
    """Delete a trigger with what arrived at it; its runs stay.

    Raises:
        NotFound: no such trigger in this tenant, or one that every workflow has.
    """
    with db.transaction() as session:
        trigger = changeable(tenant_id, trigger_id)
        audit.record(tenant_id, by, "trigger.deleted", trigger_id, workflow=trigger.workflow_id, kind=trigger.kind)
        _announce(trigger, "deleted")
        session.execute(delete(WorkflowTrigger).where(WorkflowTrigger.tenant_id == tenant_id, WorkflowTrigger.id == trigger_id))


def rotate_secret(tenant_id: UUID, trigger_id: UUID, *, overlap_h: int, by: Actor) -> str:
    """Give a webhook another secret and return it; the old ones count for some hours more.

    Raises:
        NotFound: no such webhook in this tenant.
        Invalid: the overlap is none that is offered.
    """
    if overlap_h not in OVERLAPS_H:
        raise Invalid({"overlap": _("Choose one of the values.")})
    with db.transaction():
        trigger = changeable(tenant_id, trigger_id)
        if trigger.kind != "webhook":
            raise NotFound
        until = clock.now() + timedelta(hours=overlap_h)
        old = [{**each, "until": _earlier(each["until"], until)} for each in trigger.secrets] if overlap_h else []
        secret = signing.new_secret()
        trigger.secrets = [_sealed(trigger, secret, until=None), *old][:MOST_SECRETS]
        audit.record(tenant_id, by, "trigger.secret_rotated", trigger_id, workflow=trigger.workflow_id, overlap_h=overlap_h)
        _announce(trigger, "rotated")
    return secret


def move_address(tenant_id: UUID, trigger_id: UUID, *, by: Actor) -> None:
    """Give a webhook or form another address; the old one leads nowhere from now on.

    Raises:
        NotFound: no such trigger with an address in this tenant.
    """
    with db.transaction():
        trigger = changeable(tenant_id, trigger_id)
        if trigger.token_hash is None:
            raise NotFound
        _give_address(trigger)
        audit.record(tenant_id, by, "trigger.moved", trigger_id, workflow=trigger.workflow_id)
        _announce(trigger, "moved")


def changeable(tenant_id: UUID, trigger_id: UUID) -> WorkflowTrigger:
    """Return a trigger that was added, locked.

    Raises:
        NotFound: no such trigger in this tenant, or one that every workflow has.
    """
    trigger = queries.get_trigger(tenant_id, trigger_id, lock=True)
    if trigger.kind in BUILT_IN:
        raise NotFound
    return trigger


def token_of(trigger: WorkflowTrigger) -> str:
    """Return the secret part of a trigger's address; empty when it has none."""
    return unseal(bytes(trigger.token_sealed), where=_where(trigger.tenant_id, trigger.id, "address")) if trigger.token_sealed else ""


def secrets_of(tenant_id: UUID, trigger_id: UUID, stored: list[dict[str, Any]]) -> list[str]:
    """Return the secrets of a webhook that count now, the newest first."""
    now = clock.now()
    return [
        unseal(base64.b64decode(each["sealed"]), where=_where(tenant_id, trigger_id, "secret"))
        for each in stored
        if each["until"] is None or datetime.fromisoformat(each["until"]) > now
    ]


def sweep() -> int:
    """Delete receipts that are older than 90 days and settled; returns how many. For the dispatcher."""
    with db.transaction(system=True) as session:
        gone = session.execute(
            delete(WorkflowReceipt).where(
                WorkflowReceipt.received_at < func.clock_timestamp() - timedelta(days=KEPT_DAYS),
                WorkflowReceipt.outcome.not_in(("waiting", "queued")),
            )
        )
    return db.touched(gone)


def next_of(trigger: WorkflowTrigger) -> datetime | None:
    """Return when a trigger that is on starts a run by itself."""
    return trigger.next_fire_at if trigger.is_enabled else None


def _check(kind: Kind, config: dict[str, Any], place: Place) -> None:
    if problems := base.check(kind, config, place):
        raise Invalid({name: str(message) for name, message in problems.items()})


def _configure(trigger: WorkflowTrigger, kind: Kind, config: dict[str, Any]) -> None:
    trigger.config = config
    trigger.event_type = config["event"] if kind.kind == "event" else None
    trigger.next_fire_at = _next(trigger)


def _next(trigger: WorkflowTrigger) -> datetime | None:
    kind = of(trigger.kind, trigger.config.get("mode", ""))
    return kind.next_after(trigger.config, db.session().scalar(select(func.clock_timestamp())) or clock.now())


def _give_address(trigger: WorkflowTrigger) -> None:
    token = new_token()
    trigger.token_hash = token_hash(token)
    trigger.token_sealed = seal(token, where=_where(trigger.tenant_id, trigger.id, "address"))


def _sealed(trigger: WorkflowTrigger, secret: str, *, until: datetime | None) -> dict[str, Any]:
    sealed = base64.b64encode(seal(secret, where=_where(trigger.tenant_id, trigger.id, "secret"))).decode()
    return {"sealed": sealed, "until": until.isoformat() if until else None, "shown": secret[-4:]}


def _earlier(known: str | None, until: datetime) -> str:
    return min(datetime.fromisoformat(known), until).isoformat() if known else until.isoformat()


def _where(tenant_id: UUID, trigger_id: UUID, column: str) -> str:
    return f"workflow_triggers.{column}:{tenant_id}:{trigger_id}"


def _announce(trigger: WorkflowTrigger, what: str) -> None:
    bus.announce(events.TriggerChanged(trigger.tenant_id, trigger.workflow_id, trigger.id, what))
