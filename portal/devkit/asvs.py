"""`make asvs`: run the tests that docs/asvs.json names, and write into it how each requirement stands."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs" / "asvs.json"


def named_tests(book: dict[str, Any]) -> list[str]:
    """Return every test that a requirement names, once."""
    return sorted({test for each in book["requirements"].values() for test in each.get("tests", ())})


def result_of(outcomes: list[str]) -> str:
    """Return how a requirement stands whose tests ended so: failed if one did, untried if one did not run."""
    if "failed" in outcomes:
        return "failed"
    return "passed" if outcomes and set(outcomes) == {"passed"} else "untried"


def run(tests: list[str]) -> dict[str, str]:
    """Run the tests; return passed, failed or untried for each, all its parameters together."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-o", "junit_family=xunit1", f"--junitxml={report}", *tests]
        subprocess.run(command, cwd=ROOT, check=False)
        cases = list(ElementTree.parse(report).getroot().iter("testcase")) if report.exists() else []
    seen: dict[str, list[str]] = {}
    for case in cases:
        test = f"{case.get('file')}::{str(case.get('name')).partition('[')[0]}"
        is_bad = case.find("failure") is not None or case.find("error") is not None
        seen.setdefault(test, []).append("failed" if is_bad else "untried" if case.find("skipped") is not None else "passed")
    return {test: result_of(seen.get(test, [])) for test in tests}


def main() -> int:
    book = json.loads(FILE.read_text("utf-8"))
    outcomes = run(named_tests(book))
    for each in book["requirements"].values():
        if each.get("tests"):
            each["result"] = result_of([outcomes[test] for test in each["tests"]])
    book["run"] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "tests": dict(Counter(outcomes.values()))}
    FILE.write_text(json.dumps(book, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(dict(Counter(each["state"] for each in book["requirements"].values())), book["run"]["tests"])
    return 0 if set(outcomes.values()) == {"passed"} else 1


if __name__ == "__main__":
    sys.exit(main())
