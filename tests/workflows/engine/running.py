"""The engine on the tenant of a test, for every test that runs workflows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.workflows.engine.conftest import Engine, put_aside_what_others_left


@pytest.fixture
def engine(app: Any, tenant: Any) -> Iterator[Engine]:
    with at_work(app, Engine(tenant)) as made:
        yield made


@contextmanager
def at_work(app: Any, made: Any) -> Iterator[Any]:
    """Have an engine, or what is more than one, to itself; nothing of it is stuck afterwards."""
    with app.app_context():
        put_aside_what_others_left()
        yield made
        made.assert_nothing_is_stuck()
