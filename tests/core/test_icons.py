"""The icon manifest: every icon a template names is in it, and the `icon` component turns exactly its `flip` lines."""

from __future__ import annotations

import re

from portal.core.config import ROOT

MANIFEST = dict(line.split() for line in (ROOT / "static" / "icons.txt").read_text("utf-8").splitlines() if line)
NAMED = re.compile(r"""(?:ui\.icon\(|ui\.icon_button\(|icon=|icon_end=)["']([a-z0-9-]+)["']""")


def test_each_icon_says_whether_it_turns_around() -> None:
    assert set(MANIFEST.values()) <= {"flip", "keep"}


def test_the_component_turns_the_same_icons_as_the_manifest() -> None:
    component = (ROOT / "templates" / "components" / "icon.html").read_text("utf-8")
    listed = re.search(r"set flips = \(([^)]*)\)", component)
    assert listed
    assert set(re.findall(r'"([a-z0-9-]+)"', listed[1])) == {name for name, turn in MANIFEST.items() if turn == "flip"}


def test_templates_use_only_icons_of_the_manifest() -> None:
    used = {name for page in (ROOT / "templates").rglob("*.html") for name in NAMED.findall(page.read_text("utf-8"))}

    assert used - set(MANIFEST) == set()
