"""The verbs of exports."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from flask_babel import force_locale
from sqlalchemy import delete, select, text
from sqlalchemy.exc import OperationalError

from portal.audit import service as audit
from portal.core import clock, db, flags, jobs
from portal.core.access import Actor
from portal.core.errors import Invalid
from portal.exports import queries, sources, writing
from portal.exports.errors import SwitchedOff, TooManyWaiting
from portal.exports.models import Export
from portal.exports.sources import Source, register
from portal.exports.writing import MEDIA_TYPES, plain, write
from portal.i18n.locale import LOCALES
from portal.notifications import service as notifications

__all__ = ["MEDIA_TYPES", "Source", "make", "plain", "register", "request_export", "sweep", "write"]

log = logging.getLogger(__name__)

MAX_ROWS = 100_000
MAX_WAITING = 5
KEPT_DAYS = 7


def request_export(
    tenant_id: UUID, person_id: UUID, source: str, filters: dict[str, Any], *, file_format: str, locale: str, by: Actor
) -> UUID:
    """Ask for a list as a file; a job makes it and the person's bell says when it is there.

    Raises:
        NotFound: no list has this name.
        Invalid: the format is not known.
        SwitchedOff: staff stopped exports for everybody.
        TooManyWaiting: five of this person's files are in the making.
    """
    sources.get(source)
    if not flags.is_on("exports"):
        raise SwitchedOff
    if file_format not in writing.MEDIA_TYPES:
        raise Invalid({"format": "format"})
    with db.transaction() as session:
        if queries.waiting_count(tenant_id, person_id) >= MAX_WAITING:
            raise TooManyWaiting
        export = Export(tenant_id=tenant_id, person_id=person_id, source=source, filters=filters, file_format=file_format, locale=locale)
        session.add(export)
        session.flush()
        audit.record(tenant_id, by, "export.requested", export.id, source=source, format=file_format, filters=filters)
        jobs.enqueue("exports.make", tenant_id, export.id)
    return export.id


def make(tenant_id: UUID, export_id: UUID) -> None:
    """Make the file and tell the person. Safe to repeat: one that is made, or gone, is left alone."""
    try:
        _make(tenant_id, export_id)
    except OperationalError:
        raise  # the database is away; the job comes again
    except Exception:
        log.exception("a file could not be made", extra={"export": str(export_id)})
        _give_up(tenant_id, export_id)


def _make(tenant_id: UUID, export_id: UUID) -> None:
    with db.transaction(tenant_id) as session:
        export = session.scalar(select(Export).where(Export.tenant_id == tenant_id, Export.id == export_id).with_for_update())
        if export is None or export.state != "waiting":
            return
        source = sources.get(export.source)
        with force_locale(export.locale):
            more = source.more_heads(export.filters) if source.more_heads else ()
            heads = [str(head) for head in (*source.heads, *more)]
            rows: Iterator[Sequence[Any]] = islice(source.rows(tenant_id, export.filters), MAX_ROWS)
            rtl = LOCALES[export.locale].dir == "rtl"
            export.content, export.row_count = writing.write(export.file_format, heads, rows, right_to_left=rtl)
        _finish(export, "done", severity="success")


def _give_up(tenant_id: UUID, export_id: UUID) -> None:
    with db.transaction(tenant_id) as session:
        export = session.scalar(select(Export).where(Export.tenant_id == tenant_id, Export.id == export_id).with_for_update())
        if export is not None and export.state == "waiting":
            _finish(export, "failed", severity="error")


def _finish(export: Export, state: str, *, severity: str) -> None:
    export.state = state
    export.finished_at = clock.now()
    kind = "export.ready" if state == "done" else "export.failed"
    data = {"source": export.source, "rows": export.row_count}
    notifications.notify(export.tenant_id, [export.person_id], type=kind, message="", severity=severity, data=data, link="/exports")


def sweep() -> int:
    """Delete the files that are older than seven days, of every tenant; returns how many."""
    with db.transaction(system=True) as session:
        old = text(f"clock_timestamp() - interval '{KEPT_DAYS} days'")
        return len(session.scalars(delete(Export).where(Export.created_at < old).returning(Export.id)).all())
