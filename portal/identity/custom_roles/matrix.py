"""The matrix of permissions, read from the table of routes: what guards a page is what is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from portal.core.access import Permission


@dataclass(slots=True)
class Guarded:
    """What one permission opens: (method, address, whether it asks who you are once more), by address."""

    permission: Permission | None
    routes: list[tuple[str, str, bool]] = field(default_factory=list)


def read(app: Flask) -> tuple[dict[Permission, Guarded], Guarded, int]:
    """Return what each permission opens, what every member may open, and how many routes need no organisation at all."""
    by_permission = {each: Guarded(each) for each in Permission}
    everybody, outside = Guarded(None), 0
    for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule):
        view = app.view_functions[rule.endpoint]
        guard: Any = getattr(view, "guarded_by", None)
        place = by_permission.get(guard) if isinstance(guard, Permission) else everybody if guard == "signed in" else None
        if place is None:
            outside += 1
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            place.routes.append((method, rule.rule, hasattr(view, "needs_confirmation")))
    return by_permission, everybody, outside
