"""The headers of every answer: content security policy with a nonce, transport and isolation rules, and revalidation of pages."""

from __future__ import annotations

import gzip
import hashlib
import io
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, Response, g, request, session
from flask_talisman import Talisman

from portal.core.config import current_settings

View = TypeVar("View", bound=Callable[..., Any])
YEAR_S = 31_536_000
WORTH_COMPRESSING = 1_000

POLICY = {
    "default-src": "'none'",
    "script-src": "",  # only the nonce, which Talisman adds
    "style-src": "'self'",
    "img-src": ["'self'", "data:"],
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "frame-src": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": ["htmx", "default"],
}

FEATURES_DENIED = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)

VARY = ("Cookie", "Accept-Language", "HX-Request")

# A 304 that carried these would pair the kept page with a nonce it does not have, and its scripts would be refused.
BOUND_TO_THE_BODY = ("Content-Security-Policy", "Content-Type", "Content-Length")


def init_headers(app: Flask) -> None:
    """Give every answer of the application its headers; `csp_nonce()` becomes a template global."""
    production = current_settings().is_production
    # Registered before Talisman: Flask runs these in reverse, so the first sees the finished answer.
    app.after_request(_compress)
    app.after_request(_revalidate)
    app.after_request(_isolate)
    Talisman(
        app,
        force_https=False,  # the proxy in front redirects; health checks come in plainly
        strict_transport_security=production,
        strict_transport_security_max_age=YEAR_S,
        strict_transport_security_include_subdomains=True,
        content_security_policy=POLICY,
        content_security_policy_nonce_in=["script-src"],
        frame_options="DENY",
        referrer_policy="strict-origin-when-cross-origin",
        permissions_policy=dict.fromkeys(FEATURES_DENIED, "()"),
        session_cookie_secure=production,
        session_cookie_samesite="Lax",
        x_xss_protection=False,
    )


def _marking(flag: str) -> Callable[[View], View]:
    """Return a decorator that sets `g.<flag>` while the view answers; `_isolate` reads it."""

    def decorate(view: View) -> View:
        @wraps(view)
        def marked(*args: Any, **kwargs: Any) -> Any:
            setattr(g, flag, True)
            return view(*args, **kwargs)

        return marked  # type: ignore[return-value]  # wraps() keeps the signature

    return decorate


# The portal's own pages may show this page in a frame; nobody else's may, and no other page may be framed.
framed = _marking("is_framed")
# Nothing in what the view sends may run or load: a file that came from outside, opened by itself, is a page.
inert = _marking("is_inert")


def _isolate(answer: Response) -> Response:
    if g.get("is_inert") and answer.status_code == 200:  # not the error page that stands in its place
        answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    if g.get("is_framed"):
        answer.headers["X-Frame-Options"] = "SAMEORIGIN"
        policy = answer.headers.get("Content-Security-Policy", "")
        answer.headers["Content-Security-Policy"] = policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer


def _revalidate(answer: Response) -> Response:
    """Let browsers keep pages but ask each time: an unchanged page is answered with 304 and no body."""
    if answer.mimetype != "text/html":
        return answer
    answer.vary.update(VARY)
    if "Cache-Control" not in answer.headers:
        answer.headers["Cache-Control"] = "private, no-cache"
    if request.method != "GET" or answer.status_code != 200 or answer.is_streamed or "Set-Cookie" in answer.headers:
        return answer
    # Going back to the page that was loaded first: a 304 would bring that page's own nonce again, which hx-csp takes for a stolen
    # one; it would strip every htmx attribute.
    if request.headers.get("HX-History-Restore-Request") == "true":
        return answer
    answer.set_etag(_fingerprint(answer), weak=True)
    answer.make_conditional(request)
    if answer.status_code == 304:
        for name in BOUND_TO_THE_BODY:
            answer.headers.pop(name, None)
    return answer


def _compress(answer: Response) -> Response:
    """Send pages compressed where the browser takes it; built files are compressed at set-up, streams never are."""
    wanted = answer.mimetype == "text/html" and not answer.is_streamed and "Content-Encoding" not in answer.headers
    if not wanted or answer.status_code in (204, 304):
        return answer
    answer.vary.add("Accept-Encoding")
    body = answer.get_data()
    if len(body) < WORTH_COMPRESSING or not request.accept_encodings["gzip"]:
        return answer
    packed = io.BytesIO()
    # A name of random length in gzip's own header hides the exact length: it could tell letter by letter what a page holds (BREACH).
    name = secrets.token_hex(secrets.randbelow(50) + 1)
    with gzip.GzipFile(name, "wb", compresslevel=5, fileobj=packed, mtime=0) as file:
        file.write(body)
    answer.set_data(packed.getvalue())
    answer.headers["Content-Encoding"] = "gzip"
    return answer


def _fingerprint(answer: Response) -> str:
    """Hash what a reader would see change: the body without its nonce and CSRF token, which differ in every answer.

    The session's own CSRF secret is part of it, so a page kept from before signing in is never used after it.
    """
    body = answer.get_data()
    for changing in (getattr(request, "csp_nonce", ""), g.get("csrf_token", "")):
        if changing:
            body = body.replace(changing.encode(), b"")
    secret = str(session.get("csrf_token", ""))
    return hashlib.sha256(body + secret.encode()).hexdigest()[:32]
