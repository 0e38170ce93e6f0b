"""Files that steps make, fetch and send on: kept in PostgreSQL for thirty days, 20 MB each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import undefer

from portal.core import db
from portal.core.errors import NotFound
from portal.core.ids import new_id
from portal.workflows.models import WorkflowFile

KEPT_DAYS = 30
MAX_FILE = 20 * 1024 * 1024
MAX_RUN = 200 * 1024 * 1024
SWEEP = """
delete from workflow_files f where expires_at < clock_timestamp()
  and not exists (select from tenants o where o.id = f.tenant_id and o.status = 'suspended')
"""
UNSAFE_NAME = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]+')
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}\Z")
USUAL_TYPE = "application/octet-stream"


class FileRefused(Exception):
    """The file cannot be kept or found: `.args[0]` is too_large, run_full, gone or not_a_file."""


def keep_file(tenant_id: UUID, run_id: UUID, node_key: str, idem_key: str, *, name: str, media_type: str, content: bytes) -> dict[str, Any]:
    """Keep a file, and return what later steps get to know of it: {id, name, type, size, sha256}. A transaction of its own.

    Safe to repeat: a step has one file for each key, and a second attempt puts its own in the place of the first.

    Raises:
        FileRefused: the file is larger than 20 MB, or all files of the run larger than 200 MB.
    """
    if len(content) > MAX_FILE:
        raise FileRefused("too_large")
    facts = {
        "id": new_id(),
        "tenant": tenant_id,
        "run": run_id,
        "node": node_key,
        "key": idem_key,
        "name": safe_name(name),
        "type": media_type if MEDIA_TYPE.match(media_type) else USUAL_TYPE,
        "size": len(content),
        "sha": hashlib.sha256(content).hexdigest(),
        "days": KEPT_DAYS,
    }
    with db.transaction(tenant_id) as session:
        # One at a time for a run: steps side by side must not together pass what a run may keep.
        session.execute(text("select pg_advisory_xact_lock(hashtextextended(:run, 24))"), {"run": str(run_id)})
        others = select(func.coalesce(func.sum(WorkflowFile.size), 0)).where(
            WorkflowFile.tenant_id == tenant_id, WorkflowFile.execution_id == run_id, WorkflowFile.idem_key != idem_key
        )
        if (session.scalar(others) or 0) + len(content) > MAX_RUN:
            raise FileRefused("run_full")
        row_id = session.scalar(
            text(
                "insert into workflow_files (id, tenant_id, execution_id, node_key, idem_key, name, media_type, size, sha256, content, expires_at)"
                " values (:id, :tenant, :run, :node, :key, :name, :type, :size, :sha, :content, clock_timestamp() + make_interval(days => :days))"
                " on conflict (tenant_id, execution_id, idem_key) do update set name = excluded.name, media_type = excluded.media_type,"
                " size = excluded.size, sha256 = excluded.sha256, content = excluded.content, expires_at = excluded.expires_at returning id"
            ).bindparams(content=content),
            facts,
        )
    return {"id": str(row_id), "name": facts["name"], "type": facts["type"], "size": facts["size"], "sha256": facts["sha"]}


def read_files(tenant_id: UUID, value: Any) -> list[WorkflowFile]:
    """Return the files that a value of a run names: one file as steps give it, its id, or a list of them; with their content.

    Raises:
        FileRefused: it names no file, or one that is not there any more.
    """
    if value in (None, "", []):
        return []
    ids = [_id_of(each) for each in (value if isinstance(value, list) else [value])]
    with db.transaction(tenant_id) as session:
        wanted = select(WorkflowFile).where(WorkflowFile.tenant_id == tenant_id, WorkflowFile.id.in_(ids))
        wanted = wanted.where(WorkflowFile.expires_at > func.clock_timestamp()).options(undefer(WorkflowFile.content))
        found = {each.id: each for each in session.scalars(wanted)}
    if missing := [each for each in ids if each not in found]:
        raise FileRefused("gone", str(missing[0]))
    return [found[each] for each in ids]


def get_file(tenant_id: UUID, file_id: UUID) -> WorkflowFile:
    """Return a file with its content.

    Raises:
        NotFound: no such file in this tenant, or not any more.
    """
    try:
        return read_files(tenant_id, str(file_id))[0]
    except FileRefused:
        raise NotFound from None


def files_of(tenant_id: UUID, run_id: UUID) -> Sequence[WorkflowFile]:
    """Return the files of a run that are still there, oldest first, without their content."""
    wanted = select(WorkflowFile).where(WorkflowFile.tenant_id == tenant_id, WorkflowFile.execution_id == run_id)
    wanted = wanted.where(WorkflowFile.expires_at > func.clock_timestamp())
    return db.session().scalars(wanted.order_by(WorkflowFile.created_at, WorkflowFile.id)).all()


def sweep() -> int:
    """Delete files whose time is over, of every tenant; returns how many. For the dispatcher."""
    with db.transaction(system=True) as session:
        return db.touched(session.execute(text(SWEEP)))


def safe_name(name: str) -> str:
    """Return a file name without what a file system or a reader could be fooled by."""
    cleaned = UNSAFE_NAME.sub("_", str(name)).strip(" ._")[:120]
    return cleaned or "file"


def _id_of(value: Any) -> UUID:
    try:
        return UUID(str(value["id"] if isinstance(value, dict) else value))
    except (KeyError, ValueError, TypeError):
        raise FileRefused("not_a_file") from None
