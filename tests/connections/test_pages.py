"""Pages of connections as people use them: in both languages, without JavaScript, with their limits."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from portal.connections.kinds import KINDS
from portal.core import db
from tests.connections.systems import connect, form_of
from tests.workflows.engine.conftest import step

SECRET = "canary-page-6612"
URL = "/settings/connections"


@pytest.mark.parametrize("locale", ["en", "ar"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_has_its_form(tenant, sign_in, kind, locale):
    page = sign_in(tenant, "owner", locale).get(f"{URL}/new?kind={kind}")
    assert page.status_code == 200
    for setting in KINDS[kind].settings:
        assert f'name="{setting.name}"' in page.text


def test_one_is_added_changed_rotated_and_deleted(app, tenant, as_role):
    owner = as_role("owner")
    assert "http_bearer" in owner.get(f"{URL}/new").text

    refused = owner.post(f"{URL}/new", data={**form_of("http_bearer", hosts="", token=SECRET), "kind": "http_bearer"})
    assert refused.status_code == 422 and SECRET not in refused.text and 'href="#f-hosts"' in refused.text

    added = owner.post(
        f"{URL}/new", data={**form_of("http_bearer", hosts="https://API.example.com/v1", token=SECRET), "kind": "http_bearer"}
    )
    url = added.headers["Location"]
    page = owner.get(url)
    assert "api.example.com" in page.text and SECRET not in page.text and "••••" in page.text

    form = owner.get(f"{url}/edit")
    assert SECRET not in form.text
    moved = owner.post(f"{url}/edit", data=form_of("http_bearer", hosts="other.example.com", token=""))
    assert moved.status_code == 422 and "Enter the secret again" in moved.text
    assert owner.post(f"{url}/edit", data=form_of("http_bearer", name="Renamed", hosts="api.example.com", token="")).status_code == 303
    assert owner.post(f"{url}/rotate", data={"token": "short"}).status_code == 422
    assert owner.post(f"{url}/rotate", data={"token": "another-secret", "keep": "24"}).status_code == 303
    assert "Bring it back" in owner.get(url).text
    assert owner.post(f"{url}/bring-back").status_code == 303
    assert "Bring it back" not in owner.get(url).text
    assert "cannot be undone" in owner.get(f"{url}/delete").text
    assert owner.post(f"{url}/delete").status_code == 303
    assert owner.get(url).status_code == 404
    with db.transaction(tenant.id) as session:
        rows = session.execute(
            text("select action, details::text as details from audit_entries where action like 'connection.%' order by at, id")
        ).all()
    assert [row.action for row in rows] == [f"connection.{each}" for each in ("added", "changed", "rotated", "rotated", "deleted")]
    assert SECRET not in str(rows)


def test_who_may_what(app, tenant, as_role):
    with app.app_context():
        connection_id = connect(tenant.id, "http_bearer", hosts="api.example.com", token=SECRET)
    url = f"{URL}/{connection_id}"
    builder, member = as_role("builder"), as_role("member")

    assert builder.get(url).status_code == 200 and f"{url}/edit" not in builder.get(url).text
    assert [
        builder.get(f"{url}/edit").status_code,
        builder.post(f"{url}/rotate").status_code,
        builder.post(f"{url}/delete").status_code,
    ] == [403] * 3
    assert builder.post(f"{url}/test").status_code == 303
    assert [member.get(URL).status_code, member.get(url).status_code, member.post(f"{url}/test").status_code] == [403] * 3


def test_the_test_says_what_happened(app, tenant, other, as_role):
    with app.app_context():
        connection_id = connect(tenant.id, "http_bearer", hosts=other.host, token=SECRET, test_url=f"{other.url}/me")
    from tests.connections.systems import Reply

    other.answer = lambda asked: Reply(401, f"no: {SECRET}")
    owner = as_role("owner")
    owner.post(f"{URL}/{connection_id}/test")
    page = owner.get(f"{URL}/{connection_id}")
    assert "refused the secret" in page.text and SECRET not in page.text
    other.answer = lambda asked: Reply(200)
    owner.post(f"{URL}/{connection_id}/test")
    assert "It works." in owner.get(f"{URL}/{connection_id}").text


def test_a_step_chooses_a_connection_and_its_use_is_listed(engine, tenant, as_role):
    connection_id = str(connect(tenant.id, "http_bearer", hosts="api.example.com", token=SECRET))
    connect(tenant.id, "slack_bot", name="Not for this step", token="xoxb-secret-one")
    workflow = engine.publish(step("call", "webhook", url="https://api.example.com/x", connection=connection_id))
    builder = as_role("builder")

    design = builder.get(f"/workflows/{workflow}/design?step=call")
    assert connection_id in design.text and "Not for this step" not in design.text
    page = builder.get(f"{URL}/{connection_id}")
    assert f"/workflows/{workflow}" in page.text and "Live version" in page.text
    owner = as_role("owner")
    assert owner.post(f"{URL}/{connection_id}/delete").status_code == 303
    assert owner.get(f"{URL}/{connection_id}").status_code == 200


def test_a_connection_that_went_stops_publishing(engine, tenant, as_role):
    from portal.workflows.errors import DraftInvalid

    slack = str(connect(tenant.id, "slack_bot", token="xoxb-secret-one"))
    for chosen in (slack, "00000000-0000-0000-0000-000000000009"):
        with pytest.raises(DraftInvalid) as refused:
            engine.publish(step("call", "webhook", url="https://api.example.com/x", connection=chosen))
        assert [problem.field for problem in refused.value.problems] == ["connection"]


def test_who_may_not_use_connections_neither_chooses_nor_publishes_one(engine, tenant, as_role, monkeypatch):
    from portal.core.access import Permission
    from portal.identity import roles

    connection_id = str(connect(tenant.id, "http_bearer", hosts="api.example.com", token=SECRET))
    config = {"url": "https://api.example.com/x"}
    workflow = engine.publish(step("call", "webhook", connection=connection_id, **config))
    bare = engine.publish(step("call", "webhook", **config))
    monkeypatch.setitem(roles.PERMISSIONS, "builder", roles.PERMISSIONS["builder"] - {str(Permission.CONNECTION_USE)})
    builder = as_role("builder")

    published = builder.post(f"/workflows/{workflow}/design/publish", data={"revision": "0"})
    assert published.status_code == 422 and "may not use connections" in published.text
    saved = builder.post(
        f"/workflows/{bare}/design/steps/call",
        data={"revision": "0", "name": "Call", "c-url": config["url"], "c-connection": connection_id},
    )
    assert saved.status_code == 403


def test_a_connection_that_is_kept_to_another_workflow_later_is_refused_when_the_step_runs(engine, tenant, other):
    from portal.connections import service
    from portal.connections.checking import bound_before, read
    from portal.core.access import SYSTEM
    from portal.core.ids import new_id

    connection_id = connect(tenant.id, "http_bearer", hosts=other.host, token=SECRET)
    workflow = engine.publish(step("call", "webhook", url=f"{other.url}/x", connection=str(connection_id), attempts=1))
    form = form_of("http_bearer", hosts=other.host, token="", scope="workflows")
    form.add("scope_workflows", str(new_id()))
    with db.transaction(tenant.id):
        row = service.get_connection(tenant.id, connection_id)
        given = read(KINDS["http_bearer"], form, keeps=frozenset({"token"}), hosts_before=bound_before(row.hosts, row.settings))
        service.change_connection(tenant.id, connection_id, given, by=SYSTEM)

    run = engine.finish(engine.start(workflow))

    assert (run.status, run.error["code"], other.calls) == ("failed", "connection_scope", [])


def test_a_version_that_still_runs_counts_as_use(engine, tenant):
    from portal.connections import service

    connection_id = connect(tenant.id, "http_bearer", hosts="api.example.com", token=SECRET)
    call = step("call", "webhook", url="https://api.example.com/x", connection=str(connection_id))
    workflow = engine.publish(step("pause", "wait", mode="for", amount=1, unit="hours"), call)
    run_id = engine.start(workflow)
    engine.pump()
    with db.transaction(tenant.id) as session:
        session.execute(text("update workflow_templates set nodes = '[]', published_version_id = null where id = :id"), {"id": workflow})
    with db.transaction(tenant.id):
        assert [use.is_live for use in service.uses_of(tenant.id, connection_id)] == [True]
        from portal.workflows import service as workflows

        workflows.cancel_run(tenant.id, run_id, by=engine.by)
    engine.pump()
    with db.transaction(tenant.id):
        assert list(service.uses_of(tenant.id, connection_id)) == []
