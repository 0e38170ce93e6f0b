"""Maker and checker: who wants a definition to go live asks, and somebody else agrees or does not.

A request keeps exactly what was asked for. Any change of the draft makes a request for the draft void: what goes live is what
was looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from portal import events
from portal.audit import service as audit
from portal.core import bus, clock, db
from portal.core.access import SYSTEM, Access, Actor, Permission
from portal.core.errors import Conflict, Forbidden, NotFound
from portal.i18n.words import gettext as _
from portal.identity import service as identity
from portal.workflows import definition, service, vetting
from portal.workflows import queries as workflows
from portal.workflows.designer import drafts
from portal.workflows.errors import DraftInvalid, WrongState
from portal.workflows.models import WorkflowRevision, WorkflowVersion
from portal.workflows.versions import queries
from portal.workflows.versions.models import PublishRequest, VersionLabel


class NothingNew(Conflict):
    """What is asked for is live already."""

    code = "nothing_new"


class AskedAlready(Conflict):
    """Somebody has asked before; that request is still open."""

    code = "asked_already"


@dataclass(frozen=True, slots=True)
class Called:
    """What the version will be called, and what people should know of it."""

    name: str | None = None
    name_ar: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the reader may do with a request."""

    may_decide: bool
    may_withdraw: bool
    is_own: bool


def ask(tenant_id: UUID, workflow_id: UUID, *, number: int | None = None, revision: int, called: Called, by: Actor) -> UUID:
    """Ask others to agree that the draft, or (`number`) a version, goes live.

    Raises:
        NotFound: no such workflow or version.
        DraftChanged: the draft is not at this revision any more.
        DraftInvalid: it could not be published.
        NothingNew: it is live already.
        AskedAlready: a request is open.
    """
    assert by.id is not None
    with db.transaction() as session:
        workflow = workflows.get_workflow(tenant_id, workflow_id, lock=True)
        drafts.check_revision(workflow, revision)
        old = queries.numbered(tenant_id, workflow_id, number) if number is not None else None
        nodes, settings = (old.nodes, old.settings) if old else (workflow.nodes, workflow.settings)
        if problems := vetting.check_definition(vetting.Definition(tenant_id, workflow_id, nodes, settings)):
            raise DraftInvalid(problems)
        if open_request(tenant_id, workflow_id) is not None:
            raise AskedAlready
        live = workflows.get_version(tenant_id, workflow.published_version_id) if workflow.published_version_id else None
        digest = definition.graph_hash(nodes, settings)
        if live is not None and live.graph_hash == digest:
            raise NothingNew
        request = PublishRequest(
            tenant_id=tenant_id,
            workflow_id=workflow_id,
            version_id=old.id if old else None,
            base_version_id=live.id if live else None,
            nodes=nodes,
            settings=settings,
            graph_hash=digest,
            name=called.name,
            name_ar=called.name_ar,
            note=called.note,
            authors=[] if old else _authors(tenant_id, workflow_id, live),
            asked_by=by.id,
        )
        session.add(request)
        session.flush()
        audit.record(tenant_id, by, "workflow.publish_asked", workflow_id, request=request.id, version=number)
        bus.announce(events.PublishAsked(tenant_id, workflow_id, request.id))
    return request.id


def approve(here: Access, request_id: UUID, *, note: str | None) -> int:
    """Agree: what was asked for becomes the next version. Returns its number.

    Raises:
        NotFound: no such request.
        Forbidden: who asks may not agree, and who may not publish may not either.
        WrongState: it is not open any more.
        DraftInvalid: something that it needs is not there any more.
    """
    with db.transaction():
        request = _open_for(here, request_id)
        number = service.publish_definition(
            here.tenant_id, request.workflow_id, request.nodes, request.settings, by=Actor("person", request.asked_by), is_agreed=True
        )
        request.made_version_id = queries.get_row(here.tenant_id, request.workflow_id, number).id
        if request.name or request.name_ar or request.note:
            db.session().add(
                VersionLabel(
                    tenant_id=here.tenant_id, version_id=request.made_version_id, name=request.name, name_ar=request.name_ar,
                    note=request.note, changed_by=request.asked_by,
                )
            )  # fmt: skip
        _decide(request, "approved", note, by=here.actor)
    return number


def reject(here: Access, request_id: UUID, *, note: str | None) -> None:
    """Say no, and why.

    Raises:
        NotFound, Forbidden, WrongState: as `approve`.
    """
    with db.transaction():
        _decide(_open_for(here, request_id), "rejected", note, by=here.actor)


def withdraw(here: Access, request_id: UUID) -> None:
    """Take one's own request back.

    Raises:
        NotFound: no such request of this person.
        WrongState: it is not open any more.
    """
    with db.transaction():
        request = get(here.tenant_id, request_id, lock=True)
        if request.asked_by != here.person_id:
            raise NotFound
        if request.state != "open":
            raise WrongState
        _decide(request, "withdrawn", None, by=here.actor)


def make_void(tenant_id: UUID, workflow_id: UUID) -> None:
    """End an open request for a draft that was changed; joins the open transaction."""
    request = open_request(tenant_id, workflow_id)
    if request is not None and request.version_id is None:
        _decide(request, "void", None, by=SYSTEM)


def get(tenant_id: UUID, request_id: UUID, *, lock: bool = False) -> PublishRequest:
    """Return a request.

    Raises:
        NotFound: no such request in this tenant.
    """
    wanted = select(PublishRequest).where(PublishRequest.tenant_id == tenant_id, PublishRequest.id == request_id)
    found = db.session().scalar(wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted)
    if found is None:
        raise NotFound
    return found


def open_request(tenant_id: UUID, workflow_id: UUID) -> PublishRequest | None:
    """Return the request of a workflow that nobody has decided."""
    return db.session().scalar(
        select(PublishRequest).where(
            PublishRequest.tenant_id == tenant_id, PublishRequest.workflow_id == workflow_id, PublishRequest.state == "open"
        )
    )


def standing(here: Access, request: PublishRequest) -> Standing:
    """Say what the reader may do with a request."""
    is_own = _is_maker(request, here.person_id)
    is_open = request.state == "open"
    return Standing(
        is_open and not is_own and here.can(Permission.WORKFLOW_PUBLISH), is_open and request.asked_by == here.person_id, is_own
    )


def checkers(tenant_id: UUID, request: PublishRequest) -> list[UUID]:
    """Return who may agree to a request."""
    able = identity.people_named(tenant_id, identity.designations_with(tenant_id, Permission.WORKFLOW_PUBLISH))
    return [each for each in able if not _is_maker(request, each)]


def _is_maker(request: PublishRequest, person_id: UUID) -> bool:
    return person_id == request.asked_by or str(person_id) in request.authors


def _authors(tenant_id: UUID, workflow_id: UUID, live: WorkflowVersion | None) -> list[str]:
    wanted = select(WorkflowRevision.author_id).where(
        WorkflowRevision.tenant_id == tenant_id, WorkflowRevision.template_id == workflow_id, WorkflowRevision.author_id.is_not(None)
    )
    if live is not None:
        wanted = wanted.where(WorkflowRevision.created_at > live.created_at)
    return sorted({str(each) for each in db.session().scalars(wanted)})


def _open_for(here: Access, request_id: UUID) -> PublishRequest:
    request = get(here.tenant_id, request_id)
    workflows.get_workflow(here.tenant_id, request.workflow_id, lock=True)  # an edit of the draft stands before or behind this
    request = get(here.tenant_id, request_id, lock=True)
    if _is_maker(request, here.person_id) or not here.can(Permission.WORKFLOW_PUBLISH):
        raise Forbidden(_("Who made or asked for a change cannot agree to it. Somebody else who may publish has to."))
    if request.state != "open":
        raise WrongState
    return request


def _decide(request: PublishRequest, state: str, note: str | None, *, by: Actor) -> None:
    request.state, request.decided_by, request.decided_at, request.decision_note = state, by.id, clock.now(), note or None
    audit.record(request.tenant_id, by, f"workflow.publish_{state}", request.workflow_id, request=request.id)
    bus.announce(events.PublishDecided(request.tenant_id, request.workflow_id, request.id, state))
