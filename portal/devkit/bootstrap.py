"""Set-up on a fresh machine, with nothing but Python 3.11: the virtual environment, the front-end parts, then the command.

Standard library only, run by the machine's own Python: `python3.11 portal/devkit/bootstrap.py setup|run|dev|test|bench`. What has not
changed since the last time is not done again.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
DISK_FULL = "The disk is full. Free about 1.5 GB, then run the same command again."
STAMP = VENV / "nasij-lock"
NEEDED_BYTES = 1_500_000_000
NODE_OLDEST = 20
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NETWORK_WORDS = ("Connection refused", "Connection error", "Max retries", "NewConnectionError", "timed out", "Temporary failure in name",
                 "Network is unreachable", "No matching distribution", "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ECONNRESET")  # fmt: skip
LOCKS = {"run": ROOT / "requirements" / "run.txt", "dev": ROOT / "requirements" / "dev.txt"}


class Refused(Exception):
    """Something a person can put right; the text is one sentence and what to do."""


def say(text: str) -> None:
    print(text, flush=True)


def check_machine() -> None:
    """Refuse what cannot work, before anything is made."""
    if sys.version_info[:2] != (3, 11):
        found = ".".join(map(str, sys.version_info[:2]))
        raise Refused(
            f"Nasij needs Python 3.11, and this is {found}. Install python3.11, or name it: `make run PYTHON=/path/to/python3.11`."
        )
    if not VENV.exists() and shutil.disk_usage(ROOT).free < NEEDED_BYTES:
        raise Refused(DISK_FULL)


def environment(kind: str) -> None:
    """Bring `.venv` to the lock of this kind; `dev` holds all of `run`."""
    if not _is_whole():
        say("  A virtual environment …")
        shutil.rmtree(VENV, ignore_errors=True)  # an interrupted set-up leaves half of one
        made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
        if made.returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            raise _refusal("Python's venv module is not complete. On Debian and Ubuntu: `apt-get install python3.11-venv`", made)
    wanted = {name: f"{name} {_digest(lock)}" for name, lock in LOCKS.items()}
    installed = STAMP.read_text("ascii") if STAMP.exists() else ""
    if installed in {wanted[kind], wanted["dev"]}:
        return
    began = time.monotonic()
    say("  The Python packages, checked against their hashes; about a minute the first time …")
    STAMP.unlink(missing_ok=True)
    _pip("install", "--require-hashes", "--no-deps", "-r", str(LOCKS[kind]))
    _pip("install", "--no-deps", "--no-index", "--no-build-isolation", "-e", str(ROOT))
    STAMP.write_text(wanted[kind], "ascii")
    say(f"  The Python packages are there ({time.monotonic() - began:.0f} s)")


def _is_whole() -> bool:
    """Say whether `.venv` can install packages."""
    if not PYTHON.exists():
        return False
    return STAMP.exists() or subprocess.run([str(PYTHON), "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0


def front_end() -> None:
    """Bring `node_modules` to its lock and build `static/dist`."""
    stamp, wanted = ROOT / "node_modules" / ".nasij-lock", _digest(ROOT / "package-lock.json")
    if not stamp.exists() or stamp.read_text("ascii") != wanted:
        began = time.monotonic()
        say("  The front-end packages …")
        _run([*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "The front-end packages could not be fetched")
        stamp.write_text(wanted, "ascii")
        say(f"  The front-end packages are there ({time.monotonic() - began:.0f} s)")
    _run([str(PYTHON), "-m", "portal.devkit.assets"], "The front-end parts could not be built")


def npm() -> list[str]:
    """Return npm of a Node that is new enough: the machine's, else the one in a Python wheel."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip().lstrip("v")
        if said.partition(".")[0].isdecimal() and int(said.partition(".")[0]) >= NODE_OLDEST:
            return [npm]
    if not (VENV / "bin" / "npm").exists():
        say("  Node.js, from a Python wheel …")
        _pip("install", "--require-hashes", "--no-deps", "-r", str(ROOT / "requirements" / "node.txt"))
    return [str(VENV / "bin" / "npm")]


def browser() -> None:
    """Bring Chromium, which the browser tests and the benchmarks of pages drive: found on PATH, else from the system's packages.

    Raises:
        Refused: in CI there is none; elsewhere one line says what is left out.
    """
    if any(shutil.which(name) for name in BROWSERS):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say("  Chromium, from the system's packages …")
        surroundings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-qq"], ["install", "-y", "-qq", "chromium"]):
            subprocess.run(["apt-get", *words], capture_output=True, env=surroundings, check=False)
        if shutil.which("chromium"):
            return
    advice = "Chromium is not there. Install it (on Debian: `apt-get install chromium`)"
    if os.environ.get("CI"):
        raise Refused(f"{advice}: in CI the browser tests must run.")
    say(f"  {advice}; until then the browser tests are left out, and the benchmarks of pages measure nothing.")


def _pip(*words: str) -> None:
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet", *words]
    _run(command, "The Python packages could not be installed")


def _run(command: list[str], trouble: str) -> None:
    # Ours first: where the machine's Node is too old, npm must find the one of the wheel.
    paths = os.pathsep.join([str(VENV / "bin"), os.environ.get("PATH", "")])
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PATH": paths}, check=False)
    if done.returncode:
        raise _refusal(trouble, done)


def _refusal(trouble: str, done: subprocess.CompletedProcess[str]) -> Refused:
    said = (done.stdout + done.stderr).strip()
    if "No space left" in said or "ENOSPC" in said:
        return Refused(DISK_FULL)
    if any(word in said for word in NETWORK_WORDS):
        trouble += ": the package index was not reached. Check the network (and the proxy settings of pip and npm), then run the same command again"
    return Refused(f"{trouble}.\n{said[-1500:]}")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(words: list[str]) -> None:
    if words not in (["setup"], ["run"], ["dev"], ["test"], ["bench"]):
        sys.exit("usage: bootstrap.py setup|run|dev|test|bench")
    try:
        check_machine()
        say("Nasij")
        environment("run" if words in (["setup"], ["run"]) else "dev")
        front_end()
        if words in (["test"], ["bench"]):
            browser()
    except Refused as refused:
        sys.exit(f"\nThe set-up stopped. {refused}")
    except KeyboardInterrupt:
        sys.exit("\nStopped. Run the same command again to go on.")
    except OSError as broken:
        sys.exit(f"\nThe set-up stopped. {DISK_FULL if broken.errno == errno.ENOSPC else broken}")
    if words == ["run"]:
        os.execv(PYTHON, [str(PYTHON), "-m", "portal.devkit.supervisor"])


if __name__ == "__main__":
    main(sys.argv[1:])
