"""Page or fragment: the only place that knows about htmx. Components are `ui.<name>(…)`, one macro per file."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from flask import Flask, Response, current_app, flash, g, make_response, redirect, render_template, request, url_for
from jinja2_fragments.flask import render_block
from markupsafe import Markup

from portal.core.config import current_settings


class Components:
    """`ui.<name>`: the macro `<name>` of `templates/components/<name>.html`, loaded when first used."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._macros: dict[str, Callable[..., Any]] = {}

    def __getattr__(self, name: str) -> Callable[..., str]:
        if name.startswith("_"):
            raise AttributeError(name)
        macro = self._macros.get(name)
        if macro is None:
            module = self._app.jinja_env.get_template(f"components/{name}.html").module
            macro = partial(_said_once, getattr(module, name))
            if not self._app.debug:
                self._macros[name] = macro
        return macro


# Values that are told apart by their type and themselves; Markup equals its text, so the type must be part of the key.
PLAIN = frozenset({str, Markup, int, bool, float, type(None), UUID, datetime})


def _said_once(macro: Callable[..., Markup], *values: Any, **named: Any) -> Markup:
    """Call a component, once for the same plain arguments in one language and request: it depends on nothing else."""
    every = (*values, *named.values())
    kinds = tuple(map(type, every))
    if not PLAIN.issuperset(kinds):
        return macro(*values, **named)
    here = vars(g._get_current_object())  # looked up once: each look through the proxy costs as much as a small macro
    said = here.setdefault("said", {})
    language = getattr(here.get("_flask_babel"), "babel_locale", None)  # where Flask-Babel keeps the language of the request
    key = (macro.name, language, tuple(named), kinds, every)  # type: ignore[attr-defined]  # a Jinja macro has it
    text = said.get(key)
    if text is None:
        text = said[key] = macro(*values, **named)
    return text


def init_app(app: Flask) -> None:
    """Put `ui` and `asset` into every template, fragments included."""
    app.jinja_env.globals.update(ui=Components(app), asset=asset)
    app.jinja_env.filters["pretty_json"] = pretty_json
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def pretty_json(value: Any) -> str:
    """Return a value as indented JSON, as plain text: the template escapes it, also inside an attribute."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def render(page: str, *, fragment: str | None = None, status: int = 200, **context: object) -> Response:
    """Answer with the page, or with one named block of it when htmx asked for a part."""
    html = render_block(page, fragment, **context) if fragment is not None and is_fragment_request() else render_template(page, **context)
    response = make_response(html, status)
    response.vary.update(("HX-Request", "HX-Boosted", "HX-History-Restore-Request"))
    return response


def is_fragment_request() -> bool:
    """Boosted links and history restores are htmx too, but want the whole page."""
    asked = request.headers
    whole = asked.get("HX-Boosted") == "true" or asked.get("HX-History-Restore-Request") == "true"
    return asked.get("HX-Request") == "true" and not whole


def changed(url: str, fragment: Callable[[], Response]) -> Response:
    """After a change: the new fragment for htmx, a 303 to the page for a plain form."""
    return fragment() if is_fragment_request() else see_other(url)


def see_other(url: str) -> Response:
    """Send the browser to the page that shows the change; a reload of it repeats nothing."""
    return make_response(redirect(url, code=303))


def toast(text: str, tone: str = "success") -> None:
    """Show a sentence beside the next page; it repeats what is visible elsewhere."""
    flash(str(text), tone)


def asset(name: str) -> str:
    """Return the address of a built front-end part by its logical name, e.g. `app.css`.

    Raises:
        RuntimeError: the part is not in the build's manifest.
    """
    hashed = manifest().get(name)
    if hashed is None:
        raise RuntimeError(f"{name!r} is not built: run `make setup`")
    return url_for("static", filename=hashed)


def manifest() -> dict[str, str]:
    """Logical name → hashed file of the front-end build."""
    if current_app.debug:
        _manifest.cache_clear()
    return _manifest()


@lru_cache(maxsize=1)
def _manifest() -> dict[str, str]:
    path = current_settings().static_path / "manifest.json"
    if not path.exists():
        return {}
    built: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return {str(name): str(hashed) for name, hashed in built.items()}
