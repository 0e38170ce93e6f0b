"""Values that JSON or PostgreSQL has no word for end as a reason on the step, or as something that can be kept; never as a crash."""

from __future__ import annotations

import pytest

from tests.workflows.engine.conftest import step, values


@pytest.mark.parametrize("odd", ["1.0 / 0.0", "-1.0 / 0.0", "0.0 / 0.0", "[1.0 / 0.0]", "{'a': 0.0 / 0.0}"])
def test_numbers_that_are_no_numbers_are_kept_as_nothing(engine, odd):
    run_id = engine.start(engine.publish(step("odd", "set", **values(x=f"${{ {odd} }}")), step("last", "set", **values(done="yes"))))

    run = engine.finish(run_id)

    assert run.status in ("succeeded", "failed")
    if run.status == "failed":
        assert run.error["code"] == "expression"
    else:
        assert engine.steps(run_id)["odd"].output["x"] in (None, [None], {"a": None})


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "😀" * 300, "\u202e"])
def test_any_text_goes_through(engine, text):
    run_id = engine.start(engine.publish(step("odd", "set", **values(x="${ input.a }")), inputs=("a",)), a=text)

    assert engine.finish(run_id).status == "succeeded"
