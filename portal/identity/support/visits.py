"""What a request of support may do: look at the tenant's things, and leave."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, request, session

from portal.core.access import Permission, Visit
from portal.core.errors import Forbidden
from portal.core.render import see_other, toast
from portal.i18n.words import gettext as _
from portal.identity import sessions
from portal.identity.support import service
from portal.tenants import service as tenants

# Without a permission in their name, and harmless.
OPEN = frozenset({"shell.search", "shell.shortcuts", "identity.stay", "identity.switch_locale", "support.leave", "static"})


def visit_of(row: Any) -> Visit | None:
    """Return the visit of a session, with this page written down; None when it is over."""
    # Whoever goes looks at nothing: the organisation reads the page before.
    found = service.look(row.tenant_id, row.visit_id, "" if request.endpoint == "support.leave" else request.path)
    return Visit(row.visit_id, found.staff_id, found.staff_name, found.staff_name_ar, found.until) if found else None


def visit_is_over(row: Any) -> Response:
    """Lead staff back to their own pages, under a new id."""
    session.clear()
    sessions.continue_session(session, row.staff_id, tenants.house_id())
    toast(_("The visit is over."), "info")
    if request.headers.get("HX-Request") == "true":
        return Response(status=204, headers={"HX-Redirect": "/"})
    return see_other("/")


def only_looking(permissions: frozenset[str]) -> frozenset[str]:
    """Return what remains of a member's permissions for who only looks."""
    return frozenset(each for each in permissions if each.endswith(":read"))


def refuse_changes() -> None:
    """Let only reading routes of the tenant through: not the person's own pages, and nothing that changes anything.

    Raises:
        Forbidden: with a sentence for the staff.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    guard = getattr(view, "guarded_by", None)
    reads = isinstance(guard, Permission) and guard.value.endswith(":read") and request.method in ("GET", "HEAD")
    if request.endpoint in OPEN or reads or hasattr(view, "public_because") or view is None:
        return
    raise Forbidden(_("Support only looks: nothing can be changed, and a person's own pages stay closed."))
