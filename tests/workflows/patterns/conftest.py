"""The engine of the engine's own tests."""

from tests.workflows.engine.conftest import engine  # noqa: F401 - a fixture
