"""Throw-away PostgreSQL and Redis for tests and benchmarks; also when DATABASE_URL names another server."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from portal.core.tenancy import APP_ROLE, SYSTEM_ROLE
from portal.devkit.children import free_port
from portal.devkit.postgres import Postgres
from portal.devkit.redis import Redis


@dataclass
class Servers:
    """Running servers, their addresses, and the folder that goes with them."""

    postgres: Postgres
    redis: Redis
    root: Path

    @property
    def owner_url(self) -> str:
        return self.postgres.url()

    @property
    def app_url(self) -> str:
        return self.postgres.url(user=APP_ROLE)

    @property
    def system_url(self) -> str:
        return self.postgres.url(user=SYSTEM_ROLE)

    @property
    def redis_url(self) -> str:
        return self.redis.url

    def environment(self) -> dict[str, str]:
        """Return the variables that point a process of ours at these servers."""
        return {
            "DATABASE_URL": self.app_url,
            "DATABASE_OWNER_URL": self.owner_url,
            "DATABASE_SYSTEM_URL": self.system_url,
            "REDIS_URL": self.redis_url,
        }

    def stop(self) -> None:
        """Stop both and remove their files; so nothing is flushed first."""
        self.redis.kill()
        self.postgres.kill()
        shutil.rmtree(self.root, ignore_errors=True)


def start_ephemeral(*, fsync: bool = True) -> Servers:
    """Start both in a temporary folder on free ports; the caller stops them, and the end of this process does too.

    Args:
        fsync: off makes tests faster; benchmarks and fault tests keep it on.

    Raises:
        ServerRefused: one did not come up.
    """
    root = Path(tempfile.mkdtemp(prefix="nasij-"))
    if os.geteuid() == 0:
        root.chmod(0o711)  # where PostgreSQL runs as another account it must be able to walk through
    servers = Servers(Postgres(root / "postgres", free_port(), fsync=fsync), Redis(root / "redis", free_port()), root)
    try:
        servers.postgres.start()
        servers.postgres.prepare()
        servers.redis.start()
    except BaseException:
        servers.stop()
        raise
    return servers


@contextmanager
def ephemeral(*, fsync: bool = True) -> Iterator[Servers]:
    """Give `start_ephemeral()` to a block, and stop them after it."""
    servers = start_ephemeral(fsync=fsync)
    try:
        yield servers
    finally:
        servers.stop()
