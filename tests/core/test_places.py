"""Where a page can be opened again: in the other language, after signing in, after a proof."""

from __future__ import annotations

from uuid import UUID

import pytest

from portal.core.render import page_address


@pytest.mark.parametrize(
    ("method", "path", "came_from", "found"),
    [
        ("GET", "/runs?status=failed", None, "/runs?status=failed"),
        ("GET", "/nowhere", "http://localhost/runs", "/nowhere"),
        ("POST", "/views", "http://localhost/views/new?list=runs", "/views/new?list=runs"),
        ("POST", "/views", "http://localhost/views", None),
        ("POST", "/views", "http://elsewhere.example/runs", None),
        ("POST", f"/publish-requests/{UUID(int=1)}/reject", None, f"/publish-requests/{UUID(int=1)}"),
        ("POST", f"/publish-requests/{UUID(int=1)}/reject", "http://localhost/bulk", f"/publish-requests/{UUID(int=1)}"),
        ("POST", f"/workflows/{UUID(int=1)}/publish-request", None, f"/workflows/{UUID(int=1)}/publish-request"),
    ],
)
def test_a_page_that_answers_a_form_knows_where_it_can_be_opened_again(app, method, path, came_from, found):
    headers = {"Referer": came_from} if came_from else {}
    with app.test_request_context(path, method=method, headers=headers):
        assert page_address() == found
