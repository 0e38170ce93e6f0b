"""Steps carried out by the engine against systems that are really there."""

from __future__ import annotations

from typing import Any

from tests.connections.conftest import connect, elsewhere, opened, other  # noqa: F401 - fixtures
from tests.workflows.engine.conftest import Engine, engine, step  # noqa: F401


def pairs(**given: Any) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in given.items()]


def run_one(engine: Engine, kind: str, *, attempts: int = 1, timeout_s: int = 30, **config: Any) -> Any:
    """Carry out one step, and return its row."""
    workflow = engine.publish(step("it", kind, attempts=attempts, timeout_s=timeout_s, **config))
    run_id = engine.start(workflow)
    engine.pump()
    return engine.steps(run_id)["it"]


def output_of(engine: Engine, kind: str, **config: Any) -> Any:
    row = run_one(engine, kind, **config)
    assert row.state == "succeeded", (row.state, row.error)
    return row.output


def error_of(engine: Engine, kind: str, **config: Any) -> tuple[str, str]:
    row = run_one(engine, kind, **config)
    assert row.state in ("failed", "in_doubt"), (row.state, row.output)
    return row.error["code"], row.error["detail"]
