"""When to try again."""

import pytest

from portal.workflows.engine.retry import next_delay_s


@pytest.mark.parametrize(("attempt", "ceiling_s"), [(1, 2), (2, 4), (3, 8), (9, 300)])
def test_the_delay_is_anywhere_below_a_ceiling_that_doubles(attempt, ceiling_s):
    assert next_delay_s(attempt, limit=10, chance=0.0) == 0
    assert next_delay_s(attempt, limit=10, chance=0.5) == ceiling_s / 2


def test_nothing_is_tried_beyond_the_limit():
    assert next_delay_s(3, limit=3, chance=0.5) is None


def test_the_receivers_wish_is_kept_and_never_undercut():
    assert next_delay_s(1, limit=3, chance=0.25, retry_after_s=30) == 30.25


def test_an_absurd_wish_is_cut_to_an_hour():
    assert next_delay_s(1, limit=3, chance=0.0, retry_after_s=10**9) == 3600
