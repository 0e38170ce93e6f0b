"""What kinds of connections there are, and what each asks for: pages are made from this. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.i18n.words import lazy_gettext as _l

HOSTS = "hosts"


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a kind asks for.

    `type` is text, number, choice, boolean, hosts, url or secret. Secrets are sealed; everything else may be seen.
    """

    name: str
    type: str
    label: Any
    hint: Any = ""
    required: bool = True
    default: Any = ""
    choices: tuple[tuple[str, Any], ...] = ()
    is_code: bool = True


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of connection; `family` is what a step asks for."""

    key: str
    family: str
    icon: str
    label: Any
    note: Any
    settings: tuple[Setting, ...]

    @property
    def secrets(self) -> tuple[Setting, ...]:
        return tuple(each for each in self.settings if each.type == "secret")

    @property
    def plain(self) -> tuple[Setting, ...]:
        return tuple(each for each in self.settings if each.type != "secret")


_HOSTS = Setting(
    HOSTS,
    "hosts",
    _l("Servers"),
    _l("The secret is sent only to these, one on each line: api.example.com, or with a port api.example.com:8443"),
)
_TEST = Setting(
    "test_url", "url", _l("Address to test with"), _l("A page of one of these servers that answers well to who may enter"), required=False
)
_ACCOUNT = Setting("username", "text", _l("User name"))
_TLS = (
    ("verify", _l("Encrypted, the certificate is checked")),
    ("encrypt", _l("Encrypted, any certificate")),
    ("none", _l("Not encrypted")),
)


def _http(key: str, label: Any, note: Any, *settings: Setting) -> Kind:
    return Kind(key, "http", "webhook", label, note, (_HOSTS, *settings, _TEST))


def _database(key: str, label: Any, port: int) -> Kind:
    return Kind(
        key,
        key,
        "database",
        label,
        _l("A database outside, asked by steps of the kind “SQL query”"),
        (
            Setting("host", "text", _l("Server")),
            Setting("port", "number", _l("Port"), default=port),
            Setting("database", "text", _l("Database")),
            _ACCOUNT,
            Setting("password", "secret", _l("Password")),
            Setting("tls", "choice", _l("Encryption"), choices=_TLS, default="verify"),
            Setting("read_only", "boolean", _l("Only read"), _l("Steps can read through this connection, and change nothing."), required=False, default=True),
        ),
    )  # fmt: skip


_ALL = (
    _http(
        "http_bearer", _l("HTTP with a token"), _l("Sends “Authorization: Bearer …”"), Setting("token", "secret", _l("Token"))
    ),
    _http(
        "http_basic", _l("HTTP with user name and password"), _l("Sends “Authorization: Basic …”"),
        _ACCOUNT, Setting("password", "secret", _l("Password")),
    ),
    _http(
        "http_header", _l("HTTP with a key in a header"), _l("Sends the key in a header of your choice"),
        Setting("header", "text", _l("Header"), default="X-API-Key"), Setting("key", "secret", _l("Key")),
    ),
    _http(
        "http_query", _l("HTTP with a key in the address"), _l("Adds the key to the address, as some older systems want it"),
        Setting("parameter", "text", _l("Parameter"), default="api_key"), Setting("key", "secret", _l("Key")),
    ),
    _http(
        "http_oauth2", _l("HTTP with OAuth 2.0"), _l("Fetches access tokens with a client id and secret, and keeps them sealed"),
        Setting("token_url", "url", _l("Address of tokens")), Setting("client_id", "text", _l("Client id")),
        Setting("client_secret", "secret", _l("Client secret")), Setting("scopes", "text", _l("Scopes"), required=False),
        Setting(
            "client_auth", "choice", _l("How the client proves itself"),
            choices=(("basic", _l("In a header (usual)")), ("body", _l("In the body"))), default="basic",
        ),
    ),
    _http(
        "http_signed", _l("HTTP signed as Standard Webhooks"), _l("Signs each call, so that the receiver knows who it is from"),
        Setting("signing_key", "secret", _l("Signing key"), _l("Begins with whsec_")),
    ),
    _http(
        "http_hmac", _l("HTTP signed with HMAC"), _l("Signs the body with a shared key"),
        Setting("header", "text", _l("Header"), default="X-Signature"),
        Setting("algorithm", "choice", _l("Method"), choices=(("sha256", "SHA-256"), ("sha512", "SHA-512")), default="sha256"),
        Setting("prefix", "text", _l("Before the signature"), _l("For example sha256="), required=False),
        Setting("signing_key", "secret", _l("Signing key")),
    ),
    _database("postgresql", _l("PostgreSQL database"), 5432),
    _database("mysql", _l("MySQL or MariaDB"), 3306),
    Kind(
        "slack_webhook", "slack", "hash", _l("Slack by webhook"), _l("Posts into one channel"),
        (Setting("webhook_url", "secret", _l("Webhook address"), _l("Begins with https://hooks.slack.com/")),),
    ),
    Kind(
        "slack_bot", "slack", "hash", _l("Slack by bot"), _l("Posts into any channel that the bot was invited to"),
        (
            Setting("token", "secret", _l("Bot token"), _l("Begins with xoxb-")),
            Setting("api_url", "url", _l("Address of Slack"), _l("Another one only for GovSlack"), default="https://slack.com"),
        ),
    ),
    Kind(
        "teams", "teams", "messages-square", _l("Microsoft Teams by a workflow"), _l("Posts into a channel by a workflow of Teams"),
        (Setting("webhook_url", "secret", _l("Address of the workflow"), _l("The one that Teams shows for “Post to a channel when a webhook request is received”")),),
    ),
)  # fmt: skip
KINDS: dict[str, Kind] = {kind.key: kind for kind in _ALL}
FAMILIES = tuple(dict.fromkeys(kind.family for kind in _ALL))
SLACK_HOOKS = ("hooks.slack.com", "hooks.slack-gov.com")
SLACK = ("slack.com", "slack-gov.com")
TEAMS = (".logic.azure.com", ".api.powerplatform.com", ".environment.api.powerplatform.com")
TEAMS_GONE = ".webhook.office.com"
