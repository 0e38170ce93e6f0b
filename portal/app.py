"""`create_app()`: the Flask application, and the only list of packages."""

from __future__ import annotations

import json
import logging
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, render_template, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from portal import models  # noqa: F401 - fills the metadata: foreign keys are resolved by name
from portal.admin import wiring as admin
from portal.api import problems
from portal.api import wiring as api
from portal.connections import wiring as connections
from portal.core import access, checks, db, failpoints, headers, ids, render
from portal.core.config import ROOT, Settings, current_settings
from portal.core.errors import ConfirmationNeeded, Invalid, OrganisationNeeded, PortalError, SignInNeeded
from portal.core.log import add_fields, clear_fields, init_logging
from portal.datatables import wiring as datatables
from portal.exports import wiring as exports
from portal.i18n import locale as i18n
from portal.i18n.words import gettext as _
from portal.identity import wiring as identity
from portal.identity.account import wiring as account
from portal.identity.custom_roles import wiring as custom_roles
from portal.identity.factors import wiring as factors
from portal.identity.groups import wiring as groups
from portal.identity.invitations import wiring as invitations
from portal.identity.members import wiring as members
from portal.identity.organisations import wiring as organisations
from portal.identity.registration import wiring as registration
from portal.identity.scim import wiring as scim
from portal.identity.sso import wiring as sso
from portal.identity.support import wiring as support
from portal.identity.tokens import wiring as tokens
from portal.lists import wiring as lists
from portal.mail import wiring as mail
from portal.notifications import wiring as notifications
from portal.ops import wiring as ops
from portal.shell import wiring as shell
from portal.tenants.themes import wiring as themes
from portal.workflows import wiring as workflows
from portal.workflows.calendars import wiring as calendars
from portal.workflows.failures import wiring as failures
from portal.workflows.tasks import wiring as tasks

log = logging.getLogger(__name__)
csrf = CSRFProtect()
PACKAGES = (
    mail,
    themes,
    identity,
    account,
    factors,
    registration,
    organisations,
    members,
    invitations,
    custom_roles,
    groups,
    sso,
    scim,
    support,
    tokens,
    notifications,
    datatables,
    connections,
    exports,
    lists,
    workflows,
    failures,
    calendars,
    tasks,
    shell,
    admin,
    api,
    ops,
)


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application from the settings (the environment's when None).

    Raises:
        SettingsRefused: the environment is not fit for production.
    """
    settings = settings or current_settings()
    init_logging(settings.log_level)
    failpoints.arm(settings)
    app = Flask(
        "portal",
        root_path=str(ROOT / "portal"),
        template_folder=str(ROOT / "templates"),
        static_folder=str(settings.static_path),
        static_url_path="/static",
    )
    _configure(app, settings)
    headers.init_headers(app)
    i18n.init_app(app)
    render.init_app(app)
    app.before_request(_name_request)
    for package in PACKAGES:
        package.init_app(app)
    # After identity: a form sent when the session has ended is a matter of signing in, not of a stale token.
    csrf.init_app(app)
    for view in app.view_functions.values():
        if hasattr(view, "without_csrf"):
            csrf.exempt(view)
    for blueprint in api.BLUEPRINTS:
        csrf.exempt(blueprint)
    checks.init_app(app)
    app.context_processor(_template_names)
    app.register_error_handler(PortalError, answer_refusal)
    app.register_error_handler(CSRFError, _answer_csrf)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(OperationalError, _answer_database)
    app.register_error_handler(Exception, _answer_crash)
    _wrap(app, settings)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    https = settings.public_url.startswith("https://")
    app.config.update(
        SECRET_KEY=settings.secret_key or ids.new_id().hex,
        MAX_CONTENT_LENGTH=1_000_000,
        MAX_FORM_PARTS=2_000,
        SESSION_COOKIE_NAME="__Host-sid" if https else "sid",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=https,
        DEMO_PEOPLE=_demo_people(settings),
        TEMPLATES_AUTO_RELOAD=settings.environment == "development",
        SETTINGS=settings,
        PSEUDO_LOCALES=not settings.is_production,
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # the default provider has it


def _wrap(app: Flask, settings: Settings) -> None:
    """Outermost first: proxies, built files, then one unit of work around each request."""
    inner = app.wsgi_app

    def with_unit(environ: dict[str, Any], start_response: Any) -> Any:
        with db.unit_of_work():
            return inner(environ, start_response)

    built = str(settings.static_path) if settings.static_path.exists() else None
    static = WhiteNoise(
        with_unit, root=built, prefix="static/", max_age=31_536_000, immutable_file_test=lambda *_: True, add_headers_function=_guard_file
    )
    outer: Any = static
    if settings.web_proxies:
        outer = ProxyFix(static, x_for=settings.web_proxies, x_proto=settings.web_proxies, x_host=settings.web_proxies)
    app.wsgi_app = outer  # type: ignore[method-assign]  # how Flask wants middleware


def _guard_file(answer_headers: Any, _path: str, _url: str) -> None:
    """Built files bypass Flask, and so the headers that it gives to pages."""
    answer_headers["X-Content-Type-Options"] = "nosniff"
    answer_headers["Cross-Origin-Resource-Policy"] = "same-origin"


def _demo_people(settings: Settings) -> list[dict[str, str]]:
    """Return the demo's sign-ins for the sign-in page; never in production."""
    path = ROOT / "var" / "demo.json"
    if settings.environment != "development" or not path.exists():
        return []
    people: list[dict[str, str]] = json.loads(path.read_text("utf-8"))
    return people


def _name_request() -> None:
    clear_fields()
    g.request_id = str(ids.new_id())
    add_fields(request=g.request_id, path=request.path, trace=request.headers.get("traceparent", "")[:60] or None)


def _template_names() -> dict[str, Any]:
    return {"here": access.current(), "request_id": g.get("request_id", "")}


def answer_refusal(refused: PortalError) -> Response:
    """Answer a refusal once: problem+json for programs, the sign-in page for visitors, an error page for people."""
    if isinstance(refused, SignInNeeded) and not problems.is_asked() and not _wants_json():
        return _to_sign_in()
    if isinstance(refused, ConfirmationNeeded) and not problems.is_asked() and not _wants_json():
        return _by_way_of("account.confirm")
    if isinstance(refused, OrganisationNeeded) and not problems.is_asked() and not _wants_json():
        return _by_way_of("organisations.choose")
    wrong = refused.problems if isinstance(refused, Invalid) else None
    answer = _answer(refused.status, refused.code, message=refused.message, wrong=wrong)
    if refused.retry_after_s:
        answer.headers["Retry-After"] = str(refused.retry_after_s)
    return answer


def _to_sign_in() -> Response:
    if request.headers.get("HX-Request") == "true":
        # The page stays as it is: it says that the session has ended and keeps what was typed.
        return Response(status=401, headers={"HX-Reswap": "none"})
    url = url_for("identity.sign_in", next=render.page_address())
    return render.see_other(url)


def _by_way_of(endpoint: str) -> Response:
    """Lead to a page that asks for something first, and then back."""
    url = url_for(endpoint, next=render.page_address())
    if request.headers.get("HX-Request") == "true":
        return Response(status=204, headers={"HX-Redirect": url})
    return render.see_other(url)


def _answer_csrf(_refused: CSRFError) -> Response:
    view = current_app.view_functions.get(request.endpoint or "")
    if access.current() is None and not hasattr(view, "public_because"):
        return answer_refusal(SignInNeeded())
    return _answer(400, "form_expired", message=_("The page was open for too long. Reload it and try again; nothing was saved."))


def _answer_http(refused: HTTPException) -> Response:
    if refused.code is None or refused.code < 400:
        return refused.get_response()  # type: ignore[return-value]  # a redirect
    is_page = not problems.is_asked()
    message = (
        _("What was sent is larger than this page takes. Choose a smaller file and try again.") if refused.code == 413 and is_page else ""
    )
    answer = _answer(refused.code, refused.name.lower().replace(" ", "_"), message=message)
    for name, value in refused.get_headers(request.environ):
        if name.lower() in ("allow", "retry-after"):
            answer.headers[name] = value
    return answer


def _answer_database(broken: OperationalError) -> Response:
    log.error("the database is away", exc_info=broken)
    answer = _answer(503, "database_away")
    answer.headers["Retry-After"] = "5"
    return answer


def _answer_crash(broken: Exception) -> Response:
    log.error("a request broke", exc_info=broken)
    return _answer(500, "error")


def _wants_json() -> bool:
    best = request.accept_mimetypes.best_match(["text/html", "application/json", "application/problem+json"], "text/html")
    return request.is_json or best != "text/html"


def _answer(status: int, code: str, *, message: str = "", wrong: dict[str, str] | None = None) -> Response:
    if problems.is_asked():
        return problems.answer(status, message=message, errors=wrong)
    request_id = g.get("request_id", "")
    if _wants_json():
        body = {"type": "about:blank", "status": status, "code": code, "title": message or code.replace("_", " "), "request_id": request_id}
        if wrong:
            body["errors"] = {name: str(text) for name, text in wrong.items()}
        answer = jsonify(body)
        answer.mimetype = "application/problem+json"
    else:
        known = status if status in (400, 401, 403, 404, 409, 422, 429, 500) else 500 if status >= 500 else 400
        answer = Response(render_template(f"errors/{known}.html", message=message, request_id=request_id, status=status))
    answer.status_code = status
    return answer
