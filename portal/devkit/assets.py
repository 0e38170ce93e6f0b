"""Build the front-end parts into `static/dist`: bundles, icon sprite, fonts, pictures, a manifest, and compressed twins.

Every file carries a hash of its content in its name, so browsers may keep it for a year. Nothing is done when no input changed.
Run it with `python -m portal.devkit.assets`, or as a part of `make setup`.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LICENSES = {
    "htmx": "htmx.org/LICENSE",
    "Lucide icons": "lucide-static/LICENSE",
    "Nasij Sans (made from IBM Plex Sans Arabic)": "@fontsource/ibm-plex-sans-arabic/LICENSE",
    "Nasij Mono (made from IBM Plex Mono)": "@fontsource/ibm-plex-mono/LICENSE",
    "Readex Pro (a subset)": "@fontsource-variable/readex-pro/LICENSE",
    "Cairo (a subset)": "@fontsource-variable/cairo/LICENSE",
    "Noto Naskh Arabic": "@fontsource/noto-naskh-arabic/LICENSE",
    "Vazirmatn (a subset)": "@fontsource-variable/vazirmatn/LICENSE",
}
BUNDLES = (
    "css/app.css",
    "css/flow.css",
    "css/designer.css",
    "css/run.css",
    "css/home.css",
    "css/gallery.css",
    "css/themes.css",
    "css/factors.css",
    "css/settings.css",
    "css/staff.css",
    "css/templates.css",
    "js/app.js",
    "js/charts.js",
    "js/flow.js",
    "js/run.js",
    "js/passkey.js",
    "js/themes.js",
)
COMPRESSED = {".css", ".js", ".svg", ".txt"}
KEPT_S = 86_400  # how long a file that is no longer named stays
ICON_BODY = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
ICON_LINE = re.compile(r"^([a-z0-9-]+) (flip|keep)$")
URL = re.compile(rb"url\((?P<quote>[\"']?)(?:\./)?(?P<name>(?:fonts|img)/[a-z0-9_.-]+)(?P=quote)\)")


class BuildRefused(RuntimeError):
    """The build cannot go on; the text says what is wrong and what to do."""


@dataclass
class Build:
    """One build of the sources into a folder."""

    sources: Path
    packages: Path
    target: Path
    manifest: dict[str, str] = field(default_factory=dict)

    def run(self) -> dict[str, str]:
        """Build everything and return the manifest: logical name → file.

        Raises:
            BuildRefused: a package is missing, an icon is unknown, or a source does not parse.
        """
        self.target.mkdir(parents=True, exist_ok=True)
        self._fonts()
        self._pictures()
        self._sprite()
        for source in BUNDLES:
            self._bundle(source)
        self._licenses()
        self._finish()
        return self.manifest

    def _fonts(self) -> None:
        from portal.devkit import fonts  # only here: fontTools is slow to import, and most starts build nothing

        recipe = hashlib.sha256(Path(fonts.__file__).read_bytes()).hexdigest()[:16]
        cache = self.packages / ".cache" / "nasij-fonts" / recipe
        cache.mkdir(parents=True, exist_ok=True)
        for face in (*fonts.FACES, *fonts.DOCUMENT_FACES):
            if not (self.packages / face.source).exists():
                raise BuildRefused(f"{face.source} is not there: run `npm ci`.")
            kept = cache / f"{_digest((self.packages / face.source).read_bytes())}-{face.name}"
            if not kept.exists():
                _replace(kept, fonts.make(face, self.packages))
            self._put(f"fonts/{face.name}", kept.read_bytes())
        for family in fonts.FAMILIES:
            self._put(f"font-{family.key}.css", URL.sub(self._hashed_url, fonts.stylesheet(family).encode()))

    def _pictures(self) -> None:
        for picture in sorted((self.sources / "img").glob("*")):
            self._put(f"img/{picture.name}", picture.read_bytes())

    def _sprite(self) -> None:
        names = icon_names(self.sources / "icons.txt")
        parts = [self._symbol(name) for name in names]
        self._put("sprite.svg", f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>\n'.encode())

    def _symbol(self, name: str) -> str:
        icon = self.packages / "lucide-static" / "icons" / f"{name}.svg"
        found = ICON_BODY.search(icon.read_text("utf-8")) if icon.exists() else None
        if found is None:
            raise BuildRefused(f"static/icons.txt names the icon {name!r}, which the icon set does not have. Correct the name.")
        body = re.sub(r"\s*\n\s*", "", found[1]).replace(" />", "/>").strip()
        line = 'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"'
        return f'<symbol id="{name}" viewBox="0 0 24 24" {line}>{body}</symbol>'

    def _bundle(self, source: str) -> None:
        path = self.sources / source
        if not path.exists():
            say(f"  {source} does not exist yet: left out")
            return
        command: list[str | Path] = [
            _node(),
            self.packages / "esbuild" / "bin" / "esbuild",
            path,
            "--bundle",
            "--minify",
            "--charset=utf8",
            "--log-level=warning",
        ]
        command += ["--legal-comments=none", "--target=es2022,chrome111,firefox115,safari16.4"]
        command += ["--format=esm"] if path.suffix == ".js" else ["--external:*.woff2", "--external:*.svg"]
        made = subprocess.run(
            command, capture_output=True, check=False, cwd=self.packages.parent, env={**os.environ, "NODE_PATH": str(self.packages)}
        )
        if made.returncode:
            raise BuildRefused(f"static/{source} does not build:\n{made.stderr.decode(errors='replace').strip()}")
        self._put(path.name, URL.sub(self._hashed_url, made.stdout))

    def _hashed_url(self, found: re.Match[bytes]) -> bytes:
        name = found["name"].decode()
        if name not in self.manifest:
            raise BuildRefused(f"A style sheet names {name!r}, which the build does not make. Correct the url.")
        return b"url(" + self.manifest[name].encode() + b")"

    def _licenses(self) -> None:
        texts = [f"{what}\n{'=' * len(what)}\n\n{(self.packages / path).read_text('utf-8').strip()}\n" for what, path in LICENSES.items()]
        self._put("licenses.txt", "\n\n".join(texts).encode())

    def _put(self, name: str, content: bytes) -> None:
        stem, dot, suffix = name.rpartition(".")
        hashed = f"{stem}.{_digest(content)}{dot}{suffix}"
        path = self.target / hashed
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _replace(path, content)
        if path.suffix in COMPRESSED:
            _compress(path, content)
        self.manifest[name] = hashed

    def _finish(self) -> None:
        """Write the manifest last, then drop what none has named for a day: pages and servers of before still ask for their files."""
        manifest, now = self.target / "manifest.json", time.time()
        before = json.loads(manifest.read_bytes()) if manifest.exists() else {}
        _replace(manifest, (json.dumps(self.manifest, indent=2, sort_keys=True) + "\n").encode())
        named = {self.target / hashed for hashed in (*before.values(), *self.manifest.values())}
        for path in self.target.rglob("*"):
            if not path.is_file() or path == manifest or path.name.startswith("."):
                continue
            if (path.with_suffix("") if path.suffix in (".br", ".gz") else path) in named:
                os.utime(path, (now, now))
            elif now - path.stat().st_mtime > KEPT_S:
                path.unlink()


def icon_names(path: Path) -> list[str]:
    """Return the icons of `icons.txt`, one `name flip|keep` a line, sorted and each once.

    Raises:
        BuildRefused: a line reads otherwise.
    """
    names = set()
    for number, line in enumerate(path.read_text("utf-8").splitlines() if path.exists() else [], start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        found = ICON_LINE.match(text)
        if found is None:
            raise BuildRefused(f"static/icons.txt line {number} must read `name flip` or `name keep`, not {text!r}.")
        names.add(found[1])
    return sorted(names)


def build(root: Path = ROOT, *, force: bool = False) -> bool:
    """Build when an input changed since the last time; say whether anything was built.

    Raises:
        BuildRefused: see `Build.run`.
    """
    target = root / "static" / "dist"
    target.mkdir(parents=True, exist_ok=True)
    with _alone(target / ".lock"):
        stamp = target / ".inputs"
        inputs = _inputs(root)
        if not force and (target / "manifest.json").exists() and stamp.exists() and stamp.read_text("ascii") == inputs:
            return False
        if not (root / "node_modules" / "esbuild").exists():
            raise BuildRefused("The front-end packages are not there: run `make setup`.")
        stamp.unlink(missing_ok=True)
        Build(root / "static", root / "node_modules", target).run()
        stamp.write_text(inputs, "ascii")
    return True


def say(text: str) -> None:
    print(text, flush=True)


def _inputs(root: Path) -> str:
    sources = [each for folder in ("css", "js", "img") for each in sorted((root / "static" / folder).rglob("*")) if each.is_file()]
    sources += [root / "static" / "icons.txt", root / "package-lock.json", *sorted(Path(__file__).parent.glob("[af][so]*.py"))]
    seen = hashlib.sha256()
    for path in sources:
        if path.exists():
            seen.update(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return seen.hexdigest()


def _node() -> str:
    found = shutil.which("node", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if found is None:
        raise BuildRefused("Node.js was not found: run `make setup`, which brings it when the machine has none.")
    return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)


def _compress(path: Path, content: bytes) -> None:
    import brotli

    for suffix, twin in ((".gz", lambda: gzip.compress(content, 9, mtime=0)), (".br", lambda: brotli.compress(content, quality=11))):
        target = path.with_name(path.name + suffix)
        if not target.exists():
            _replace(target, twin())


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    try:
        made = build(force="--force" in sys.argv[1:])
    except BuildRefused as refused:
        sys.exit(f"The front-end parts were not built. {refused}")
    say("Front-end parts: built." if made else "Front-end parts: up to date.")


if __name__ == "__main__":
    main()
