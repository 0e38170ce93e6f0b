"""Who is asking and what they may do. Identity fills it in at the start of each request; everybody else only reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from flask import g

from portal.core.errors import Forbidden, NotFound, SignInNeeded

View = TypeVar("View", bound=Callable[..., Any])


class Permission(StrEnum):
    """`resource:action`; a role is a set of these, and nothing is allowed that is not named."""

    WORKFLOW_READ = "workflow:read"
    WORKFLOW_EDIT = "workflow:edit"
    WORKFLOW_PUBLISH = "workflow:publish"
    RUN_READ = "run:read"
    RUN_START = "run:start"
    RUN_OPERATE = "run:operate"
    TABLE_READ = "table:read"
    TABLE_EDIT = "table:edit"
    NOTIFICATION_READ = "notification:read"
    THEME_EDIT = "theme:edit"
    LIST_SHARE = "list:share"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, as the audit book keeps it: a person, or the system."""

    kind: str
    id: UUID | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


SYSTEM = Actor("system")


@dataclass(frozen=True, slots=True)
class Access:
    """The signed-in person in the tenant of this session."""

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
    look: Mapping[str, Any] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        return Actor("person", self.person_id)

    def can(self, permission: Permission) -> bool:
        return permission.value in self.permissions


def access() -> Access:
    """Return who is asking.

    Raises:
        SignInNeeded: nobody is signed in.
    """
    here = current()
    if here is None:
        raise SignInNeeded
    return here


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
