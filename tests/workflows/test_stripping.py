"""What leaves with a workflow and what stays behind: secrets at any depth, never what names a thing of the organisation."""

from __future__ import annotations

import pytest

from portal.workflows.literals import looks_secret, warnings_of
from portal.workflows.stripping import LEFT_OUT, holds, left_open, without_connections, without_secrets

MIXED_ID = "01a3f7c2-9b4e-7d58-8c61-e0f2a9d4b735"  # as mixed as a key


def node(kind, **config):
    return {"key": "it", "kind": kind, "config": config}


@pytest.mark.parametrize(
    ("kind", "config"),
    [("subworkflow", {"workflow": MIXED_ID}), ("wait", {"calendar": MIXED_ID}), ("approval", {"candidates": [MIXED_ID, "role:owner"]})],
)
def test_what_names_a_thing_of_the_organisation_is_no_literal(kind, config):
    assert looks_secret("id", MIXED_ID)

    assert without_secrets(node(kind, **config), instead="")["config"] == config
    assert warnings_of([node(kind, **config)]) == []


@pytest.mark.parametrize("instead", ["", LEFT_OUT])
def test_secrets_are_replaced_at_any_depth(instead):
    given = node(
        "webhook",
        connection=MIXED_ID,
        url="https://example.com",
        headers=[{"name": "Authorization", "value": "Bearer abcdefghijkl"}, {"name": "Accept", "value": "text/plain"}],
        more={"deep": [["sk_live_abcdefghijkl"]]},
    )

    kept = without_secrets(given, instead=instead)["config"]

    assert kept["headers"] == [{"name": "Authorization", "value": instead}, {"name": "Accept", "value": "text/plain"}]
    assert kept["more"] == {"deep": [[instead]]}
    assert (kept["connection"], kept["url"]) == (MIXED_ID, "https://example.com")
    assert holds(kept) == (instead == LEFT_OUT)


def test_a_connection_is_left_open_only_where_there_is_one():
    nodes = [without_connections(node("webhook", connection=MIXED_ID, url="x")), without_connections(node("set", values=[]))]

    assert [each["config"] for each in nodes] == [{"connection": "", "url": "x"}, {"values": []}]
    assert left_open(nodes) == [nodes[0]]
