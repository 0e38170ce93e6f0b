"""Signed-in browsers: a random token in the cookie, its SHA-256 in the table; Flask's `session` is the row's data."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import Flask, Request, Response, current_app, g, request
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import DateTime, bindparam, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.datastructures import CallbackDict

from portal.core import db
from portal.core.secrets import new_token, token_hash
from portal.identity import queries, roles, service
from portal.identity.origin import LONGEST_AGENT, Origin
from portal.identity.service import ABSOLUTE, IDLE, limits_of

DEVICE_S = 180 * 24 * 3600
TOUCHLESS = ("/health/", "/static/", "/theme/", "/api/")


@dataclass(frozen=True, slots=True)
class Begun:
    """What a new session begins with.

    Args:
        staff_id, visit_id: of the support that looks as this person.
        replaces: hash of the token that dies with it.
        goes_on: the person stays signed in as before, only under a new id.
        is_confirmed: they have just proved who they are.
    """

    person_id: UUID | None = None
    tenant_id: UUID | None = None
    device_id: UUID | None = None
    replaces: bytes | None = None
    staff_id: UUID | None = None
    visit_id: UUID | None = None
    goes_on: bool = False
    is_confirmed: bool = False


class WebData(CallbackDict[str, Any], SessionMixin):
    """The session's data; `row` is what the database knew of it at the start of the request."""

    def __init__(self, initial: dict[str, Any] | None = None, token: str | None = None, row: Any = None) -> None:
        super().__init__(initial or {}, _mark)
        self.token = token
        self.row = row
        self.begun: Begun | None = None
        self.is_over = False
        self.is_kept = False  # a session that began in this request is in its table already
        self.modified = False
        self.accessed = True

    @property
    def is_somebodys(self) -> bool:
        return self.begun is not None or self.is_kept or (self.row is not None and self.row.person_id is not None)


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
        if session.is_over or (not session and not session.is_somebodys):
            if session.token:
                end_session(session.token)
                response.delete_cookie(self.get_cookie_name(app), **options)
            return
        session.token = _write(session)
        session.begun = None
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
    """Return what is known of a token, enter its tenant, and note that it was seen; None for an unknown one, or one that is too old."""
    row = queries.session_row(token_hash(token), idle_s=int(IDLE.total_seconds()), absolute_s=int(ABSOLUTE.total_seconds()))
    if row is not None and row.role is not None:
        idle_s, absolute_s = limits_of(roles.weight(row.role, row.permissions or ()), row.tenant_security)
        if row.idle_s > idle_s or row.age_s > absolute_s:
            return None
        db.enter_tenant(row.tenant_id, is_named=True)
    if row is not None and row.stale:
        with db.transaction() as opened:
            opened.execute(
                text("update sessions set seen_at = clock_timestamp(), address = :address where id = :id"),
                {"id": row.id, "address": request.remote_addr or ""},
            )
            if row.role is not None:
                service.note_visit(row.tenant_id, row.person_id)
    return row


def _write(session: WebData) -> str:
    """Keep the data under the token the browser has, or under a new one."""
    data = json.dumps(dict(session))
    with db.transaction() as opened:
        if session.begun is None and session.token:
            updated = opened.execute(
                text("update sessions set data = cast(:data as jsonb) where id = :id"), {"id": token_hash(session.token), "data": data}
            )
            if db.touched(updated):
                return session.token
        token = new_token()
        _insert(opened, token, data, session.begun or Begun())
    return token


def keep_now(session: SessionMixin) -> bytes:
    """Write a session that has just begun, in the open transaction, and return the id of its row: for what hangs on it."""
    assert isinstance(session, WebData)
    session.token = _write(session)
    session.begun, session.is_kept = None, True
    return token_hash(session.token)


def _insert(opened: Session, token: str, data: str, begun: Begun) -> None:
    """Add a session; the id that it replaces is dead in the same transaction."""
    before = None
    if begun.replaces is not None:
        known = text("select signed_in_at, confirmed_at, device_id from sessions where id = :id for update")
        before = opened.execute(known, {"id": begun.replaces}).first()
    if not begun.goes_on:
        before = None
    origin = origin_of_request()
    opened.execute(
        text(
            """
            insert into sessions (id, person_id, tenant_id, data, user_agent, address, device_id, staff_id, visit_id, signed_in_at, confirmed_at)
            values (:id, :person, :tenant, cast(:data as jsonb), :agent, :address, :device, :staff, :visit, coalesce(:signed_in_at, clock_timestamp()),
                    case when :is_confirmed then clock_timestamp() else :confirmed_at end)
            """
        ).bindparams(bindparam("signed_in_at", type_=DateTime(timezone=True)), bindparam("confirmed_at", type_=DateTime(timezone=True))),
        {
            "id": token_hash(token),
            "person": begun.person_id,
            "tenant": begun.tenant_id,
            "data": data,
            "agent": origin.agent,
            "address": origin.address,
            "device": before.device_id if before else begun.device_id,
            "signed_in_at": before.signed_in_at if before else None,
            "confirmed_at": before.confirmed_at if before else None,
            "staff": begun.staff_id,
            "visit": begun.visit_id,
            "is_confirmed": begun.is_confirmed,
        },
    )
    if begun.replaces is not None:
        values = {"new": token_hash(token), "old": begun.replaces}
        if begun.goes_on:  # it still hangs on the provider that it came through
            opened.execute(text("update sso_sessions set session_id = :new where session_id = :old"), values)
        opened.execute(text("delete from sessions where id = :old"), values)
    if begun.person_id is not None and not begun.goes_on:
        service.end_oldest_sessions(begun.person_id, begun.tenant_id)


def begin_session(session: SessionMixin, person_id: UUID, tenant_id: UUID | None, *, is_confirmed: bool = True) -> None:
    """Sign the browser in with a new id; the id it had before is dead in the same transaction.

    Args:
        is_confirmed: the person has just proved who they are, not only somebody else for them.
    """
    origin = origin_of_request()
    if origin.device is None:
        g.new_device = new_token()
        origin = replace(origin, device=g.new_device)
    device_id = service.remember_device(person_id, tenant_id, origin)
    _begin(session, Begun(person_id, tenant_id, device_id=device_id, is_confirmed=is_confirmed))


def begin_nobodys(session: SessionMixin) -> None:
    """Give the browser a new id that is nobody's yet: between the steps of signing in."""
    _begin(session, Begun())


def continue_session(session: SessionMixin, person_id: UUID, tenant_id: UUID | None, *, is_confirmed: bool = False) -> None:
    """Give the signed-in browser a new id, because it may do something else from here on; it ends when it would have ended."""
    _begin(session, Begun(person_id, tenant_id, goes_on=True, is_confirmed=is_confirmed))


def begin_visit(session: SessionMixin, person_id: UUID, tenant_id: UUID, *, staff_id: UUID, visit_id: UUID) -> None:
    """Let staff look as a member from the next request on, under a new id."""
    _begin(session, Begun(person_id, tenant_id, staff_id=staff_id, visit_id=visit_id, goes_on=True))


def _begin(session: SessionMixin, begun: Begun) -> None:
    assert isinstance(session, WebData)
    session.begun = replace(begun, replaces=token_hash(session.token) if session.token else None)
    session.modified = True


def finish_session(session: SessionMixin) -> None:
    """Sign the browser out with this answer."""
    assert isinstance(session, WebData)
    session.clear()
    session.is_over = True


def origin_of_request() -> Origin:
    """Return where this request comes from."""
    return Origin(
        address=request.remote_addr or "",
        agent=request.headers.get("User-Agent", "")[:LONGEST_AGENT],
        device=request.cookies.get(_device_cookie()) or g.get("new_device"),
    )


def keep_device(response: Response) -> Response:
    """Let the browser keep the token of a device that was just seen for the first time."""
    if "new_device" in g:
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        response.set_cookie(_device_cookie(), g.new_device, max_age=DEVICE_S, httponly=True, secure=secure, samesite="Lax", path="/")
    return response


def _device_cookie() -> str:
    return "__Host-device" if current_app.config["SESSION_COOKIE_SECURE"] else "device"


def end_session(token: str) -> None:
    """Sign the browser out."""
    with db.transaction() as opened:
        opened.execute(text("delete from sessions where id = :id"), {"id": token_hash(token)})
