"""Signed-in browsers: a random token in the cookie, its SHA-256 in the table; Flask's `session` is the row's data."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import Flask, Request, Response, g, request
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from werkzeug.datastructures import CallbackDict

from portal.core import db
from portal.core.secrets import new_token, token_hash
from portal.identity import queries
from portal.identity.service import ABSOLUTE, IDLE

TOUCHLESS = ("/health/", "/static/", "/theme/")


class WebData(CallbackDict[str, Any], SessionMixin):
    """The session's data; `row` is what the database knew of it at the start of the request."""

    def __init__(self, initial: dict[str, Any] | None = None, token: str | None = None, row: Any = None) -> None:
        super().__init__(initial or {}, _mark)
        self.token = token
        self.row = row
        self.modified = False
        self.accessed = True


def _mark(changed: CallbackDict[str, Any]) -> None:
    changed.modified = True  # type: ignore[attr-defined]  # WebData has it


class DatabaseSessions(SessionInterface):
    """Flask's sessions as rows of `sessions`; deleting the row signs the browser out at its next request."""

    def open_session(self, app: Flask, request: Request) -> WebData:
        token = request.cookies.get(self.get_cookie_name(app))
        if not token or request.path.startswith(TOUCHLESS):
            return WebData()
        try:
            row = _row_of(token)
        except OperationalError as broken:
            # Raised by `find_access` instead: the page that says so needs a session, if only an empty one.
            g.database_away = broken
            return WebData()
        if row is None:
            return WebData()  # an unknown id is never adopted: no fixation
        return WebData(dict(row.data), token, row)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, WebData)
        if request.path.startswith(TOUCHLESS):
            return  # the same for everybody, and kept for ever by browsers and proxies
        response.vary.add("Cookie")
        # While the database was away nothing was known of the session: the browser keeps the one it has.
        if not session.modified or "database_away" in g:
            return
        options: dict[str, Any] = {"domain": self.get_cookie_domain(app), "path": self.get_cookie_path(app)}
        if not session:
            if session.token:
                end_session(session.token)
                response.delete_cookie(self.get_cookie_name(app), **options)
            return
        session.token = _write(session)
        response.set_cookie(
            self.get_cookie_name(app),
            session.token,
            httponly=True,
            secure=bool(app.config["SESSION_COOKIE_SECURE"]),
            samesite="Lax",
            max_age=int(ABSOLUTE.total_seconds()),
            **options,
        )


def _row_of(token: str) -> Any:
    """Return what is known of a token, enter its tenant, and note that it was seen; None for an unknown one."""
    row = queries.session_row(token_hash(token), idle_s=int(IDLE.total_seconds()), absolute_s=int(ABSOLUTE.total_seconds()))
    if row is not None and row.role is not None:
        db.enter_tenant(row.tenant_id, is_named=True)
    if row is not None and row.stale:
        with db.transaction() as opened:
            opened.execute(
                text("update sessions set seen_at = clock_timestamp(), address = :address where id = :id"),
                {"id": row.id, "address": request.remote_addr or ""},
            )
    return row


def _write(session: WebData) -> str:
    """Keep the data under the token the browser has, or under a new one."""
    values = {"data": json.dumps(dict(session)), "person": g.get("session_person"), "tenant": g.get("session_tenant")}
    with db.transaction() as opened:
        if session.token:
            updated = opened.execute(
                text("update sessions set data = cast(:data as jsonb) where id = :id"),
                {"id": token_hash(session.token), "data": values["data"]},
            )
            if updated.rowcount:  # type: ignore[attr-defined]  # an UPDATE has it
                return session.token
        token = new_token()
        opened.execute(
            text(
                "insert into sessions (id, person_id, tenant_id, data, user_agent, address)"
                " values (:id, :person, :tenant, cast(:data as jsonb), :agent, :address)"
            ),
            {
                **values,
                "id": token_hash(token),
                "agent": request.headers.get("User-Agent", "")[:300],
                "address": request.remote_addr or "",
            },
        )
    return token


def begin_session(session: WebData, person_id: UUID, tenant_id: UUID | None) -> None:
    """Give the browser a new session for this person; the id it had before is dead in the same request."""
    if session.token:
        end_session(session.token)
    session.token = None
    session.modified = True
    g.session_person, g.session_tenant = person_id, tenant_id


def end_session(token: str) -> None:
    """Sign the browser out."""
    with db.transaction() as opened:
        opened.execute(text("delete from sessions where id = :id"), {"id": token_hash(token)})
