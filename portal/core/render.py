"""Page or fragment: the only place that knows about htmx. Components are `ui.<name>(…)`, one macro per file."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, Response, current_app, flash, g, has_request_context, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale, gettext
from jinja2 import nodes
from jinja2_fragments.flask import render_block
from markupsafe import Markup

from portal.core.config import current_settings

# Values that are told apart by their type and themselves; Markup equals its text, so the type must be part of the key.
PLAIN = frozenset({str, Markup, int, bool, float, type(None)})
# What a component may use and still say the same to everybody who reads the same language.
SAME_NAMES = frozenset({"ui", "_", "ngettext", "asset", "caller", "loop"})
SAME_FILTERS = frozenset(
    {"default", "first", "isolate", "join", "last", "length", "lower", "replace", "set_apart", "string", "trim", "upper"}
)
# What takes attributes by name is kept only if it is named here: fields and copy buttons carry what people typed, and secrets.
WITH_ATTRIBUTES = frozenset({"attributes", "button", "column_boxes", "icon_button"})
KEPT_TEXTS = 1_000
KEPT_LENGTH = 8_000


class Components:
    """`ui.<name>`: the macro `<name>` of `templates/components/<name>.html`, loaded when first used.

    Components that use nothing of the request are rendered once for the same arguments and language, and kept.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __getattr__(self, name: str) -> Callable[..., str]:
        if name.startswith("_"):
            raise AttributeError(name)
        macro: Callable[..., Any] = getattr(self._app.jinja_env.get_template(f"components/{name}.html").module, name)
        if self._app.debug:
            return macro
        if self._says_the_same(name):
            macro = Kept(macro)
        setattr(self, name, macro)
        return macro

    def _says_the_same(self, name: str, seen: frozenset[str] = frozenset()) -> bool:
        """Say whether a component, with all that it uses, depends on nothing but its arguments and the language."""
        environment = self._app.jinja_env
        assert environment.loader is not None
        tree = environment.parse(environment.loader.get_source(environment, f"components/{name}.html")[0])
        names = {each.name for each in tree.find_all(nodes.Name) if each.ctx == "load"}
        own = {each.name for each in tree.find_all(nodes.Name) if each.ctx != "load"}
        filters = {each.name for each in tree.find_all(nodes.Filter)} - ({"forceescape"} if name in WITH_ATTRIBUTES else set())
        if names - own - SAME_NAMES or filters - SAME_FILTERS:
            return False
        used = {each.attr for each in tree.find_all(nodes.Getattr) if isinstance(each.node, nodes.Name) and each.node.name == "ui"}
        if used & WITH_ATTRIBUTES and name not in WITH_ATTRIBUTES:
            return False
        return all(self._says_the_same(each, seen | {name}) for each in used - seen - {name})


class Kept:
    """A component whose texts are kept by argument and language."""

    def __init__(self, macro: Callable[..., Markup]) -> None:
        self._macro = macro
        self._texts: dict[Any, Markup] = {}

    def __call__(self, *values: Any, **named: Any) -> Markup:
        # The one argument that is often no plain value: attributes by name.
        attrs = named.get("attrs") or {}
        # What carries the nonce of one answer would never be asked for again; what is copied may be a secret.
        if named.get("hx") or "data-copy" in attrs:
            return self._macro(*values, **named)
        every = (*values, *(value for name, value in named.items() if name != "attrs"), *attrs.values())
        kinds = tuple(map(type, every))
        if not PLAIN.issuperset(kinds):
            return self._macro(*values, **named)
        key = (voice(), tuple(named), tuple(attrs), kinds, every)
        text = self._texts.get(key)
        if text is None:
            text = self._macro(*values, **named)
            if len(self._texts) >= KEPT_TEXTS:
                self._texts.clear()
            if len(text) <= KEPT_LENGTH:
                self._texts[key] = text
        return text


def language() -> str:
    """Return the tag of the language that is spoken now: the reader's, or the one that `force_locale` set."""
    return language_in(vars(g._get_current_object()))


def language_in(kept: dict[str, Any]) -> str:
    """Return the same for who holds the dictionary of Flask's `g` already: a page asks some hundreds of times, and each look for it costs as much as a word."""
    chosen = getattr(kept.get("_flask_babel"), "babel_locale", None) or get_locale()  # where Flask-Babel keeps it
    return chosen.language if chosen else "en"


def voice() -> str:
    """Return how that language is spoken to this reader: its tag, or the name i18n has for it with other digits; found once per request."""
    kept = vars(g._get_current_object())
    voices: dict[str, str] | None = kept.get("voices")
    if voices is None:
        voices = kept["voices"] = find_voices[0]() if find_voices else {}
    tag = language_in(kept)
    return voices.get(tag, tag)


# Filled by i18n, which stands above: says language → voice for who is asking, where they differ.
find_voices: list[Callable[[], dict[str, str]]] = []


def init_app(app: Flask) -> None:
    """Put `ui`, `asset` and `url_of` into every template, fragments included."""
    app.jinja_env.globals.update(ui=Components(app), asset=asset, url_of=url_of, page_address=page_address)
    app.jinja_env.filters["pretty_json"] = pretty_json
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def pretty_json(value: Any) -> str:
    """Return a value as indented JSON, as plain text: the template escapes it, also inside an attribute."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def render(page: str, *, fragment: str | None = None, status: int = 200, **context: object) -> Response:
    """Answer with the page, or with one named block of it when htmx asked for a part."""
    html = render_block(page, fragment, **context) if fragment is not None and is_fragment_request() else render_template(page, **context)
    if status == 422:
        # Whoever hears the title first must not think that it worked.
        mark = f"<title>{gettext('Error:')} "
        html = html if mark in html else html.replace("<title>", mark, 1)
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


def local_address(wanted: str | None) -> str:
    """Return `wanted` if it is a path of this portal, else the home page: `next` must never lead away."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or "\\" in wanted:
        return "/"
    parts = urlsplit(wanted)
    return wanted if not parts.scheme and not parts.netloc and wanted.isprintable() else "/"


def page_address() -> str | None:
    """Return the address of the page that the person sees, as it can be opened again; None if there is none.

    What answers a sent form may stand at an address that takes forms only: then it is the page of the form, else the next one above.
    """
    here = request.full_path.rstrip("?")
    if request.method in ("GET", "HEAD"):
        return here
    came_from = urlsplit(request.referrer or "")
    known = [came_from._replace(scheme="", netloc="", fragment="").geturl()] if came_from.netloc == request.host else []
    parts = request.path.rstrip("/").split("/")
    above = ["/".join(parts[:end]) for end in range(len(parts) - 1, 1, -1)]
    routes = current_app.create_url_adapter(request)
    assert routes is not None, "inside a request"
    return next((each for each in (*known, here, *above) if routes.test(urlsplit(each).path, method="GET")), None)


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
    # What `url_for` builds for "static": a page names some dozen parts, and each call of it costs as much as rendering a button.
    return f"{request.script_root}{current_app.static_url_path}/{hashed}" if has_request_context() else url_for("static", filename=hashed)


def url_of(endpoint: str, **ids: UUID) -> str:
    """Do what `url_for` does for a page that is named by ids alone, quickly: lists link to a page for each row."""
    return _pattern(request.script_root, endpoint, tuple(ids)).format(**ids)


@lru_cache(maxsize=256)
def _pattern(_root: str, endpoint: str, names: tuple[str, ...]) -> str:
    marks: dict[str, Any] = {name: UUID(int=number + 1) for number, name in enumerate(names)}
    url = url_for(endpoint, **marks)
    for name, mark in marks.items():
        url = url.replace(str(mark), f"{{{name}}}")
    return url


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
