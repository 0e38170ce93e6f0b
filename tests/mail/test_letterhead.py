"""What mails wear: the logo, name, colour and last lines that an organisation published, as text and as HTML."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from portal.core import db
from portal.core.access import Actor
from portal.mail import jobs, service
from portal.mail.service import Button, OutgoingMail
from portal.tenants.themes import service as themes
from tests.mail.server import text_of

FOOTER = {"en": "Nakheel Ltd\nKing Road 5 <b>&</b>", "ar": "شركة النخيل"}


@pytest.fixture
def wear(app, tenant):
    """Publish a theme for the tenant."""

    def publish(*, logo: bytes = b"", **branding):
        by = Actor("person", tenant.people["owner"])
        with app.app_context(), db.unit_of_work(tenant.id):
            theme = themes.add_theme(tenant.id, name="Corporate", name_ar=None, by=by)
            if logo:
                themes.set_picture(tenant.id, theme, "light", logo, by=by)
                branding["logo"] = themes.columns_of(themes.queries.get_theme(tenant.id, theme))["branding"]["logo"]
            themes.save_theme(tenant.id, theme, {"colors": {"light": {"primary": "#ffd400"}}, "branding": branding}, by=by)
            themes.repair_theme(tenant.id, theme, by=by)
            themes.publish_theme(tenant.id, theme, by=by)

    return publish


def sent(app, post, settings, tenant_id, **more):
    settings(post.port)
    given = {"to": ["sara@example.com"], "subject": "Leave", "text": "Hello", "message_id": "k" * 40, "locale": "en", **more}
    with app.app_context():
        service.send(OutgoingMail(**given, tenant_id=tenant_id))
    message = post.mails[-1][2]
    return message, text_of(message), message.get_body(("html",)).get_content()


def png(size=(900, 300)):
    out = BytesIO()
    Image.new("RGBA", size, "#7a1f5c").save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(("locale", "last"), [("en", "King Road 5"), ("ar", "شركة النخيل")])
def test_the_last_lines_stand_in_both_parts_in_the_mails_language_escaped(app, tenant, wear, post, settings, locale, last):
    wear(mail_footer=FOOTER, name={"en": "Nakheel", "ar": "النخيل"})

    _message, text, html = sent(app, post, settings, tenant.id, locale=locale)

    assert last in text.split("\n-- \n")[1] and last in html
    assert "<b>&</b>" not in html and ("&lt;b&gt;&amp;&lt;/b&gt;" in html) is (locale == "en")
    assert ("<bdi>Nakheel</bdi>" if locale == "en" else "<bdi>النخيل</bdi>") in html
    assert "نسيج</span>" not in html


def test_one_language_stands_in_for_the_other_with_its_own_direction(app, tenant, wear, post, settings):
    wear(mail_footer={"ar": "شارع الملك"})
    _message, text, html = sent(app, post, settings, tenant.id)
    assert "شارع الملك" in text
    assert '<p dir="rtl"' in html.split("شارع الملك")[0].rsplit("<td", 1)[1]


def test_a_button_has_the_brand_as_it_can_be_read_on_white(app, tenant, wear, post, settings):
    wear(name={"en": "Nakheel"})
    _message, _text, html = sent(app, post, settings, tenant.id, button=Button("Open", "http://localhost/runs"))
    colour = html.split('style="background-color:')[-1].split(";")[0]
    assert colour != "#5266d0" and f"border-bottom:2px solid {colour}" in html and "#5266d0" not in html


def test_the_logo_comes_along_as_a_png_that_belongs_to_the_text(app, tenant, wear, post, settings):
    wear(logo=png(), name={"en": "Nakheel <script>"})

    message, _text, html = sent(app, post, settings, tenant.id)

    assert message.get_content_type() == "multipart/related"
    picture = next(part for part in message.walk() if part.get_content_type() == "image/png")
    assert picture["Content-ID"] == "<logo@nasij>" and picture.get_content_disposition() == "inline"
    width, height = Image.open(BytesIO(picture.get_content())).size
    assert (width, height) == (240, 80)
    assert f'<img src="cid:logo@nasij" width="{width // 2}" height="{height // 2}" alt="Nakheel &lt;script&gt;"' in html
    assert "http" not in html.split("<img")[1].split(">")[0]  # nobody is told that the mail is read


def test_a_drawing_is_not_sent_but_the_name_is(app, tenant, wear, post, settings):
    wear(logo=b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40"/></svg>', name={"en": "Nakheel"})
    message, _text, html = sent(app, post, settings, tenant.id)
    assert "<img" not in html and "<bdi>Nakheel</bdi>" in html
    assert message.get_content_type() == "multipart/mixed"


def test_without_a_theme_a_mail_is_the_houses_own(app, tenant, post, settings):
    message, text, html = sent(app, post, settings, tenant.id)
    assert "نسيج" in html and "#5266d0" in html and text.endswith("-- \nSent automatically by Nasij.\n")
    assert "<img" not in html and message.get_content_type() == "multipart/mixed"


def test_a_theme_that_is_not_in_use_is_not_worn_and_neighbours_are_not(app, tenant, other_tenant, wear, post, settings):
    wear(mail_footer=FOOTER)
    assert "King Road" not in sent(app, post, settings, other_tenant.id)[1]
    with app.app_context(), db.unit_of_work(tenant.id):
        themes.use_standard(tenant.id, by=Actor("person", tenant.people["owner"]))
    assert "King Road" not in sent(app, post, settings, tenant.id)[1]


def test_a_letter_wears_it_and_speaks_the_organisations_language(app, tenant, wear, post, settings):
    wear(mail_footer=FOOTER, default_locale="ar")
    settings(post.port)
    facts = {"name": "Salma", "name_ar": "سلمى", "browser": "", "system": "", "address": "203.0.113.7"}
    with app.app_context():
        with db.transaction():
            letter = service.post("sara@example.com", "new_device", locale=None, tenant_id=tenant.id, **facts, link="/settings/devices")
        jobs.letter(str(letter))
    text = text_of(post.mails[-1][2])
    assert "سلمى" in text and "شركة النخيل" in text
