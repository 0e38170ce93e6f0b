"""Pages for who is not signed in, or not yet: the brand, and one card."""

from __future__ import annotations

from typing import Any

from flask import Response, g

from portal.core.render import render


def outside(page: str, *, status: int = 200, **context: Any) -> Response:
    """Answer with a page that is never kept and tells nobody where it was, because its address may hold a secret."""
    g.no_chrome = True
    answer = render(page, status=status, **context)
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "no-store"
    return answer
