"""What a posted connection means, and what is wrong with it: one reader for every kind, made from its settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.connections.chat import host_of
from portal.connections.kinds import SLACK, SLACK_HOOKS, TEAMS, TEAMS_GONE, Kind, Setting
from portal.connections.masking import MIN_SECRET
from portal.connections.outgoing import webhook_key
from portal.core import addresses, egress
from portal.core.digits import ascii_digits
from portal.core.forms import clean
from portal.i18n import names
from portal.i18n.words import gettext as _

MAX_NAME = 80
MAX_HOSTS = 20
MAX_VALUE = 2_000
MAX_SECRET = 8_000
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80}\Z")
TOKEN_HOST = "token:"  # noqa: S105 - before a server that only the client secret of OAuth goes to
SCOPES = ("tenant", "workflows", "kinds")


@dataclass(slots=True)
class Given:
    """A connection as it was typed: what may be seen, the secrets, and what is wrong, by field."""

    name: str = ""
    name_ar: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    hosts: list[str] = field(default_factory=list)
    scope: str = "tenant"
    scope_items: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)


def read(kind: Kind, form: Any, *, keeps: frozenset[str] = frozenset(), hosts_before: Iterable[str] = ()) -> Given:
    """Read a posted connection.

    Args:
        form: a werkzeug MultiDict.
        keeps: secrets that are kept when their field is empty.
        hosts_before: where the kept secrets may go; another server wants them typed again, or whoever may edit a connection
            could have its secret sent to a server of their own.
    """
    given = Given(names.tidy(form.get("name", "")), names.tidy(form.get("name_ar", "")))
    given.scope = form.get("scope", "tenant")
    given.scope_items = [str(each)[:80] for each in form.getlist(f"scope_{given.scope}")][:200]
    _check_names(given)
    if given.scope not in SCOPES or (given.scope != "tenant" and not given.scope_items):
        given.problems["scope"] = _("Choose at least one.")
    for setting in kind.plain:
        try:
            given.settings[setting.name] = _read_setting(setting, form)
        except ValueError as wrong:
            given.settings[setting.name] = clean(form.get(setting.name, ""))[:MAX_VALUE]
            given.problems[setting.name] = wrong.args[0]
    given.secrets = read_secrets(kind, form, given.problems, keeps=keeps)
    if not given.problems:
        given.hosts = _bound_to(kind, given)
    kept = keeps - set(given.secrets)
    if kept and given.hosts and not given.problems and not set(given.hosts) <= set(hosts_before):
        given.problems[min(kept)] = _("Enter the secret again: it was given for other servers.")
    return given


def read_secrets(kind: Kind, form: Any, problems: dict[str, str], *, keeps: frozenset[str] = frozenset()) -> dict[str, str]:
    """Read the secrets of a form; `problems` is told what is wrong."""
    found = {}
    for setting in kind.secrets:
        value = str(form.get(setting.name, "")).strip()
        if not value and setting.name in keeps:
            continue
        if wrong := _secret_problem(kind, setting, value):
            problems[setting.name] = wrong
        else:
            found[setting.name] = value
    return found


def _check_names(given: Given) -> None:
    for each in ("name", "name_ar"):
        value = getattr(given, each)
        if len(value) > MAX_NAME:
            given.problems[each] = _("Use at most %(num)d characters.", num=MAX_NAME)
        elif wrong := names.problem(value):
            given.problems[each] = str(wrong)
    if not given.name:
        given.problems["name"] = _("Enter a name.")


def _read_setting(setting: Setting, form: Any) -> Any:
    if setting.type == "boolean":
        return form.get(setting.name) == "1"
    text = clean(form.get(setting.name, ""))[: MAX_VALUE * 4]
    if not text:
        if setting.required:
            raise ValueError(_("Fill in “%(field)s”.", field=setting.label))
        return ""
    if len(text) > MAX_VALUE:
        raise ValueError(_("Use at most %(num)d characters.", num=MAX_VALUE))
    return _READERS.get(setting.type, _read_text)(setting, text)


def _read_text(setting: Setting, text: str) -> str:
    if setting.name in ("header", "parameter") and not TOKEN.match(text):
        raise ValueError(_("Use letters, digits and “-” only."))
    if setting.name == "header" and text.lower() in egress.REFUSED_HEADERS | {"content-length", "content-type", "idempotency-key"}:
        raise ValueError(_("This header is set by the portal itself."))
    if setting.name == "host":
        return _read_server(text)
    return text


def _read_server(text: str) -> str:
    try:
        return addresses.check_server(text, _any_opened(text), policy=egress.operator_policy()).host
    except egress.EgressRefused as refused:
        raise ValueError(str(refused.message)) from None


def _any_opened(host: str) -> int:
    """Return a port by which a name alone can be judged: one that the operator opened for it, or any."""
    return next((port for address, port in egress.operator_policy().pairs if str(address) == host), addresses.MAX_PORT)


def _read_number(setting: Setting, text: str) -> int:
    digits = ascii_digits(text)
    if not digits.isdecimal() or not 1 <= int(digits[:6]) <= addresses.MAX_PORT:
        raise ValueError(_("Enter a whole number between 1 and %(num)d.", num=addresses.MAX_PORT))
    return int(digits)


def _read_choice(setting: Setting, text: str) -> str:
    if text not in [value for value, _label in setting.choices]:
        raise ValueError(_("Choose one of the values of “%(field)s”.", field=setting.label))
    return text


def _read_url(_setting: Setting, text: str) -> str:
    try:
        egress.check_url(text, policy=egress.operator_policy())
    except egress.EgressRefused as refused:
        raise ValueError(str(refused.message)) from None
    return text


def _read_hosts(_setting: Setting, text: str) -> list[str]:
    found: list[str] = []
    for line in text.replace(",", "\n").splitlines():
        if not (host := line.strip()):
            continue
        # A whole address is what people paste; only its server counts.
        url = host if "://" in host else f"https://{host}/"
        try:
            found.append(egress.check_url(url, policy=egress.operator_policy()).authority)
        except egress.EgressRefused as refused:
            raise ValueError(f"{host[:80]}: {refused.message}") from None
    if not found or len(found) > MAX_HOSTS:
        raise ValueError(_("Give between 1 and %(num)d servers.", num=MAX_HOSTS))
    return list(dict.fromkeys(found))


_READERS: Mapping[str, Any] = {"number": _read_number, "choice": _read_choice, "url": _read_url, "hosts": _read_hosts}


def _secret_problem(kind: Kind, setting: Setting, value: str) -> str:
    if not value:
        return str(_("Fill in “%(field)s”.", field=setting.label))
    if len(value) < MIN_SECRET:
        return str(_("Use at least %(num)d characters: a shorter secret could not be kept out of texts.", num=MIN_SECRET))
    if (
        len(value) > MAX_SECRET
        or not value.isprintable()
        or (kind.family != "postgresql" and kind.family != "mysql" and not value.isascii())
    ):
        return str(_("The secret has characters that no secret of this kind has, or is too long."))
    if kind.key == "http_signed":
        try:
            webhook_key(value)
        except ValueError:
            return str(_("A signing key is base64, perhaps with whsec_ before it."))
    return _webhook_problem(kind, value) if setting.name == "webhook_url" else ""


def _webhook_problem(kind: Kind, url: str) -> str:
    """Say why an address of Slack or Teams is none; the operator's opened addresses count as both, for trying out."""
    try:
        target = egress.check_url(url, policy=egress.operator_policy())
    except egress.EgressRefused as refused:
        return str(refused.message)
    host = host_of(url)
    if target.address is not None:
        return ""
    if host.endswith(TEAMS_GONE):
        return str(_("Teams has retired this kind of address. Make a workflow in Teams and give its address."))
    fits = host.endswith(TEAMS) if kind.family == "teams" else host in SLACK_HOOKS
    return "" if fits else str(_("This is not an address of %(service)s.", service="Teams" if kind.family == "teams" else "Slack"))


def _bound_to(kind: Kind, given: Given) -> list[str]:
    """Return the servers that the secrets may go to."""
    policy = egress.operator_policy()
    if kind.family == "http":
        hosts = given.settings.pop("hosts")
        test = given.settings.get("test_url")
        if test and egress.check_url(test, policy=policy).authority not in hosts:
            given.problems["test_url"] = _("It must be on one of the servers above.")
        given.settings["hosts"] = hosts
        return [*hosts, *_token_host(given.settings)]
    if kind.family in ("postgresql", "mysql"):
        return [f"{given.settings['host']}:{given.settings['port']}"]
    if kind.key == "slack_bot":
        target = egress.check_url(given.settings["api_url"], policy=policy)
        if target.address is None and target.host not in SLACK:
            given.problems["api_url"] = _("This is not an address of %(service)s.", service="Slack")
        return [target.authority]
    url = given.secrets.get("webhook_url")
    return [egress.check_url(url, policy=policy).authority] if url else []


def _token_host(settings: Mapping[str, Any]) -> list[str]:
    url = settings.get("token_url")
    return [TOKEN_HOST + egress.check_url(url, policy=egress.operator_policy()).authority] if url else []


def bound_before(hosts: Iterable[str], settings: Mapping[str, Any]) -> list[str]:
    """Return where the kept secrets of a connection may go, as `read` compares it."""
    try:
        return [*hosts, *_token_host(settings)]
    except egress.EgressRefused:
        return list(hosts)
