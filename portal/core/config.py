"""The environment, read once into one frozen `Settings`; names the missing or weak variable and stops."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from portal.core.addresses import read_policy

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / ".env.production.template"
DOCUMENTS = (TEMPLATE, ROOT / "README.md")
MIN_SECRET_BYTES = 32
MIN_SECRET_BITS = 128
WELL_KNOWN = ("changeme", "change-me", "secret", "password", "example", "placeholder", "replace", "your-", "insert", "todo")


class Settings(BaseSettings):
    """Every variable the product reads; each is documented in `.env.production.template`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_file=None)

    environment: Literal["development", "test", "production"] = "development"
    secret_key: str = ""
    encryption_keys: str = ""
    database_url: str = ""
    database_owner_url: str = ""
    database_system_url: str = ""
    redis_url: str = ""
    public_url: str = "http://127.0.0.1:8000"
    mail_host: str = "127.0.0.1"
    mail_port: int = 1025
    mail_username: str = ""
    mail_password: str = ""
    mail_security: Literal["none", "starttls", "tls"] = "none"
    mail_from: str = "nasij@localhost.localdomain"
    egress_allow: str = ""
    egress_allow_http: bool = False
    dns_resolver: str = ""
    web_threads: int = Field(default=64, ge=4, le=512)
    web_proxies: int = Field(default=0, ge=0, le=5)
    database_pool: int = Field(default=10, ge=1, le=100)
    lease_s: float = Field(default=60, ge=1, le=600)
    worker_lanes: str = Field(default="", pattern=r"^((fast|io|ai|bulk)(\s*,\s*(fast|io|ai|bulk))*)?$")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    static_dir: str = ""
    failpoint: str = ""

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def static_path(self) -> Path:
        """The folder of built front-end parts."""
        return Path(self.static_dir) if self.static_dir else ROOT / "static" / "dist"

    @property
    def openings(self) -> tuple[str, ...]:
        """`ip:port` pairs and private networks that the operator opened for outgoing calls."""
        return tuple(part.strip() for part in self.egress_allow.split(",") if part.strip())


class SettingsRefused(SystemExit):
    """The environment is not fit to start; the text names each variable and what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What `portal check` says about one variable: an empty `advice` means that it is fine."""

    variable: str
    advice: str

    @property
    def ok(self) -> bool:
        return not self.advice


@lru_cache(maxsize=1)
def current_settings() -> Settings:
    """Return the settings of this process, read on the first call.

    Raises:
        SettingsRefused: a variable is malformed, opens what is never opened or, in production, is missing, short, guessable or a
            placeholder.
    """
    settings = read_settings()
    narrow = [Finding("EGRESS_ALLOW", _openings_advice(settings)), Finding("FAILPOINT", _failpoint_advice(settings))]
    judged = findings(settings) if settings.is_production else narrow
    if bad := [found for found in judged if not found.ok]:
        raise SettingsRefused("Nasij does not start:\n" + "\n".join(f"  {found.variable}: {found.advice}" for found in bad))
    return settings


def read_settings() -> Settings:
    """Read the environment; a value of the wrong shape stops with the variable's name."""
    try:
        return Settings()
    except ValidationError as refused:
        lines = [f"  {'_'.join(map(str, error['loc'])).upper()}: {error['msg']}" for error in refused.errors()]
        raise SettingsRefused("Nasij does not start:\n" + "\n".join(lines)) from None


def findings(settings: Settings) -> list[Finding]:
    """Judge every variable as for production, in the order of the template."""
    placeholders = documented_values()
    found = [Finding("SECRET_KEY", _secret_advice(settings.secret_key, placeholders))]
    found.append(Finding("ENCRYPTION_KEYS", _keys_advice(settings, placeholders)))
    for name in ("database_url", "database_owner_url", "database_system_url", "redis_url"):
        found.append(Finding(name.upper(), _server_advice(getattr(settings, name), placeholders)))
    found.append(Finding("PUBLIC_URL", _public_url_advice(settings.public_url, placeholders)))
    found.append(Finding("MAIL_HOST", _present_advice(settings.mail_host, placeholders)))
    found.append(Finding("MAIL_FROM", _present_advice(settings.mail_from, placeholders)))
    password = settings.mail_password
    found.append(Finding("MAIL_PASSWORD", _present_advice(password, placeholders) if settings.mail_username else ""))
    needs_tls = settings.mail_security == "none" and settings.mail_host not in ("127.0.0.1", "localhost", "::1")
    found.append(Finding("MAIL_SECURITY", "use starttls or tls: mail would travel in the clear" if needs_tls else ""))
    found.append(Finding("EGRESS_ALLOW", _openings_advice(settings)))
    http = settings.egress_allow_http
    found.append(Finding("EGRESS_ALLOW_HTTP", "must be false in production: calls would travel in the clear" if http else ""))
    found.append(Finding("FAILPOINT", _failpoint_advice(settings)))
    judged = {each.variable for each in found}
    found += [Finding(name.upper(), "") for name in Settings.model_fields if name.upper() not in judged]
    return found


def documented_values() -> frozenset[str]:
    """Return every value that stands after `NAME=` in the template and the documents; none may be used in production."""
    values = set()
    for document in DOCUMENTS:
        if not document.exists():
            continue
        for line in document.read_text("utf-8").splitlines():
            name, equals, value = line.strip().lstrip("# ").partition("=")
            if equals and name.isupper() and len(value.strip()) >= 8:
                values.add(value.strip().strip("'\""))
    return frozenset(values)


def entropy_bits(text: str) -> float:
    """Estimate the strength of a secret from how its characters are spread (Shannon), in bits."""
    counts: Mapping[str, int] = Counter(text)
    return sum(-count * math.log2(count / len(text)) for count in counts.values())


def _openings_advice(settings: Settings) -> str:
    try:
        read_policy(settings.openings, http=False, production=settings.is_production)
    except ValueError as wrong:
        return f"is refused: {str(wrong).removeprefix('EGRESS_ALLOW: ')}"
    return ""


def _failpoint_advice(settings: Settings) -> str:
    return "must be empty: it makes a process fail, for tests" if settings.failpoint and settings.environment != "test" else ""


def _secret_advice(value: str, placeholders: frozenset[str]) -> str:
    make = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
    if not value:
        return f"is missing; {make}"
    if value in placeholders or any(word in value.lower() for word in WELL_KNOWN):
        return f"is a placeholder from the documents; {make}"
    if len(value.encode()) < MIN_SECRET_BYTES:
        return f"is shorter than {MIN_SECRET_BYTES} bytes; {make}"
    if entropy_bits(value) < MIN_SECRET_BITS:
        return f"is easy to guess (low entropy); {make}"
    return ""


def _keys_advice(settings: Settings, placeholders: frozenset[str]) -> str:
    keys = [part.strip() for part in settings.encryption_keys.split(",")]
    if settings.secret_key and settings.secret_key in keys:
        return "holds SECRET_KEY; each secret has one use"
    advices = [_secret_advice(key, placeholders) for key in keys]
    return next((advice for advice in advices if advice), "")


def _server_advice(value: str, placeholders: frozenset[str]) -> str:
    if not value:
        return "is missing; give the address of the server, with user and password"
    if value in placeholders:
        return "is the placeholder from the template; give your own server"
    password = urlsplit(value).password
    if not password:
        return "has no password; the server must ask for one"
    if any(word in password.lower() for word in WELL_KNOWN):
        return "has a placeholder as its password; choose a random one"
    return ""


def _public_url_advice(value: str, placeholders: frozenset[str]) -> str:
    if value in placeholders:
        return "is the placeholder from the template; give the address people open"
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname:
        return "must be an https address: cookies and links need it"
    return ""


def _present_advice(value: str, placeholders: frozenset[str]) -> str:
    if not value:
        return "is missing"
    return "is the placeholder from the template" if value in placeholders else ""
