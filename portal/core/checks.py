"""Forms that are only checked: after a refusal the page asks about a field that was corrected, and nothing is carried out.

Such a request runs the view of the form as far as its checks. A form that passes `Form.validate` ends there; so does a view that would
open a transaction. A view marked `@checkable`, whose verb finds what is wrong inside its transaction, runs up to the commit, which
is then taken back. Nothing else that a view does may come before that: a password is compared after `validate`, and so never.
"""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, jsonify, request, session

from portal.core import db

View = TypeVar("View", bound=Callable[..., Any])
HEADER = "X-Check-Only"


def checkable(view: View) -> View:
    """Mark a view whose verb may be tried up to its commit: it calls nothing outside, and tells no secret by its refusals."""
    view.is_checkable = True  # type: ignore[attr-defined]  # a mark, as Flask's own decorators leave them
    return view


def init_app(app: Flask) -> None:
    """Answer requests that only check; called after everything that looks at requests first, such as the guard against forgery."""
    app.before_request(_begin)
    app.after_request(_answer)
    app.register_error_handler(db.OnlyTried, _tried)


def _begin() -> None:
    if request.method != "POST" or request.headers.get(HEADER) != "1" or request.endpoint is None:
        return
    g.is_check = True
    db.only_try(up_to_commit=hasattr(current_app.view_functions[request.endpoint], "is_checkable"))


def _tried(tried: db.OnlyTried) -> Response:
    g.check_is_right = tried.is_whole
    return Response(status=204)


def _answer(answer: Response) -> Response:
    """Say which fields are wrong, by the id of their error, or that it cannot be told; never anything of the page."""
    if not g.get("is_check"):
        return answer
    session.modified = False  # a toast that the view left would speak of something that was not done
    if g.get("check_is_right"):
        return jsonify(errors={})
    if answer.status_code == 422 and answer.mimetype == "text/html":
        return jsonify(errors=errors_of(answer.get_data(as_text=True)))
    return jsonify(errors=None)


def errors_of(page: str) -> dict[str, str]:
    """Return the errors that a page shows at its fields: id of the element → sentence."""
    reader = _Errors()
    reader.feed(page)
    return {name: " ".join("".join(parts).split()) for name, parts in reader.found.items()}


class _Errors(HTMLParser):
    """Reads `<p class="error" id="…-error">`, without what only screen readers are told before it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}
        self._name: str | None = None
        self._is_aside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        classes = (given.get("class") or "").split()
        if tag == "p" and "error" in classes and given.get("id"):
            self._name = given["id"] or ""
            self.found[self._name] = []
        elif "visually-hidden" in classes:
            self._is_aside = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self._name = None
        self._is_aside = False

    def handle_data(self, data: str) -> None:
        if self._name is not None and not self._is_aside:
            self.found[self._name].append(data)
