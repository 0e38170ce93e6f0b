"""The set-up's refusals: each is one sentence and what to do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import namedtuple

import pytest

from portal.devkit import bootstrap
from portal.devkit.bootstrap import Refused

Usage = namedtuple("Usage", "total used free")


def failed(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], 1, stdout="", stderr=text)


def test_another_python_is_named(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))

    with pytest.raises(Refused, match=r"needs Python 3\.11, and this is 3\.9"):
        bootstrap.check_machine()


def test_a_full_disk_is_seen_before_anything_is_made(monkeypatch, tmp_path):
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / "none")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10, 10, 0))

    with pytest.raises(Refused, match="Free about"):
        bootstrap.check_machine()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("NewConnectionError: Temporary failure in name resolution", "Check the network"),
        ("npm error code ENOTFOUND", "Check the network"),
        ("something else", "something else"),
    ],
)
def test_what_a_program_said_becomes_advice(said, expected):
    assert expected in str(bootstrap._refusal("The packages could not be fetched", failed(said)))


def test_the_browser_must_be_there_in_ci_and_is_advice_elsewhere(monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.delenv("CI", raising=False)
    bootstrap.browser()
    assert "Install it" in capsys.readouterr().out

    monkeypatch.setenv("CI", "true")
    with pytest.raises(Refused, match="in CI the browser tests must run"):
        bootstrap.browser()


def test_the_script_needs_nothing_but_the_standard_library():
    done = subprocess.run([sys.executable, "-S", "-I", str(bootstrap.__file__)], capture_output=True, text=True, check=False)

    assert "usage:" in done.stderr
