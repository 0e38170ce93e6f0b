"""How migrations run: as the owner role, with short lock waits so that a migration never queues the whole site."""

from alembic import context
from sqlalchemy import create_engine, text

from portal import models  # noqa: F401 - fills the metadata
from portal.core.config import current_settings
from portal.core.db import Base, driver_url

OPTIONS = {"target_metadata": Base.metadata, "compare_type": True, "compare_server_default": False, "transaction_per_migration": True}


def run_offline() -> None:
    context.configure(url=driver_url(current_settings().database_owner_url), literal_binds=True, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        _run(given)
        return
    engine = create_engine(driver_url(current_settings().database_owner_url))
    with engine.connect() as connection:
        _run(connection)
    engine.dispose()


def _run(connection) -> None:
    connection.execute(text("set lock_timeout = '1s'"))
    connection.execute(text("set statement_timeout = '60s'"))
    connection.commit()
    context.configure(connection=connection, **OPTIONS)
    with context.begin_transaction():
        context.run_migrations()


run_offline() if context.is_offline_mode() else run_online()
