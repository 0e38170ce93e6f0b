"""Every route: guarded on purpose, and closed to strangers whatever id they hold."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from flask_babel import force_locale
from sqlalchemy import text
from werkzeug.datastructures import MultiDict

from portal.connections import service as connections
from portal.connections.checking import read
from portal.connections.kinds import KINDS
from portal.core import clock, db
from portal.core.access import Access, Actor, Permission
from portal.core.ids import new_id
from portal.datatables import service as tables
from portal.exports import service as exports
from portal.identity import permissions
from portal.identity.custom_roles import service as custom_roles
from portal.identity.custom_roles.service import Draft
from portal.identity.factors import service as factors
from portal.identity.factors.models import Passkey
from portal.identity.groups import service as groups
from portal.identity.invitations import service as invitations
from portal.identity.roles import PERMISSIONS
from portal.identity.scim import service as scim
from portal.identity.sso import service as sso
from portal.identity.sso.saml import certificates
from portal.identity.sso.saml import service as saml
from portal.identity.support import service as support
from portal.identity.tokens import clients, scopes
from portal.identity.tokens import service as tokens
from portal.lists import service as lists
from portal.notifications import service as notifications
from portal.tenants.themes import service as themes
from portal.workflows import service as workflows
from portal.workflows import stored
from portal.workflows.calendars import service as calendars
from portal.workflows.calendars.service import Draft as CalendarDraft
from portal.workflows.gallery import service as gallery
from portal.workflows.history import retention
from portal.workflows.triggers import base, registry
from portal.workflows.triggers import service as triggers
from portal.workflows.versions.models import PublishRequest, Trial, VersionLabel
from tests.whole import evidence
from tests.workflows.engine.conftest import Engine, step, values

CANARY = "canary-5502"
ISSUER = "https://login.example"
PROVIDER = {"name": "x", "name_ar": None, "issuer": ISSUER, "client_id": "x", "default_role": "member", "admits_newcomers": True, "allows_passwords": True}  # fmt: skip
# What else stands under the same name in an address: each is tried there too.
ALSO = {"provider_id": "saml_id", "group_id": "directory_group_id", "token_id": "directory_token_id", "factor_id": "passkey_id"}
DISCOVERY = {"issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/a", "token_endpoint": f"{ISSUER}/t", "jwks_uri": f"{ISSUER}/k"}


def plant_saml(tenant_id, name, by):
    """Add a SAML provider, as the pages of the settings do."""
    given = {**PROVIDER, "name": name, "name_ar": name, "issuer": f"{ISSUER}/saml", "client_id": ""}
    _key, certificate = certificates.make_pair("idp")
    kept = {"sso_url": f"{ISSUER}/{name}", "slo_url": f"{ISSUER}/{name}", "certificates": (certificate,)}
    return saml.add_provider(tenant_id, given, kept, by=by)


def plant_passkey(person_id, name):
    """Add a passkey that no device has."""
    with db.transaction() as session:
        made = Passkey(person_id=person_id, credential_id=new_id().bytes, public_key=b"x", sign_count=0, aaguid=UUID(int=0), name=name,
                       is_backed_up=False)  # fmt: skip
        session.add(made)
        session.flush()
        return made.id


def test_every_route_says_who_may_enter(app):
    unguarded = [
        str(rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        and not hasattr(app.view_functions[rule.endpoint], "guarded_by")
        and not hasattr(app.view_functions[rule.endpoint], "public_because")
    ]
    assert unguarded == []


@pytest.mark.parametrize("permission", list(Permission))
def test_every_permission_is_explained_in_both_languages(app, permission):
    """Who gives a role must be able to read what it does."""
    assert permission.value in permissions.SAID, f"say in identity/permissions.py what {permission} is called"
    words = permissions.said(permission)
    with app.test_request_context():
        for text in (words.area, words.name, words.note):
            with force_locale("en"):
                english = str(text)
            with force_locale("ar"):
                arabic = str(text)
            assert english and re.search("[\u0621-\u064a]", arabic) and arabic != english, english


def test_what_is_for_staff_exists_for_nobody_else(app, as_role, visitor):
    rules = [rule for rule in app.url_map.iter_rules() if getattr(app.view_functions[rule.endpoint], "guarded_by", "") == "staff"]
    paths = [(method, re.sub(r"<uuid:\w+>", str(new_id()), rule.rule).replace("<group>", "actions").replace("<name>", "exports"))
             for rule in rules for method in rule.methods - {"HEAD", "OPTIONS"}]  # fmt: skip
    assert len(paths) > 10
    for browser in (as_role("owner"), visitor):
        assert {path: browser.client.open(path, method=method).status_code for method, path in paths} == {
            path: 404 for _method, path in paths
        }


def visit_of(tenant, staffer, reason=CANARY):
    """Staff look as the builder, with the tenant's consent."""
    with db.unit_of_work(tenant.id):
        support.grant(tenant.id, 4, by=Actor("person", tenant.people["owner"]))
    return support.enter(tenant.id, tenant.people["builder"], staff_id=staffer.id, reason=f"{reason} reason", ticket=reason)


@pytest.fixture
def ours(app, tenant, staffer):
    """One thing of every kind that has an id, all marked with a canary."""
    with app.app_context():
        engine = Engine(tenant)
        workflow_id = engine.publish(
            step("only", "set", **values(x=CANARY)),
            step("each", "foreach", source="list", list=f"['{CANARY}']"),
            step("inside", "set", parent="each", lane="each", **values(x="${ item }")),
            step("pause", "wait", mode="for", amount=1, unit="hours"),
        )
        with db.transaction(tenant.id) as session:
            session.execute(text("update workflow_templates set name = :name"), {"name": CANARY})
            columns = [{"key": "a", "type": "text", "label": CANARY, "label_ar": None, "required": False}]
            table_id = tables.create_table(tenant.id, "things", name=CANARY, name_ar=None, columns=columns, by=engine.by)
            notifications.notify(tenant.id, [tenant.people["owner"]], type="x", message=CANARY)
            notification_id = session.scalar(text("select id from notifications"))
            wanted = {"file_format": "csv", "locale": "en", "by": engine.by}
            export_id = exports.request_export(tenant.id, tenant.people["owner"], "workflows.runs", {"status": CANARY}, **wanted)
            theme_id = themes.add_theme(tenant.id, name=CANARY, name_ar=None, by=engine.by)
            factor_id = factors.begin_app(tenant.people["owner"])
        run_id, other_run_id = engine.start(workflow_id), engine.start(workflow_id)
        asking = engine.publish(step("ask", "approval", title=CANARY, details=CANARY, candidates=["role:owner", "role:member"]))
        asked = engine.start(asking)
        engine.pump()
        step_id = engine.steps(run_id)["each"].id
        with db.transaction(tenant.id) as session:
            task_id = session.scalar(text("select id from workflow_tasks where execution_id = :run"), {"run": asked})
            here = Access(tenant.people["owner"], tenant.id, "owner", PERMISSIONS["owner"], "Owner", tenant.name, None)
            state = lists.read(lists.get("runs"), {})
            view_id = lists.save_view(here, lists.get("runs"), name=CANARY, state=state, is_shared=True)
            bulk_id = lists.ask(here, lists.get("runs"), lists.get("runs").verb("cancel"), ids=[run_id], state=state)
            lists.undo(here, bulk_id)
            provider_id = sso.add_provider(tenant.id, {**PROVIDER, "name": CANARY}, DISCOVERY, kind="oidc", secret=CANARY, by=engine.by)
            domain_id = sso.add_domain(tenant.id, f"{CANARY}.example", by=engine.by)
            saml_id = plant_saml(tenant.id, CANARY, engine.by)
            passkey_id = plant_passkey(tenant.people["owner"], CANARY)
            scim.make_token(tenant.id, by=engine.by)
            directory_token_id = session.scalar(text("select id from scim_tokens"))
            directory_group_id = scim.add_group(tenant.id, {"displayName": CANARY}, by=engine.by).id
            mine = {"name": CANARY, "wanted": ["workflow:read"], "by": engine.by}
            token_id = tokens.create_token(tenant.id, tenant.people["owner"], days=90, **mine).id
            client_id = clients.create_client(tenant.id, tenant.people["owner"], kind="public", **mine).id
            role_id = custom_roles.add_role(here, Draft(CANARY, None, CANARY, ["run:read", "member:read"]))
            group_id = groups.add_group(tenant.id, name=CANARY, name_ar=None, by=engine.by)
            groups.add_to_group(tenant.id, group_id, tenant.people["member"], by=engine.by)
            draft = CalendarDraft(CANARY, None, "Asia/Riyadh", (5, 6), ((480, 1020),))
            calendar_id = calendars.add_calendar(tenant.id, draft, by=engine.by)
            trigger_id = add_webhook(tenant.id, workflow_id, name=CANARY, by=engine.by)
            request_id, trial_id = asked_and_tried(session, tenant, workflow_id, CANARY, by=engine.by)
            (invitation_id,) = invitations.invite(here, f"{CANARY}@example.com", "member", "en")
            hold_id = retention.hold(tenant.id, reason=CANARY, by=engine.by, run_id=run_id)
            sample_id = plant_sample(tenant.id, workflow_id, CANARY, by=engine.by)
        with db.transaction(tenant.id):
            given = read(KINDS["http_bearer"], MultiDict({"name": CANARY, "scope": "tenant", "hosts": "api.example.com", "token": CANARY}))
            connection_id = connections.add_connection(tenant.id, "http_bearer", given, by=engine.by)
        file = stored.keep_file(tenant.id, run_id, "only", "key", name=CANARY, media_type="text/plain", content=CANARY.encode())
        return {
            "connection_id": connection_id,
            "file_id": file["id"],
            "workflow_id": workflow_id,
            "run_id": run_id,
            "other_run_id": other_run_id,
            "step_id": step_id,
            "export_id": export_id,
            "view_id": view_id,
            "bulk_id": bulk_id,
            "table_id": table_id,
            "notification_id": notification_id,
            "node_key": "pause",
            "key": "only",
            "group": "actions",
            "theme_id": theme_id,
            "token_id": token_id,
            "client_id": client_id,
            "factor_id": factor_id,
            "passkey_id": passkey_id,
            "saml_id": saml_id,
            "directory_group_id": directory_group_id,
            "directory_token_id": directory_token_id,
            "slot": "light",
            "provider_id": provider_id,
            "domain_id": domain_id,
            "user_id": tenant.people["owner"],
            # Public ways in, by an id or a name; these are nobody's.
            "way_id": UUID(int=1),
            "which": "nobody",
            "urn": "nothing",
            "visit_id": visit_of(tenant, staffer),
            # Of staff, who are not asked here.
            "announcement_id": new_id(),
            "job_id": new_id(),
            "person_id": tenant.people["member"],
            "role_id": role_id,
            "group_id": group_id,
            "invitation_id": invitation_id,
            "calendar_id": calendar_id,
            "task_id": task_id,
            "trigger_id": trigger_id,
            "hold_id": hold_id,
            "sample_id": sample_id,
            "request_id": request_id,
            "trial_id": trial_id,
            "number": 1,
            "kind_name": "webhook",
            "kind": "manual",
            "token": "nothing",  # of an address, public by its signature; nobody guesses one
            # Public by their hashes, which nobody guesses.
            "tenant_id": tenant.id,
            "sha": "nothing",
            "name": "nothing.webp",
        }


def add_webhook(tenant_id, workflow_id, *, name, by):
    """Add a way to start with an address."""
    kind = registry.find("webhook")
    config = {**base.defaults(kind), "inputs": {}}
    place = triggers.place_of(tenant_id, workflow_id, timezone="UTC")
    return triggers.add_trigger(tenant_id, workflow_id, kind, name=name, name_ar=name, config=config, place=place, by=by)


def plant_sample(tenant_id, workflow_id, name, *, by):
    """Save a workflow as a template of the organisation, under a name of one's choice."""
    named = {"name": name, "name_ar": name, "description": name, "description_ar": name}
    return gallery.save(tenant_id, workflow_id, {**named, "category": "general", "icon": "workflow"}, by=by)


def asked_and_tried(session, tenant, workflow_id, name, *, by):
    """Add a version with a name, a request to publish and a dry run of a workflow, all with a name of one's choice."""
    version = workflows.queries.get_version(tenant.id, workflows.queries.get_workflow(tenant.id, workflow_id).published_version_id)
    session.add(VersionLabel(tenant_id=tenant.id, version_id=version.id, name=name, name_ar=name, note=name, changed_by=by.id))
    nodes = [{**step("new", "set", **values(x=name)), "name": name, "name_ar": name}, *version.nodes[:1]]
    inputs = [{"key": "new", "type": "text", "label": name, "label_ar": name, "required": False, "choices": [name]}]
    common = {"tenant_id": tenant.id, "workflow_id": workflow_id, "nodes": nodes, "settings": {"inputs": inputs}}
    request = PublishRequest(
        **common, base_version_id=version.id, graph_hash="x", note=name, authors=[], asked_by=tenant.people["builder"], state="rejected",
        decided_by=by.id, decided_at=clock.now(), decision_note=name,
    )  # fmt: skip
    told = {"key": "new", "kind": "email", "scope": name, "state": "failed", "port": None, "error": {"code": "timeout", "detail": name},
            "effect": "not_sent", "sample": "empty", "would": {"to": name}, "output": {"x": name}, "is_inner": False}  # fmt: skip
    result = {"status": "failed", "error": told["error"], "steps": [told], "is_short": False, "run_id": None,
              "apart": [{"key": "new", "what": "other_output", "old": name, "new": name}]}  # fmt: skip
    trial = Trial(**common, kind="dry", asked_by=by.id, results=[result], state="done", finished_at=clock.now())
    session.add_all([request, trial])
    session.flush()
    return request.id, trial.id


def fingerprint(tenant_id):
    """Count and sum up every row of the tenant: any change shows."""
    with db.transaction(tenant_id) as session:
        names = session.scalars(
            text("select distinct table_name from information_schema.columns where table_schema = 'public' and column_name = 'tenant_id'")
        ).all()
        return {
            name: session.scalar(text(f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {name} t where tenant_id = :id"),
                                 {"id": tenant_id})
            for name in names
            if name != "sessions"
        }  # fmt: skip


def urls(app, ids):
    for rule in app.url_map.iter_rules():
        if not rule.arguments or rule.endpoint == "static":
            continue
        assert rule.arguments <= set(ids), f"{rule} has an id that this test does not know: add one to `ours`"
        others = [{name: ids[ALSO[name]]} for name in rule.arguments if ALSO.get(name) in ids]
        for other in ({}, *others):
            with app.app_context():
                path = app.url_map.bind("localhost").build(rule.endpoint, {name: ids[name] for name in rule.arguments} | other)
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                yield method, path


def pages_of(app, ids, browser):
    """Return the address of every whole page that somebody can open, whether or not it names something."""
    plain = [str(rule) for rule in app.url_map.iter_rules() if not rule.arguments and "GET" in rule.methods]
    paths = [path for path in [*plain, *(path for method, path in urls(app, ids) if method == "GET")] if not path.endswith("/stream")]
    answers = {path: browser.client.get(path) for path in paths}
    return [path for path, answer in answers.items() if answer.status_code == 200 and answer.data.lstrip().startswith(b"<!doctype html>")]


@pytest.fixture
def strangers_token(app, other_tenant):
    """What a program of another tenant shows: all that its owner may do through the interface."""
    with app.app_context(), db.transaction(other_tenant.id):
        owner = other_tenant.people["owner"]
        wanted = list(scopes.WORDS)
        made = tokens.create_token(other_tenant.id, owner, name="Theirs", wanted=wanted, days=90, by=Actor("person", owner))
    return {"Authorization": f"Bearer {made.secret}"}


def test_a_stranger_finds_nothing_and_changes_nothing(app, tenant, ours, stranger, strangers_token):
    before = fingerprint(tenant.id)
    tried = list(urls(app, ours))
    assert len(tried) > 15

    for method, path in tried:
        data = {"revision": "0", "kind": "set", "decision": "done", "direction": "up", "name": "x"}
        shown = strangers_token if path.startswith("/api/") else {}
        for headers in ({}, {"HX-Request": "true"}, {"Accept": "application/json"}):
            body = {"json": {}} if shown else {"data": data}
            answer = stranger.client.open(path, method=method, headers={**headers, **shown}, **(body if method == "POST" else {}))
            # Directories prove themselves by a token; a session says nothing there.
            expected = 401 if path.startswith("/scim/") else 404
            assert answer.status_code == expected, f"{method} {path} answered {answer.status_code}"
            assert CANARY not in answer.get_data(as_text=True), f"{method} {path} shows the canary"
        evidence.note("routes", f"{method} {re.sub(r'[0-9a-f-]{36}', '…', path)}", expected)

    assert fingerprint(tenant.id) == before


def test_a_visitor_is_sent_to_the_sign_in_page(app, ours, visitor):
    for method, path in urls(app, ours):
        answer = visitor.client.open(path, method=method)
        if path.startswith(("/staff/", "/theme/", "/sign-in/sso/", "/scim/", "/hooks/", "/f/")):
            assert answer.status_code == (401 if path.startswith("/scim/") else 404), f"{method} {path}"
            continue
        if path.startswith("/api/"):
            assert answer.status_code == (404 if "/callbacks/" in path else 401), f"{method} {path}"
            continue
        assert answer.status_code == 303, f"{method} {path}"
        assert answer.headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("role", ["auditor", "member"])
def test_who_may_not_edit_is_told_so(app, ours, as_role, role):
    browser = as_role(role)

    assert browser.get(f"/workflows/{ours['workflow_id']}").status_code == 200
    assert browser.post(f"/workflows/{ours['workflow_id']}/design/publish", data={"revision": "0"}).status_code == 403
    assert browser.get("/workflows/new").status_code == 403
    assert browser.get("/tables/new").status_code == 403


def test_a_member_handles_only_their_own_runs(app, tenant, ours, as_role):
    member = as_role("member")

    assert member.post(f"/runs/{ours['run_id']}/cancel").status_code == 404
    with db.transaction(tenant.id):
        assert workflows.queries.get_run(tenant.id, ours["run_id"]).status == "running"


def test_lists_show_only_ones_own(app, ours, stranger):
    for path in ("/home", "/workflows", "/runs", "/tables", "/notifications", "/exports"):
        page = stranger.get(path)
        assert page.status_code == 200
        assert CANARY not in page.text
