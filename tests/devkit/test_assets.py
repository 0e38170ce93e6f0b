"""The front-end build: every name leads to a file that carries its hash, nothing points outside, the byte budgets hold."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from io import BytesIO
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

from portal.devkit import assets, fonts
from portal.devkit.assets import ROOT, Build, BuildRefused, icon_names

KB = 1000


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    target = tmp_path_factory.mktemp("dist")
    return target, Build(ROOT / "static", ROOT / "node_modules", target).run()


def gz(built: tuple[Path, dict[str, str]], name: str) -> int:
    target, manifest = built
    return (target / f"{manifest[name]}.gz").stat().st_size


def test_each_name_leads_to_a_file_that_carries_its_hash(built):
    target, manifest = built
    assert json.loads((target / "manifest.json").read_text()) == manifest
    for name, hashed in manifest.items():
        digest = hashlib.sha256((target / hashed).read_bytes()).hexdigest()[:12]
        stem, dot, suffix = name.rpartition(".")
        assert hashed == f"{stem}.{digest}{dot}{suffix}"


def test_the_names_that_the_templates_use_are_built(built):
    used = set()
    for template in (ROOT / "templates").rglob("*.html"):
        for call in re.findall(r"asset\((.*?)\)", template.read_text("utf-8")):
            used |= set(re.findall(r"['\"]([\w/.-]+\.\w+)['\"]", call))
    assert used
    assert used <= set(built[1])


def test_style_sheets_name_hashed_files_that_exist_and_nothing_outside(built):
    target, manifest = built
    for name in ("app.css", "flow.css"):
        text = (target / manifest[name]).read_text("utf-8")
        for url in re.findall(r"url\([\"']?([^)\"']+)", text):
            assert url.startswith("data:") or (target / url).exists(), f"{name} names {url}"
        assert "http:" not in text.replace("http://www.w3.org/", "")


def test_text_has_compressed_twins(built):
    target, manifest = built
    assert (target / f"{manifest['app.js']}.br").stat().st_size < (target / f"{manifest['app.js']}.gz").stat().st_size


def test_a_file_stays_for_a_day_after_it_was_named_last(built):
    """A server that runs on still names it, and so do pages that are open."""
    target, manifest = built
    two_days_ago = time.time() - 2 * 86_400
    forgotten, just_named = target / "app.000000000000.js", target / "app.111111111111.js"
    for path in (forgotten, just_named):
        path.write_text("old")
        os.utime(path, (two_days_ago, two_days_ago))
    (target / "manifest.json").write_text(json.dumps({**manifest, "app.js": just_named.name}))

    for _turn in range(2):
        Build(ROOT / "static", ROOT / "node_modules", target).run()
        assert (forgotten.exists(), just_named.exists()) == (False, True)
    os.utime(just_named, (two_days_ago, two_days_ago))
    Build(ROOT / "static", ROOT / "node_modules", target).run()
    assert not just_named.exists()


@pytest.mark.parametrize(
    ("names", "budget_kb"),
    [(["app.css"], 18), (["flow.css"], 4), (["app.js"], 22), (["flow.js"], 8), (["sprite.svg"], 6)],
    ids=lambda value: "+".join(value) if isinstance(value, list) else str(value),
)
def test_byte_budgets(built, names, budget_kb):
    assert sum(gz(built, name) for name in names) <= budget_kb * KB


@pytest.mark.parametrize(("scripts", "budget_kb"), [(("arabic", "latin"), 68), (("latin",), 40)], ids=["ar", "en"])
def test_font_budgets(built, scripts, budget_kb):
    target, manifest = built
    sizes = [(target / manifest[f"fonts/nasij-sans-{script}-{weight}.woff2"]).stat().st_size for script in scripts for weight in (400, 600)]

    assert sum(sizes) <= budget_kb * KB


def test_fonts_carry_our_name_and_shape_arabic(built):
    target, manifest = built
    for name in [each for each in manifest if each.startswith("fonts/")]:
        font = TTFont(BytesIO((target / manifest[name]).read_bytes()))
        names = {record.nameID: str(record) for record in font["name"].names}
        assert names[1] in ("Nasij Sans", "Nasij Mono", "Readex Pro", "Cairo", "Vazirmatn", "Noto Naskh Arabic", "Naskh Latin")
        assert not [text for number, text in names.items() if "Plex" in text and number in (1, 3, 4, 6, 16)], "the reserved name"
        if "arabic" in name:
            shaped = {record.FeatureTag for record in font["GSUB"].table.FeatureList.FeatureRecord}
            assert {"init", "medi", "fina", "rlig"} <= shaped
            assert {ord(letter) for letter in "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي٠١٢٣٤٥٦٧٨٩،؛؟ًٌٍَُِّْ"} <= set(font.getBestCmap())


@pytest.mark.parametrize("family", fonts.FAMILIES, ids=lambda family: family.key)
def test_each_family_of_themes_stays_within_the_budget_and_comes_alone(built, family):
    target, manifest = built
    arabic, latin = ((target / manifest[f"fonts/{family.key}-{script}.woff2"]).stat().st_size for script in ("arabic", "latin"))
    assert latin <= 40 * KB and arabic + latin <= 68 * KB
    sheet = (target / manifest[f"font-{family.key}.css"]).read_text("utf-8")
    urls = re.findall(r"url\(([^)]+)\)", sheet)
    assert len(urls) == 2 and all((target / url).exists() for url in urls)
    assert family.name not in (target / manifest["app.css"]).read_text("utf-8")
    assert f"{family.name} (a subset)" in (target / manifest["licenses.txt"]).read_text("utf-8")


def test_the_line_of_a_family_is_the_one_of_its_font(built):
    target, manifest = built
    for family in fonts.FAMILIES:
        font = TTFont(BytesIO((target / manifest[f"fonts/{family.key}-latin.woff2"]).read_bytes()))
        line, size = font["hhea"], font["head"].unitsPerEm
        assert (round(1000 * line.ascent / size), round(-1000 * line.descent / size)) == (family.ascent, family.descent)


def test_the_sprite_has_each_icon_once(built):
    target, manifest = built
    text = (target / manifest["sprite.svg"]).read_text("utf-8")
    assert re.findall(r'<symbol id="([^"]+)"', text) == icon_names(ROOT / "static" / "icons.txt")


def test_licenses_go_with_the_files(built):
    target, manifest = built
    text = (target / manifest["licenses.txt"]).read_text("utf-8")
    assert "SIL OPEN FONT LICENSE" in text.upper()
    assert "ISC" in text


@pytest.mark.parametrize(
    ("lines", "said"), [("bell sideways\n", "line 1 must read"), ("no-such-icon-here keep\n", "which the icon set does not have")]
)
def test_a_wrong_icon_line_is_named(tmp_path, lines, said):
    (tmp_path / "icons.txt").write_text(lines)

    with pytest.raises(BuildRefused, match=said):
        Build(tmp_path, ROOT / "node_modules", tmp_path / "dist")._sprite()


def test_nothing_is_built_twice(capsys):
    assets.build()
    assert assets.build() is False


@pytest.mark.parametrize("family", fonts.FAMILIES, ids=lambda family: family.key)
@pytest.mark.parametrize("script", ["arabic", "latin"])
def test_the_semibold_of_a_family_is_seen(built, family, script):
    target, manifest = built
    stems = []
    for weight in (400, 600):
        font = TTFont(BytesIO((target / manifest[f"fonts/{family.key}-{script}.woff2"]).read_bytes()))
        font = instantiateVariableFont(font, {"wght": weight})
        shape = font["glyf"][font.getBestCmap()[ord("l" if script == "latin" else "ا")]]
        stems.append(shape.xMax - shape.xMin)
    assert stems[1] >= 1.2 * stems[0]
