"""The engine on the tenant of a test, for every test that runs workflows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.workflows.engine.conftest import Engine, put_aside_what_others_left


@pytest.fixture
def engine(app: Any, tenant: Any) -> Iterator[Engine]:
    with app.app_context():
        put_aside_what_others_left()
        made = Engine(tenant)
        yield made
        made.assert_nothing_is_stuck()
