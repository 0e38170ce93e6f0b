from tests.workflows.engine.conftest import engine as engine  # noqa: F401 - a fixture
