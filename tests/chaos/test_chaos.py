"""The short form of `make chaos`: the same proof for a quarter of a minute, in a process of its own."""

import re
import subprocess
import sys

import pytest

from portal.core.config import ROOT


@pytest.mark.chaos
def test_kills_stops_and_flushes_lose_double_and_stick_nothing(tmp_path):
    log = tmp_path / "chaos.log"
    command = [sys.executable, "-m", "portal.devkit.chaos", "--minutes", "0.4", "--runs", "40", "--log", str(log)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)

    last = done.stdout.strip().splitlines()[-1:] or [""]
    found = re.fullmatch(r"runs (\d+) faults (\d+) lost 0 doubled 0 stuck 0", last[0])
    assert found, f"{done.stdout}\n{done.stderr[-2000:]}\n{log.read_text()[-3000:]}"
    assert int(found[1]) >= 40
    assert int(found[2]) >= 5
    assert done.returncode == 0
