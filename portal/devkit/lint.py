"""`make lint`: every check of how the code reads, the cheap ones first; stops at the first that fails and says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
STYLELINT = "node_modules/stylelint/bin/stylelint.mjs"

# name, command, what a person does when it fails
CHECKS = (
    ("ruff", ["ruff", "check", "."], "Correct the lines above; `make format` corrects what a program can."),
    ("format", ["ruff", "format", "--check", "--quiet", "."], "Run `make format`."),
    ("stylesheets", ["node", STYLELINT, "static/css/*.css"], "Use logical properties (margin-inline-start, not margin-left)."),
    ("templates", ["djlint", "templates", "--lint", "--quiet"], "Correct the templates above."),
    ("layers", ["lint-imports", "--no-cache"], "A package was entered from the wrong side: docs/map.md says who may import whom."),
    ("translations", ["portal", "strings", "--check"], "Run `make strings`, then write the missing Arabic."),
    ("types", ["mypy", "--no-error-summary"], "Correct the types above."),
)


def main() -> None:
    os.chdir(ROOT)
    surroundings = {**os.environ, "PATH": os.pathsep.join([str(BIN), os.environ.get("PATH", "")])}
    for name, command, advice in CHECKS:
        began = time.monotonic()
        program = shutil.which(command[0], path=surroundings["PATH"])
        if program is None:
            sys.exit(f"Lint stopped: {command[0]} is not there. Run `make dev`.")
        done = subprocess.run([program, *command[1:]], env=surroundings, capture_output=True, text=True, check=False)
        if done.returncode:
            print((done.stdout + done.stderr).strip())
            sys.exit(f"\nLint stopped at {name}. {advice}")
        print(f"  {name}: fine ({time.monotonic() - began:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
