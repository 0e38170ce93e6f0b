"""Themes by their pages: made, changed, repaired, published, undone; pictures and attacks; whose they are."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from portal.core import db
from portal.tenants.themes import queries

PAGE = "/settings/themes"


@pytest.fixture
def owner(as_role):
    return as_role("owner")


@pytest.fixture
def theme(owner):
    made = owner.post(PAGE, data={"name": "Corporate", "name_ar": "هوية"})
    return made.headers["Location"]


def revision(browser, theme):
    return browser.get(theme).text.split('name="revision" value="')[1].split('"')[0]


def saved(browser, theme, **fields):
    begun = fields.pop("revision", None) or revision(browser, theme)
    return browser.post(theme, data={"revision": begun, "pill-shown": "1", "border_radius-pill": "1", **fields})


def published(browser, theme, **fields):
    """Save these fields, publish, and return the answer."""
    if fields:
        assert saved(browser, theme, **fields).status_code == 303
    return browser.post(f"{theme}/publish", data={"revision": revision(browser, theme)})


def picture(kind="PNG", size=(900, 300), **more):
    out = BytesIO()
    Image.new("RGB", size, "#7a1f5c").save(out, kind, **more)
    return out.getvalue()


def upload(browser, theme, content, name="logo.png", slot="light"):
    return browser.post(f"{theme}/picture/{slot}", data={"picture": (BytesIO(content), name)}, content_type="multipart/form-data")


def shown(app, tenant, browser):
    """Return the address of the tenant's stylesheet on a page, or an empty text."""
    text = browser.get("/workflows").text
    return next((part.split('"')[0] for part in text.split('href="')[1:] if part.startswith(f"/theme/{tenant.id}/")), "")


def test_a_published_theme_is_what_everybody_sees(app, tenant, owner, as_role, theme):
    assert saved(owner, theme, **{"colors-light-primary": "#a02060"}).status_code == 303
    assert shown(app, tenant, as_role("member")) == ""  # saved is not published

    assert published(owner, theme).status_code == 303

    address = shown(app, tenant, as_role("member"))
    css = as_role("member").get(address)
    assert "--primary:light-dark(#a02060" in css.text
    assert css.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert css.headers["Content-Type"].startswith("text/css")
    assert "Set-Cookie" not in css.headers and "Cookie" not in css.headers.get("Vary", "")


def test_what_cannot_be_read_is_not_published_until_it_is_repaired(app, tenant, owner, theme):
    saved(owner, theme, **{"colors-light-primary": "#ffe680"})
    refused = published(owner, theme)
    assert refused.status_code == 422 and "cannot be read" in refused.text
    assert shown(app, tenant, owner) == ""

    owner.post(f"{theme}/repair", data={})
    assert published(owner, theme).status_code == 303
    assert shown(app, tenant, owner) != ""


def test_undo_brings_back_the_version_before(app, tenant, owner, theme):
    saved(owner, theme, **{"colors-light-primary": "#a02060"})
    published(owner, theme)
    first = shown(app, tenant, owner)
    saved(owner, theme, **{"colors-light-primary": "#0b5394"})
    published(owner, theme)
    assert shown(app, tenant, owner) != first

    owner.post(f"{theme}/undo")

    assert shown(app, tenant, owner) == first
    assert 'value="#a02060"' in owner.get(theme).text


def test_undo_without_a_version_before_says_so(owner, theme):
    owner.post(f"{theme}/undo")
    assert "There is no version before this one." in owner.get(theme).text


def test_the_standard_look_comes_back(app, tenant, owner, theme):
    saved(owner, theme, **{"colors-light-primary": "#a02060"})
    published(owner, theme)
    owner.post(f"{theme}/delete")
    assert "is in use" in owner.get(theme).text
    owner.post(f"{PAGE}/standard")
    assert shown(app, tenant, owner) == ""
    owner.post(f"{theme}/delete")
    assert owner.get(theme).status_code == 404


def test_a_copy_and_a_reset(owner, theme):
    saved(owner, theme, **{"colors-light-primary": "#a02060"})
    copied = owner.post(f"{theme}/copy").headers["Location"]
    assert copied != theme and 'value="#a02060"' in owner.get(copied).text
    owner.post(f"{theme}/reset")
    assert 'value="#a02060"' not in owner.get(theme).text
    assert 'value="#a02060"' in owner.get(copied).text


def test_refused_values_keep_the_form_and_name_the_field(owner, theme):
    page = saved(owner, theme, **{"colors-light-primary": "red;}", "border_radius-m": "99", "branding-name-en": "a\u202eb"})
    assert page.status_code == 422
    for name in ("colors-light-primary", "border_radius-m", "branding-name-en"):
        assert f'href="#f-{name}"' in page.text, name
    assert 'value="red;}"' in page.text
    assert 'value="red;}"' not in owner.get(theme).text


@pytest.mark.parametrize(
    ("names", "word"), [({"name": ""}, "Enter a name."), ({"name": "a\u202eb"}, "invisible"), ({"name": "x" * 61}, "60")]
)
def test_a_theme_needs_a_plain_name(owner, names, word):
    page = owner.post(PAGE, data=names)
    assert page.status_code == 422 and word in page.text


def test_a_refused_new_name_stays_in_the_form(owner, theme):
    page = owner.post(f"{theme}/name", data={"name": "Renamed", "name_ar": "س" * 61})
    assert page.status_code == 422
    assert 'value="Renamed"' in page.text and "س" * 61 in page.text
    assert "Corporate" in owner.get(theme).text


def test_a_picture_is_made_anew_without_its_descriptions(app, tenant, owner, theme):
    exif = Image.Exif()
    exif[0x010E] = "taken at a secret place"
    assert upload(owner, theme, picture("JPEG", exif=exif), "photo.jpg").status_code == 303
    published(owner, theme)
    with app.app_context(), db.transaction(tenant.id):
        asset = queries.asset_of(tenant.id, queries.list_themes(tenant.id)[0].branding["logo"]["light"])
        content, kind = asset.content, asset.media_type
    assert kind == "image/webp" and b"secret" not in content
    assert Image.open(BytesIO(content)).size == (384, 128)
    text = owner.get("/workflows").text
    address = text.split('class="brand-light" src="')[1].split('"')[0]
    sent = owner.client.get(address)
    assert sent.status_code == 200 and sent.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in sent.headers["Content-Security-Policy"]


def test_a_drawing_loses_what_could_run_or_load(app, tenant, owner, theme):
    svg = (
        b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 40 40" onload="alert(1)">'
        b"<script>alert(1)</script><style>*{background:url(http://x)}</style><foreignObject><p/></foreignObject>"
        b'<image href="http://x/y.png"/><a xlink:href="javascript:alert(1)"><rect width="4" height="4"/></a>'
        b'<rect width="40" height="40" fill="url(http://x)" onclick="alert(1)"/><circle r="4" style="fill:#0b7a75;behavior:url(x)"/></svg>'
    )
    assert upload(owner, theme, svg, "logo.svg").status_code == 303
    assert "were left out" in owner.get(theme).text
    with app.app_context(), db.transaction(tenant.id):
        content = queries.asset_of(tenant.id, queries.list_themes(tenant.id)[0].branding["logo"]["light"]).content.decode()
    assert "<circle" in content and 'fill="#0b7a75"' in content
    for word in ("script", "http://x", "onload", "onclick", "href", "style", "foreignObject", "behavior", "image"):
        assert word not in content, word


BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>'


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "Choose a file."), (b"GIF89a but not", "no picture"), (b"%PDF-1.7", "no picture"), (BOMB, "cannot be read"),
        (b"<svg>", "cannot be read"), (b"<html><body/></html>", "no picture"), (b"<?xml version='1.0'?><a/>", "cannot be read"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "Nothing of this drawing"), (b"x" * 2_000_001, "larger than 2 MB"),
        (picture("PNG", (6000, 4000)), "too many pixels"),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused_with_a_sentence(owner, theme, content, word):
    page = upload(owner, theme, content)
    assert page.status_code == 422
    assert word in page.text


def test_twenty_megabytes_are_refused_before_they_are_read(owner, theme):
    page = upload(owner, theme, b"x" * 20_000_000)
    assert page.status_code == 413
    assert "larger than" in page.text


def test_a_picture_is_taken_out_again(owner, theme):
    upload(owner, theme, picture())
    assert "<img" in owner.get(theme).text
    owner.post(f"{theme}/picture/light", data={"remove": "1"}, content_type="multipart/form-data")
    assert "picture-ground" not in owner.get(theme).text


def test_the_preview_may_stand_in_our_frame_and_nothing_else_may(owner, theme):
    preview = owner.get(f"{theme}/preview?language=ar&look=dark")
    assert preview.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in preview.headers["Content-Security-Policy"]
    assert 'lang="ar" dir="rtl" data-theme="dark"' in preview.text and "طلب إجازة موظف" in preview.text
    page = owner.get(theme)
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("role", ["builder", "member", "auditor"])
def test_only_owners_and_admins_design_the_look(as_role, theme, role):
    browser = as_role(role)
    assert browser.get(PAGE).status_code == 403
    assert browser.get(theme).status_code == 403
    assert browser.post(f"{theme}/publish").status_code == 403
    assert PAGE not in browser.get("/workflows").text


def test_unknown_stylesheets_and_pictures_are_not_there(visitor, tenant, other_tenant, app, owner, theme):
    saved(owner, theme, **{"colors-light-primary": "#a02060"})
    published(owner, theme)
    address = shown(app, tenant, owner)
    assert visitor.get(address).status_code == 200
    assert visitor.get(address.replace(str(tenant.id), str(other_tenant.id))).status_code == 404
    assert visitor.get(f"/theme/{tenant.id}/nothing.css").status_code == 404
    assert visitor.get(f"/theme/{tenant.id}/picture/nothing.webp").status_code == 404
