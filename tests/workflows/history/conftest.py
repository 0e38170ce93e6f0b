from tests.workflows.engine.conftest import engine  # noqa: F401 - the same small workflows
