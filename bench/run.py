"""Run the benchmarks: `python bench/run.py [NAME]`; each prints one JSON line last. Exit 1 when one could not be measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOT_BENCHES = {"run.py", "peers.py", "pages.py"}


def main(wanted: list[str]) -> int:
    files = [path for path in sorted(HERE.glob("*.py")) if path.name not in NOT_BENCHES and (not wanted or path.stem in wanted)]
    if not files:
        print(f"No benchmark is called {' '.join(wanted)}.")
        return 1
    broken = 0
    for path in files:
        done = subprocess.run([sys.executable, str(path)], cwd=HERE.parent, capture_output=True, text=True, check=False)
        last = done.stdout.strip().splitlines()[-1:] or [""]
        try:
            json.loads(last[0])
            print(last[0], flush=True)
        except ValueError:
            broken += 1
            print(f"{path.name} did not measure anything:\n{(done.stdout + done.stderr)[-2000:]}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
