"""The short form of `make chaos`: the same proof for a quarter of a minute."""

import pytest

from portal.devkit.chaos import prove


@pytest.mark.chaos
def test_kills_stops_and_flushes_lose_double_and_stick_nothing(tmp_path):
    report = prove(runs=40, seconds=15, log_path=str(tmp_path / "chaos.log"))

    assert report.ok, f"{report}\n{(tmp_path / 'chaos.log').read_text()[-3000:]}"
    assert report.faults >= 5
