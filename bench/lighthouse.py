"""Lighthouse's scores of each page, on its simulated mobile, in both languages. Goals: performance 98, the others 100.

Lighthouse is fetched when this runs for the first time (`bench/package.json`): nothing else needs its hundred packages. The last
line's value is the lowest score of all.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from pages import enter, served
from peers import ROOT, report

from portal.devkit.bootstrap import npm

HERE = Path(__file__).resolve().parent
CLI = HERE / "node_modules" / "lighthouse" / "cli" / "index.js"
LANGUAGES = ("ar", "en")
GOALS = {"performance": 98, "accessibility": 100, "best-practices": 100, "seo": 100}


def main() -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or ""
    if not CLI.exists():
        subprocess.run([*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=HERE, check=True)
    scores = []
    with served(LANGUAGES) as base:
        for tag in LANGUAGES:
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                cookies, paths = enter(browser, base, tag)
                browser.close()
            signed_in = "; ".join(f"{each['name']}={each['value']}" for each in cookies)
            for name, path in paths.items():
                found = _scores(chromium, base + path, cookie=f"locale={tag}" if name == "sign-in" else signed_in)
                scores.append(found)
                print(f"{tag} {name:<8} " + ", ".join(f"{each} {found[each]}" for each in GOALS) + "".join(found["missed"]))
    lowest = {each: min(found[each] for found in scores) for each in GOALS}
    ok = all(lowest[each] >= goal for each, goal in GOALS.items())
    report("lighthouse", min(lowest.values()), "of 100", goal="performance ≥ 98, others 100", peer=100, ratio=min(lowest.values()) / 100,
           ok=ok, **{each.replace("-", "_"): lowest[each] for each in GOALS})  # fmt: skip


def _scores(chromium: str, url: str, *, cookie: str) -> dict[str, Any]:
    """Return the score of each category (0 to 100), and what each weighted audit below 1 found wrong outside performance."""
    with tempfile.TemporaryDirectory() as folder:
        headers, told = Path(folder) / "headers.json", Path(folder) / "told.json"
        headers.write_text(json.dumps({"Cookie": cookie}), "utf-8")
        command = ["node", str(CLI), url, "--quiet", "--output=json", f"--output-path={told}", f"--extra-headers={headers}"]
        command += ["--chrome-flags=--headless=new --no-sandbox", f"--only-categories={','.join(GOALS)}"]
        environment = {**os.environ, "CHROME_PATH": chromium, "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        for _attempt in range(3):  # on a busy machine it misses the start of a page's trace, says so, and asks to be run again
            done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=180)
            if not done.returncode:
                break
        else:
            raise SystemExit(f"Lighthouse did not measure {url}:\n{done.stderr[-2000:]}")
        read = json.loads(told.read_text("utf-8"))
    scores: dict[str, Any] = {each: round(read["categories"][each]["score"] * 100) for each in GOALS}
    wrong = {
        each["id"]
        for name in GOALS
        if scores[name] < GOALS[name]
        for each in read["categories"][name]["auditRefs"]
        if each["weight"] and (read["audits"][each["id"]]["score"] or 0) < 0.9 and read["audits"][each["id"]]["score"] is not None
    }
    return {**scores, "missed": f"; below: {', '.join(sorted(wrong))}" if wrong else ""}


if __name__ == "__main__":
    main()
