from tests.workflows.engine.conftest import engine as engine
