"""The map of a flow: every step once, nothing on top of another, mirrored, bounded; as page, SVG and PNG."""

from __future__ import annotations

import io
import time
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from portal.core import db
from portal.core.access import Actor
from portal.workflows import service
from portal.workflows.designer import drafts, edits, layout
from tests.workflows.designer.test_edits import flow, obey, wishes

SVG = "{http://www.w3.org/2000/svg}"


def overlap(one, other):
    return one.x < other.x + other.wide and other.x < one.x + one.wide and one.y < other.y + other.high and other.y < one.y + one.high


@given(wishes, st.booleans())
@settings(max_examples=120, deadline=None)
def test_every_step_has_a_place_of_its_own_within_the_picture(history, is_mirrored):
    nodes = []
    for wish in history:
        nodes = obey(nodes, *wish)
    picture = layout.lay_out(edits.tree(nodes))
    if is_mirrored:
        assert layout.mirrored(layout.mirrored(picture)) == picture
        picture = layout.mirrored(picture)

    assert sorted(box.card.key for box in picture.boxes if box.card) == sorted(node["key"] for node in nodes)
    assert not any(overlap(one, other) for at, one in enumerate(picture.boxes) for other in picture.boxes[at + 1 :])
    for box in picture.boxes:
        assert box.x >= 0 and box.x + box.wide <= picture.wide and box.y >= 0 and box.y + box.high <= picture.high
    points = [point for wire in picture.wires for point in wire.points]
    assert all(0 <= x <= picture.wide and 0 <= y <= picture.high for x, y in points)
    assert all(one[0] == other[0] or one[1] == other[1] for wire in picture.wires for one, other in zip(wire.points, wire.points[1:], strict=False)), "ways run straight"  # fmt: skip


def test_a_jump_leads_to_its_step_and_nothing_follows_it():
    nodes = flow("a", "if", "b@if.then", "c")
    nodes[2] = {**nodes[2], "kind": "goto", "config": {"to": "a"}}
    picture = layout.lay_out(edits.tree(nodes))
    boxes = {box.card.key: box for box in picture.boxes if box.card}

    jump = next(wire for wire in picture.wires if wire.kind == "jump")
    assert jump.points[0][1] == boxes["b"].y + layout.HIGH / 2 and jump.points[-1] == (
        boxes["a"].x + layout.WIDE, boxes["a"].y + layout.HIGH / 2,
    )  # fmt: skip
    assert not any(wire.points[0] == (boxes["b"].x + layout.WIDE / 2, boxes["b"].y + layout.HIGH) for wire in picture.wires)


@pytest.fixture
def build(tenant):
    def make(nodes=None):
        by = Actor("person", tenant.people["builder"])
        with db.transaction(tenant.id):
            sample = "leave_request" if nodes is None else "blank"
            workflow_id = service.create_workflow(tenant.id, name="Leave", name_ar="إجازة", sample=sample, by=by)
            if nodes is not None:
                drafts.replace(tenant.id, workflow_id, nodes, {"inputs": []}, revision=0, label="step.added", by=by)
        return f"/workflows/{workflow_id}/design"

    return make


@pytest.mark.parametrize(("locale", "word"), [("en", "Ask the manager"), ("ar", "مراسلة المدير")])
def test_the_map_is_a_page_with_links_and_two_files(build, tenant, sign_in, locale, word):
    url, browser = build(), sign_in(tenant, "builder", locale)

    page = browser.get(f"{url}/map")
    assert page.status_code == 200 and "style=" not in page.text
    links = [each.get("href") for each in page.tree().iter(f"{SVG}a") if "?step=" in (each.get("href") or "")]
    assert links == [f"{url}?step={key}#inspector" for key in ("start", "long_leave", "ask_manager", "confirm", "note_down", "tell_me")]

    drawn = browser.client.get(f"{url}/map.svg")
    tree = ElementTree.fromstring(drawn.data)
    texts = "".join("".join(each.itertext()) for each in tree.iter(f"{SVG}text"))
    assert drawn.mimetype == "image/svg+xml" and "attachment" in drawn.headers["Content-Disposition"]
    assert word in texts.replace("\u2068", "").replace("\u2069", "")
    assert not list(tree.iter(f"{SVG}foreignObject")) and not list(tree.iter(f"{SVG}a")) and not list(tree.iter(f"{SVG}script"))
    boxes = {
        each.get("data-kind"): float(each.find(f"{SVG}rect").get("x")) for each in tree.iter(f"{SVG}g") if each.get("class") == "map-box"
    }
    assert (boxes["email"] > boxes["condition"]) == (locale == "en"), "the lane “no” is at the other side in Arabic"

    png = browser.client.get(f"{url}/map.png")
    image = Image.open(io.BytesIO(png.data))
    assert image.format == "PNG" and image.width == 2 * round(float(tree.get("width")))


def test_names_cannot_leave_their_text(build, as_role):
    nodes = [{**flow("a")[0], "name": "</text><script>1</script>\u202e & “x”", "name_ar": None}]
    url = build(nodes)

    drawn = as_role("builder").client.get(f"{url}/map.svg").data
    tree = ElementTree.fromstring(drawn)
    assert not list(tree.iter(f"{SVG}script")) and "\u202e" not in drawn.decode()
    assert as_role("builder").get(f"{url}/map").status_code == 200


def test_two_hundred_steps_are_drawn_in_bounded_time_and_size(build, as_role):
    names = ["if_0", *(f"s{number}@if_0.then" for number in range(60)), *(f"t{number}@if_0.else" for number in range(39))]
    url = build(flow(*names, *(f"u{number}" for number in range(100))))

    began = time.monotonic()
    png = as_role("builder").client.get(f"{url}/map.png")
    assert png.status_code == 200 and time.monotonic() - began < 15
    image = Image.open(io.BytesIO(png.data))
    assert image.width * image.height < 26_000_000 and len(png.data) < 4_000_000


@pytest.mark.parametrize("path", ["map", "map.svg", "map.png"])
def test_strangers_and_readers_stay_outside(build, as_role, stranger, path):
    url = build()

    assert stranger.client.get(f"{url}/{path}").status_code == 404
    assert as_role("auditor").client.get(f"{url}/{path}").status_code == 403


def test_the_size_of_the_flow_is_kept_by_the_browser(build, as_role):
    url, browser = build(), as_role("builder")

    assert 'class="flow zoom-' not in browser.get(url).text
    assert 'class="flow zoom-80"' in browser.get(f"{url}?zoom=80").text
    page = browser.get(url)
    assert 'class="flow zoom-80"' in page.text and f'href="{url}?zoom=60"' in page.text and f'href="{url}?zoom=100"' in page.text
    assert 'class="flow zoom-60"' in browser.get(f"{url}?zoom=fit").text
    assert 'class="flow zoom-' not in browser.get(f"{build(flow('a', 'b'))}?zoom=fit").text
    for odd in ("1", "9999999999", "x", "-60"):
        assert 'class="flow zoom-' not in browser.get(f"{url}?zoom={odd}").text


def test_the_start_lists_the_ways_in_which_it_begins(build, tenant, as_role):
    url, browser = build(), as_role("builder")

    page = browser.get(f"{url}?step=start")
    assert "By hand" in page.text_of(".ways")[0] and "On" in page.text_of(".ways")[0]
    assert f'href="{url.removesuffix("/design")}/starts/new"' in page.text
    added = browser.post(
        f"{url.removesuffix('/design')}/starts/new/webhook",
        data={"name": "From the shop", "name_ar": "من المتجر", "c-proof": "standard", "proof": "standard"},
    )
    assert added.status_code == 303
    assert "From the shop" in str(browser.get(url).text_of("#step-start"))
