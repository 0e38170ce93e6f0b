"""A form as a page: what it asks, who it is for, and what becomes of what is sent."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from portal.core import clock, db
from portal.core.access import Actor
from portal.core.errors import Conflict, NotFound
from portal.i18n import dates
from portal.i18n.words import gettext as _
from portal.tenants import service as tenants
from portal.workflows import queries as workflows
from portal.workflows.engine.store.reading import published
from portal.workflows.triggers import arriving, mapping, times
from portal.workflows.triggers.arriving import Arrival
from portal.workflows.triggers.base import Opened
from portal.workflows.triggers.errors import TooMany

HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class OpenForm:
    """A form that can be filled in, with what its page says."""

    trigger: Opened
    title: str
    title_ar: str | None
    intro: str
    intro_ar: str | None
    thanks: str
    thanks_ar: str | None
    tenant: Any
    inputs: list[dict[str, Any]]
    is_for_members: bool
    ends_at: datetime | None


def open_form(trigger: Opened) -> OpenForm:
    """Return the form of a trigger that is on.

    Raises:
        NotFound: the workflow has no live version, or is switched off.
    """
    if trigger.version_id is None:
        raise NotFound
    config = trigger.config
    workflow = workflows.get_workflow(trigger.tenant_id, trigger.workflow_id)
    settings = published(db.session().connection(), trigger.tenant_id, trigger.version_id).settings
    last = dates.read(config["ends_on"])
    return OpenForm(
        trigger=trigger,
        title=config["title"] or config["title_ar"] or workflow.name,
        title_ar=config["title_ar"] or (None if config["title"] else workflow.name_ar),
        intro=config["intro"],
        intro_ar=config["intro_ar"] or None,
        thanks=config["thanks"],
        thanks_ar=config["thanks_ar"] or None,
        tenant=tenants.get(trigger.tenant_id),
        inputs=settings.get("inputs", []),
        is_for_members=config["who"] == "members",
        ends_at=times.start_of(last + timedelta(days=1), ZoneInfo(config["zone"])) if last else None,
    )


def send(form: OpenForm, given: dict[str, Any], *, key: str, by: Actor | None, address: str) -> None:
    """Start the run of a form that was filled in; the same form sent twice starts one.

    Raises:
        Invalid: `.problems` names each wrong input; nothing was kept.
        TooMany: this network has sent as many as it may in an hour.
        Conflict: the form is closed.
    """
    if form.ends_at is not None and clock.now() >= form.ends_at:
        raise Conflict(_("This form is closed."))
    trigger = form.trigger
    # What cannot start a run is nothing to write down: people mistype, and strangers must not fill tables.
    mapping.read(form.inputs, {}, {}, given)
    network = None if form.is_for_members else _network(trigger, address)
    digest = arriving.hash_of({each["key"]: given.get(each["key"]) for each in form.inputs})
    arrival = Arrival(key=f"form:{key}:{digest.hex()[:32]}", read=lambda declared: mapping.read(declared, {}, {}, given), network=network)
    with db.transaction():
        if network is not None:
            _count(form, arrival)
        found = arriving.begin(trigger, arrival, by=by)
    if found.run_id is None:
        raise NotFound


def _count(form: OpenForm, arrival: Arrival) -> None:
    """Refuse a network that has sent too much; sending the same form again costs nothing."""
    trigger, session = form.trigger, db.session()
    # One after the other for each network: otherwise a hundred at once would all see the count before them.
    session.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": (arrival.network or b"").hex()})
    row = session.execute(
        text(
            """
                select count(*) as sent, count(*) filter (where dedup_key = :key) as same,
                       coalesce(extract(epoch from min(received_at) - clock_timestamp()) + :hour, :hour) as wait_s
                from workflow_receipts
                where tenant_id = :tenant and network = :network and received_at > clock_timestamp() - make_interval(secs => :hour)
            """
        ),
        {"tenant": trigger.tenant_id, "network": arrival.network, "key": arrival.key, "hour": HOUR_S},
    ).one()
    if row.sent >= int(trigger.config["per_hour"]) and not row.same:
        raise TooMany(int(row.wait_s))


def _network(trigger: Opened, address: str) -> bytes:
    """Return what stands for a subscriber's network at this form alone: an address of IPv4, or 64 bits of IPv6."""
    try:
        known = ipaddress.ip_address(address)
        wide = ipaddress.ip_network((known, 32 if known.version == 4 else 64), strict=False)
        name = str(wide)
    except ValueError:
        name = address[:64]
    return hashlib.sha256(f"{trigger.id}|{name}".encode()).digest()[:16]
