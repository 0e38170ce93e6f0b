"""Who is asking and what they may do. Identity fills it in at the start of each request; everybody else only reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import wraps
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from flask import g

from portal.core import clock
from portal.core.errors import ConfirmationNeeded, Forbidden, NotFound, OrganisationNeeded, SignInNeeded

View = TypeVar("View", bound=Callable[..., Any])
CONFIRMED_FOR = timedelta(minutes=15)


class Permission(StrEnum):
    """`resource:action`; a role is a set of these, and nothing is allowed that is not named."""

    WORKFLOW_READ = "workflow:read"
    WORKFLOW_EDIT = "workflow:edit"
    WORKFLOW_PUBLISH = "workflow:publish"
    RUN_READ = "run:read"
    RUN_START = "run:start"
    RUN_OPERATE = "run:operate"
    SIGNAL_SEND = "signal:send"
    TASK_READ = "task:read"
    TASK_DECIDE = "task:decide"
    TASK_MANAGE = "task:manage"
    CALENDAR_EDIT = "calendar:edit"
    TABLE_READ = "table:read"
    TABLE_EDIT = "table:edit"
    NOTIFICATION_READ = "notification:read"
    THEME_EDIT = "theme:edit"
    LIST_SHARE = "list:share"
    SSO_EDIT = "sso:edit"
    SECURITY_EDIT = "security:edit"
    SUPPORT_GRANT = "support:grant"
    TOKEN_CREATE = "token:create"  # noqa: S105 - the name of a permission
    TOKEN_MANAGE = "token:manage"  # noqa: S105
    MEMBER_READ = "member:read"
    MEMBER_EDIT = "member:edit"
    ROLE_EDIT = "role:edit"
    GROUP_EDIT = "group:edit"
    TENANT_EDIT = "tenant:edit"
    CONNECTION_READ = "connection:read"
    CONNECTION_USE = "connection:use"
    CONNECTION_MANAGE = "connection:manage"
    FILE_READ = "file:read"
    RETENTION_EDIT = "retention:edit"
    HOLD_MANAGE = "hold:manage"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, as the audit book keeps it: a person (`token_id` names the token that they let act for them), or the system."""

    kind: str
    id: UUID | None = None
    token_id: UUID | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


SYSTEM = Actor("system")


@dataclass(frozen=True, slots=True)
class Visit:
    """Support at work: somebody of the staff looks as a member, with the tenant's consent."""

    id: UUID
    staff_id: UUID
    staff_name: str
    staff_name_ar: str | None
    until: datetime


@dataclass(frozen=True, slots=True)
class Access:
    """The signed-in person in the tenant of this session; `visit` says that it is not them who looks."""

    person_id: UUID
    tenant_id: UUID
    role: str
    permissions: frozenset[str]
    person_name: str
    tenant_name: str
    tenant_name_ar: str | None
    person_name_ar: str | None = None
    locale: str | None = None
    timezone: str = "Asia/Riyadh"
    preferences: Mapping[str, Any] = field(default_factory=dict)
    tenant_preferences: Mapping[str, Any] = field(default_factory=dict)
    tenant_security: Mapping[str, Any] = field(default_factory=dict)
    look: Mapping[str, Any] = field(default_factory=dict)
    token_id: UUID | None = None  # of the token or client that acts for the person; None for the person at a browser
    session_id: bytes = b""
    visit: Visit | None = None
    confirmed_at: datetime | None = None

    # What Flask-Login asks of a user.
    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    def get_id(self) -> str:
        return str(self.person_id)

    @property
    def is_confirmed(self) -> bool:
        """Whether the person proved who they are within the last 15 minutes."""
        return self.confirmed_at is not None and clock.now() - self.confirmed_at < CONFIRMED_FOR

    @property
    def actor(self) -> Actor:
        return Actor("staff", self.visit.staff_id) if self.visit else Actor("person", self.person_id, self.token_id)

    def can(self, permission: Permission) -> bool:
        return permission.value in self.permissions


@dataclass(frozen=True, slots=True)
class Known:
    """Who is signed in, in an organisation or in none: everybody with an Access, and who has still to choose one.

    Args:
        tenant_id: where they work now; None when there is no Access.
        waits_at: the organisation of the session when it is suspended.
    """

    person_id: UUID
    name: str
    name_ar: str | None = None
    tenant_id: UUID | None = None
    waits_at: UUID | None = None


def access() -> Access:
    """Return who is asking.

    Raises:
        SignInNeeded: nobody is signed in.
        OrganisationNeeded: somebody is, but in no organisation where they may work now.
    """
    here = current()
    if here is None:
        raise SignInNeeded if known() is None else OrganisationNeeded
    return here


def known() -> Known | None:
    """Return who is signed in, whether or not they are in an organisation; None for a visitor."""
    found: Known | None = g.get("known")
    return found


def current() -> Access | None:
    """Return who is asking, or None for a visitor."""
    found: Access | None = g.get("access")
    return found


def requires(permission: Permission) -> Callable[[View], View]:
    """Let only people with this permission into the view."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not access().can(permission):
                raise Forbidden
            return view(*args, **kwargs)

        guarded.guarded_by = permission  # type: ignore[attr-defined]  # read by the whole-house test
        return guarded  # type: ignore[return-value]  # wraps() keeps the signature

    return guard


def signed_in(view: View) -> View:
    """Let any signed-in person into the view: for what concerns only themselves."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        access()
        return view(*args, **kwargs)

    guarded.guarded_by = "signed in"  # type: ignore[attr-defined]  # read by the whole-house test
    return guarded  # type: ignore[return-value]  # wraps() keeps the signature


def signed_in_anywhere(view: View) -> View:
    """Let any signed-in person into the view, also one who is in no organisation now: `known()` says who."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if known() is None:
            raise SignInNeeded
        return view(*args, **kwargs)

    guarded.guarded_by = "signed in"  # type: ignore[attr-defined]  # read by the whole-house test
    return guarded  # type: ignore[return-value]  # wraps() keeps the signature


def confirmed(view: View) -> View:
    """Let people into the view who proved within 15 minutes that it is them; others prove it first. Stands below the guard that names who."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not access().is_confirmed:
            raise ConfirmationNeeded
        return view(*args, **kwargs)

    guarded.needs_confirmation = True  # type: ignore[attr-defined]  # read by the matrix of permissions
    return guarded  # type: ignore[return-value]  # wraps() keeps the signature


@dataclass(frozen=True, slots=True)
class Worn:
    """A tenant whose look pages wear; `slug` where a visitor's address names it."""

    tenant_id: UUID
    look: Mapping[str, Any]
    slug: str = ""


def worn() -> Worn | None:
    """Return whose look this request wears: the tenant of who is signed in, else the one that the visitor asked for."""
    here = current()
    if here is not None:
        return Worn(here.tenant_id, here.look) if here.look else None
    asked: Worn | None = g.get("worn")
    return asked


_knows_names: list[Callable[[Iterable[UUID]], dict[UUID, str]]] = []


def know_names(find: Callable[[Iterable[UUID]], dict[UUID, str]]) -> None:
    """Let `find` say the names of people of the tenant, for packages below the one that keeps them, which calls this once."""
    _knows_names[:] = [find]


def names_of(ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of people of the tenant by id, in the reader's language; others are left out."""
    return {person: name for find in _knows_names for person, name in find(ids).items()}


_knows_staff: list[Callable[[UUID], bool]] = []


def know_staff(check: Callable[[UUID], bool]) -> None:
    """Let `check` say of a person id whether they are staff of the house; the package that keeps the list calls this once."""
    _knows_staff[:] = [check]


def is_staff() -> bool:
    """Say whether the person of this request is staff; asked of the database once a request at most."""
    if "is_staff" not in g:
        here = current()
        g.is_staff = here is not None and any(check(here.person_id) for check in _knows_staff)
    found: bool = g.is_staff
    return found


def staff_only(view: View) -> View:
    """Let only staff of the house into the view; for everybody else, visitors too, it does not exist."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not is_staff():
            raise NotFound
        return view(*args, **kwargs)

    guarded.guarded_by = "staff"  # type: ignore[attr-defined]  # read by the whole-house test
    return guarded  # type: ignore[return-value]  # wraps() keeps the signature


def public(why: str) -> Callable[[View], View]:
    """Let everybody into the view, and say why."""

    def mark(view: View) -> View:
        view.public_because = why  # type: ignore[attr-defined]  # read by the whole-house test
        return view

    return mark


def for_programs(why: str) -> Callable[[View], View]:
    """Let programs into the view, which proves them by a signature or token of its own: no session, no form, so no CSRF token."""

    def mark(view: View) -> View:
        view.without_csrf = True  # type: ignore[attr-defined]  # read by create_app
        return public(why)(view)

    return mark
