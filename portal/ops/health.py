"""Is this process fit to serve: PostgreSQL writes, Redis, the newest schema; each within a second."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import redis
from sqlalchemy import text

from portal.core import db
from portal.core.config import ROOT, current_settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    name: str
    ok: bool
    took_ms: int


def look() -> list[Finding]:
    """Make every check; none raises, and none says more than whether and how fast."""
    return [_timed("postgresql", _postgresql), _timed("schema", _schema), _timed("redis", _redis)]


def _timed(name: str, check: Callable[[], bool]) -> Finding:
    began = time.perf_counter()
    try:
        ok = check()
    except Exception as broken:
        log.warning("a health check failed", extra={"check": name, "reason": type(broken).__name__})
        ok = False
    return Finding(name, ok, round((time.perf_counter() - began) * 1000))


def _postgresql() -> bool:
    with db.transaction() as session:
        session.execute(text("set local statement_timeout = '1s'"))
        session.execute(
            text(
                "insert into ops_heartbeats (name, at) values ('web', clock_timestamp()) on conflict (name) do update set at = excluded.at"
            )
        )
    return True


def _schema() -> bool:
    with db.transaction() as session:
        session.execute(text("set local statement_timeout = '1s'"))
        found = session.scalar(text("select version_num from alembic_version"))
    return found == code_head()


@lru_cache(maxsize=1)
def code_head() -> str | None:
    """Return the newest migration that this code knows."""
    from alembic.config import Config  # slow to import, and asked for once
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return ScriptDirectory.from_config(config).get_current_head()


def _redis() -> bool:
    client = redis.Redis.from_url(current_settings().redis_url, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    finally:
        client.close()
