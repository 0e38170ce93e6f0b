"""Components are kept across requests only when they say the same to everybody who reads the same language."""

from __future__ import annotations

import pytest
from flask_babel import force_locale
from markupsafe import Markup

from portal.core.render import Kept, url_of


@pytest.fixture
def ui(app):
    return app.jinja_env.globals["ui"]


@pytest.mark.parametrize(
    "name",
    [
        "csrf",
        "post_button",
        "menu_post",
        "bell",
        "time",
        "duration",
        "lang_switch",
        "user_menu",
        "hx",
        "text",
        "secret",
        "shown_once",
        "copy",
    ],
)
def test_what_depends_on_the_request_is_rendered_anew(ui, name):
    assert not isinstance(getattr(ui, name), Kept)


def test_a_kept_component_is_kept_for_each_language(app, ui):
    assert isinstance(ui.status, Kept)
    said = {}
    for tag in ("en", "ar", "en"):
        with app.test_request_context(), force_locale(tag):
            said.setdefault(tag, []).append(ui.status("failed"))

    assert said["en"][0] is said["en"][1]
    assert "Failed" in said["en"][0] and "Failed" not in said["ar"][0]


def test_markup_and_text_with_the_same_letters_are_told_apart(app, ui):
    with app.test_request_context():
        trusted, typed = ui.bdi(Markup("<b>x</b>")), ui.bdi("<b>x</b>")

    assert "<b>" in trusted and "<b>" not in typed


def test_true_and_one_are_told_apart(app, ui):
    with app.test_request_context():
        assert ui.tag(True) != ui.tag(1)


def test_attributes_by_name_are_part_of_what_is_kept(app, ui):
    with app.test_request_context():
        plain, marked = ui.button("Go"), ui.button("Go", attrs={"data-x": "1"})
        other, turned = ui.button("Go", attrs={"data-x": 1}), ui.button("1", attrs={"data-x": "Go"})
        again = ui.button("Go", attrs={"data-x": "1"})

    assert "data-x" not in plain and marked is again and 'data-x="1"' in marked
    assert other is not marked and 'data-x="Go"' in turned


def test_what_carries_a_nonce_or_is_copied_is_not_kept(app, ui):
    with app.test_request_context():
        ui.button("Go")
        before = len(ui.button._texts)
        ui.button("Go", hx=Markup('data-hx-nonce="once"'))
        ui.button("Go", attrs={"data-copy": "secret"})

    assert len(ui.button._texts) == before


def test_a_part_of_the_build_has_the_address_that_url_for_builds(app):
    from flask import url_for

    from portal.core.render import asset, manifest

    for root in ("", "/flows"):
        with app.test_request_context(base_url=f"http://localhost{root}"):
            assert asset("app.css") == url_for("static", filename=manifest()["app.css"])


def test_the_store_of_texts_is_bounded(app, ui):
    with app.test_request_context():
        for number in range(2_500):
            ui.ltr(str(number))
        ui.ltr("x" * 50_000)

    assert len(ui.ltr._texts) <= 1_000
    assert not any(len(text) > 8_000 for text in ui.ltr._texts.values())


def test_an_address_by_ids_is_the_one_that_url_for_builds(app):
    from flask import url_for

    from portal.core.ids import new_id

    run_id = new_id()
    with app.test_request_context():
        assert url_of("workflows.run", run_id=run_id) == url_for("workflows.run", run_id=run_id)
    with app.test_request_context(base_url="http://localhost/flows"):
        assert url_of("workflows.run", run_id=run_id) == url_for("workflows.run", run_id=run_id) == f"/flows/runs/{run_id}"
