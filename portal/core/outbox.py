"""What must leave the house after a commit, as rows: written in the transaction, sent by a hint or by the dispatcher."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import db, jobs
from portal.core.db import Base, Identified

# A ticket lives at most this long on a queue before it is sent again; jobs are safe to repeat.
SEND_AGAIN_S = 120


class Outbox(Identified, Base):
    """One job that must run; the row goes when it has run."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        Index("ix_outbox_due", "available_at"),
    )

    name: Mapped[str]
    arguments: Mapped[list[str]]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    available_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    taken_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


def send_due(limit: int = 100) -> int:
    """Put a ticket on its queue for every row that waits; returns how many. Safe to call twice or at once.

    A job that keeps failing is sent more and more rarely: after 2, 4, 8 … minutes, then every six hours.
    """
    with db.transaction(system=True) as session:
        rows = session.execute(
            text(
                """
                update outbox
                set available_at = clock_timestamp() + make_interval(secs => least(21600, :again * power(2, least(attempts, 10))))
                where id in (select id from outbox where available_at <= clock_timestamp()
                               and (taken_until is null or taken_until < clock_timestamp())
                             order by available_at limit :limit for update skip locked)
                returning id, name
                """
            ),
            {"again": SEND_AGAIN_S, "limit": limit},
        ).all()
    for row in rows:
        jobs.send_outbox_ticket(row.name, str(row.id))
    return len(rows)
