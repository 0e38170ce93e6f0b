"""A child process whose lines go to a log file and, with its name in colour, to the terminal."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from portal.devkit.children import die_with_parent, end

LOG_LIMIT = 5_000_000
NAME_WIDTH = 10


@dataclass
class Watched:
    """One program of `make run`. `log` is the folder; the file carries the program's name."""

    name: str
    command: list[str]
    folder: Path
    colour: int
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    _tail: deque[str] = field(default_factory=lambda: deque(maxlen=30))

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, surroundings: dict[str, str]) -> None:
        """Start it in a session of its own: Ctrl-C in the terminal reaches the supervisor only, which stops all in order."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".old.log"))
        self._tail.clear()
        self.process = subprocess.Popen(
            self.command,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
        self.started_at = time.monotonic()
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()

    def stop(self) -> None:
        """Ask it to stop, and insist after some seconds."""
        if self.process is not None and self.is_alive:
            end(self.process, signal.SIGTERM, patience_s=8)

    def how_it_ended(self) -> str:
        code = self.process.poll() if self.process else None
        return f"killed by {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"

    def last_words(self) -> str:
        """Return its last lines."""
        time.sleep(0.2)  # its reader may be a moment behind
        return "\n".join(self._tail) or "(it said nothing)"

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        mark = f"\033[{self.colour}m{self.name:>{NAME_WIDTH}} │\033[0m" if sys.stdout.isatty() else f"{self.name:>{NAME_WIDTH}} |"
        with self.log.open("ab") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                text = line.decode("utf-8", "replace").rstrip()
                self._tail.append(text)
                print(f"{mark} {text}", flush=True)
