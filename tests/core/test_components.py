"""Components are kept across requests only when they say the same to everybody who reads the same language."""

from __future__ import annotations

import pytest
from flask_babel import force_locale
from markupsafe import Markup

from portal.core.render import Kept, url_of


@pytest.fixture
def ui(app):
    return app.jinja_env.globals["ui"]


@pytest.mark.parametrize("name", ["csrf", "post_button", "menu_post", "bell", "time", "duration", "lang_switch", "user_menu", "hx", "text"])
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


def test_the_store_of_texts_is_bounded(app, ui):
    with app.test_request_context():
        for number in range(2_500):
            ui.ltr(str(number))
        ui.ltr("x" * 50_000)

    assert len(ui.ltr._texts) <= 1_000
    assert not any(len(text) > 4_000 for text in ui.ltr._texts.values())


def test_an_address_by_ids_is_the_one_that_url_for_builds(app):
    from flask import url_for

    from portal.core.ids import new_id

    run_id = new_id()
    with app.test_request_context():
        assert url_of("workflows.run", run_id=run_id) == url_for("workflows.run", run_id=run_id)
    with app.test_request_context(base_url="http://localhost/flows"):
        assert url_of("workflows.run", run_id=run_id) == url_for("workflows.run", run_id=run_id) == f"/flows/runs/{run_id}"
