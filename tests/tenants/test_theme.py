"""The rules of a theme: what is kept, what is refused, what can be read, and the stylesheet that comes of it."""

from __future__ import annotations

import gzip
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.core.config import ROOT
from portal.tenants import sheet, theme
from portal.tenants.colours import contrast, from_oklch, oklch
from portal.tenants.themes import form

HUES = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
FREE = [key for key in theme.COLOURS if key not in theme.FAMILIES_OF_HUE]


@given(HUES)
def test_a_colour_survives_the_way_to_oklch_and_back(colour):
    again = from_oklch(*oklch(colour))
    assert all(abs(int(colour[at : at + 2], 16) - int(again[at : at + 2], 16)) <= 1 for at in (1, 3, 5))


def test_contrast_is_the_one_of_wcag():
    assert round(contrast("#ffffff", "#000000"), 6) == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


def test_the_look_of_the_product_is_the_one_of_its_stylesheet_and_can_be_read():
    tokens = (ROOT / "static" / "css" / "tokens.css").read_text("utf-8")
    for key in theme.COLOURS:
        found = re.search(rf"--{key.replace('_', '-')}: light-dark\(([^,]+), ([^)]+)\)", tokens)
        written = ["#" + "".join(2 * each for each in hue[1:]) if len(hue) == 4 else hue for hue in (found[1], found[2])]
        assert written == [theme.STANDARD["light"][key], theme.STANDARD["dark"][key]], key
    for step, colour in theme.RAMP.items():
        assert f"--nila-{step}: {colour};" in tokens
    for name, size in sheet.SIZES.items():
        assert f"--size-{name}: {size:g}rem" in tokens
    assert theme.failing({}) == []
    assert sheet.stylesheet({}) == ""


def test_five_hundred_brands_can_be_read_once_they_are_repaired():
    brands = [f"#{number:06x}" for number in random.Random(7).sample(range(1 << 24), 500)]
    weak = [brand for brand in brands if theme.failing({"colors": {"light": {"primary": brand}}})]
    assert len(weak) > 100  # the gate has something to do
    for brand in weak:
        repaired = theme.repaired({"colors": {"light": {"primary": brand}}})
        assert theme.failing(repaired) == [], brand
        _lightness, chroma, hue = oklch(repaired["colors"]["light"]["primary"])
        if min(chroma, oklch(brand)[1]) > 0.04:
            assert min(abs(hue - oklch(brand)[2]), 360 - abs(hue - oklch(brand)[2])) < 4, brand


@settings(max_examples=60, deadline=None)
@given(st.fixed_dictionaries({mode: st.dictionaries(st.sampled_from(FREE), HUES) for mode in theme.MODES}))
def test_any_choice_of_colours_can_be_repaired(colours):
    assert theme.failing(theme.repaired({"colors": colours})) == []


def test_one_pair_is_repaired_alone():
    columns = {"colors": {"light": {"text": "#cccccc", "muted": "#dddddd"}}}
    repaired = theme.repaired(columns, mode="light", front="text")
    assert {(pair.mode, pair.front) for pair in theme.failing(repaired)} == {("light", "muted")}


@pytest.mark.parametrize(
    ("column", "value", "path"),
    [
        ("colors", {"light": {"primary": "url(https://x)"}}, "colors.light.primary"),
        ("colors", {"light": {"primary": "#fff;}body{display:none"}}, "colors.light.primary"),
        ("colors", {"light": {"primary": 5}}, "colors.light.primary"),
        ("colors", {"light": {"danger": "#00aa00"}}, "colors.light.danger"),
        ("colors", {"dark": {"success": "#888888"}}, "colors.dark.success"),
        ("colors", {"light": {"unheard": "#ffffff"}}, "colors.light.unheard"),
        ("colors", {"light": "#ffffff"}, "colors.light"),
        ("colors", {"viz": ["#ffffff"]}, "colors.viz"),
        ("typography", {"family": "Comic Sans; }"}, "typography.family"),
        ("typography", {"base_px": 99}, "typography.base_px"),
        ("typography", {"base_px": True}, "typography.base_px"),
        ("typography", {"scale": float("nan")}, "typography.scale"),
        ("typography", {"line_height": {"latin": "1.5"}}, "typography.line_height.latin"),
        ("border_radius", {"s": -1}, "border_radius.s"),
        ("border_radius", {"pill": "yes"}, "border_radius.pill"),
        ("shadows", {"level": "0 0 9px red"}, "shadows.level"),
        ("branding", {"name": {"en": "a\u202eb"}}, "branding.name.en"),
        ("branding", {"name": {"en": "a\x00b"}}, "branding.name.en"),
        ("branding", {"name": {"en": "a\nb"}}, "branding.name.en"),
        ("branding", {"login_text": {"ar": "\u202eقلب"}}, "branding.login_text.ar"),
        ("branding", {"login_text": {"en": "a\u2066b"}}, "branding.login_text.en"),
        ("branding", {"login_text": {"en": "x" * 301}}, "branding.login_text.en"),
        ("branding", {"login_text": {"en": "\n" * 5}}, "branding.login_text.en"),
        ("branding", {"login_text": "both"}, "branding.login_text"),
        ("branding", {"mail_footer": {"ar": "\u200fقلب"}}, "branding.mail_footer.ar"),
        ("branding", {"mail_footer": {"en": "x" * 301}}, "branding.mail_footer.en"),
        ("branding", {"default_locale": "fr"}, "branding.default_locale"),
        ("branding", {"numerals": "beng"}, "branding.numerals"),
        ("branding", {"calendar": "coptic"}, "branding.calendar"),
        ("branding", {"week_start": 7}, "branding.week_start"),
        ("branding", {"week_start": True}, "branding.week_start"),
        ("branding", {"week_start": 1.5}, "branding.week_start"),
        ("branding", {"logo": {"ar": "abc.webp"}}, "branding.logo.ar"),
        ("typography", {"weights": [400, 600]}, "typography.weights"),
        ("typography", {"family": "readex</style>"}, "typography.family"),
        ("branding", {"name": {"fr": "Nom"}}, "branding.name.fr"),
        ("branding", {"support_url": "javascript:alert(1)"}, "branding.support_url"),
        ("branding", {"logo": {"light": "../../etc/passwd"}}, "branding.logo.light"),
        ("spacing", {"unit_px": 400}, "spacing.unit_px"),
        ("css", {"anything": 1}, "css"),
    ],
)
def test_what_may_not_be_in_a_theme_is_named_and_not_kept(app, column, value, path):
    with app.app_context():
        kept, problems = theme.check({column: value})
    assert list(problems) == [path] and problems[path]
    assert not any(kept.values())


def test_the_stylesheet_holds_only_properties_and_stays_small():
    rng = random.Random(3)
    colours = {mode: {key: f"#{rng.randrange(1 << 24):06x}" for key in FREE} for mode in theme.MODES}
    columns = {
        "colors": {**colours, "viz": ["#123456"] * 6},
        "typography": {"family": "vazirmatn", "scale": 1.3, "base_px": 18, "arabic_bump": 1.1, "line_height": {"latin": 1.6, "arabic": 2}},
        "spacing": {"unit_px": 5, "density": "compact", "container_rem": 100},
        "border_radius": {"s": 0, "m": 24, "l": 24, "pill": False},
        "shadows": {"level": "strong"},
    }
    css = sheet.stylesheet(columns)
    assert len(gzip.compress(css.encode(), 9)) <= 1_500
    assert css.startswith("@layer tenant{") and css.count("{") == css.count("}")
    declared = re.findall(r"[{;]([^{};]+):", css.replace("@layer tenant{", "", 1))
    assert all(name.strip().startswith(("--", ":root", "@media")) for name in declared), declared
    assert "url(" not in css


@given(HUES)
@settings(max_examples=80, deadline=None)
def test_what_stands_beside_signing_in_can_be_read_in_any_brand(brand):
    css = sheet.stylesheet({"colors": {"light": {"primary": brand}}})
    steps = dict(re.findall(r"--nila-(\d+):(#[0-9a-f]{6})", css)) or theme.RAMP
    assert contrast(steps["50"], steps["900"]) >= 7 and contrast(steps["200"], steps["900"]) >= 7
    assert contrast(steps["50"], steps["800"]) >= 4.5


@given(HUES)
@settings(max_examples=80, deadline=None)
def test_mails_wear_a_colour_that_can_be_read_on_white(brand):
    assert contrast(theme.accent({"colors": {"light": {"primary": brand}}}), "#ffffff") >= 4.5


def test_who_asks_for_more_contrast_gets_the_colours_of_the_product():
    css = sheet.stylesheet({"colors": {"light": {"primary": "#aa3366"}}, "border_radius": {"s": 0}})
    before, colours = css.split("@media (not (prefers-contrast:more)) and (forced-colors:none){")
    assert "#" not in before and "--radius-s:0px" in before
    assert "--primary:" in colours


@pytest.mark.parametrize(
    ("family", "font"),
    [
        ("plex", ""),
        ("readex", '--font:"Readex Pro","Readex Pro Arial","Readex Pro Roboto","Readex Pro Noto","Readex Pro DejaVu",system-ui,sans-serif'),
        ("cairo", '--font:"Cairo","Cairo Arial",'),
        ("vazirmatn", '--font:"Vazirmatn","Vazirmatn Arial",'),
        ("system", "--font:system-ui,sans-serif"),
    ],
)
def test_each_family_is_named_with_what_stands_in_for_it(family, font):
    css = sheet.stylesheet({"typography": {"family": family}})
    assert font in css if font else css == ""


def test_the_line_of_latin_pages_does_not_become_that_of_arabic_pages():
    css = sheet.stylesheet({"typography": {"line_height": {"latin": 1.6}}})
    assert css == "@layer tenant{:root{--line-body:1.6}:root:lang(ar){--line-body:1.75}}"


def test_a_draft_is_told_apart_by_all_but_its_pictures():
    one = {"colors": {"light": {"primary": "#aa3366"}}, "branding": {"name": {"en": "A"}}}
    assert theme.revision(one) == theme.revision({**one, "branding": {**one["branding"], "logo": {"light": "a.webp"}}})
    assert theme.revision(one) != theme.revision({**one, "branding": {"name": {"en": "B"}}})


def test_the_form_gives_back_what_it_was_filled_with():
    columns = {
        "colors": {"light": {"primary": "#aa3366"}, "viz": ["#123456", *theme.VIZ["light"][1:]]},
        "typography": {"family": "system", "base_px": 17},
        "spacing": {"density": "compact"},
        "border_radius": {"m": 4, "pill": False},
        "shadows": {},
        "branding": {
            "name": {"ar": "اسم"},
            "logo": {"light": "abc.webp"},
            "login_text": {"en": "Hello\nyou"},
            "mail_footer": {"ar": "شارع الملك"},
            "default_locale": "ar",
            "numerals": "arab",
            "calendar": "umalqura",
            "week_start": 0,
        },
    }
    again = form.read({**form.written(columns), "pill-shown": "1"}, columns)
    assert again == {**columns, "colors": {**columns["colors"]}}


@pytest.mark.parametrize(("written", "kept"), [("AA3366", "#aa3366"), ("#a36", "#aa3366"), ("#AA3366", "#aa3366"), ("#١٢٣٤٥٦", "#123456")])
def test_colours_are_read_as_people_paste_them(written, kept):
    assert form.read({"colors-light-primary": written}, {})["colors"]["light"]["primary"] == kept


def test_numbers_are_read_in_both_digits():
    assert form.read({"border_radius-m": "٤", "typography-scale": "١٫٣"}, {})["border_radius"] == {"m": 4}
