"""One thing of every kind: what strangers must not find, and what has a hostile name; and the report of the proof of isolation."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.whole import evidence
from tests.whole.test_isolation import planted
from tests.whole.test_routes import ours, strangers_token

__all__ = ["ours", "planted", "strangers_token"]


@pytest.hookimpl
def pytest_runtest_logreport(report: Any) -> None:
    if report.when == "call" or report.outcome != "passed":
        evidence.outcome(report.nodeid, report.outcome)


@pytest.hookimpl
def pytest_sessionfinish() -> None:
    path = evidence.write()
    if path is not None:
        sys.stdout.write(f"\nThe report: {path}\n")
