"""Pages of the settings for SAML providers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, session, url_for

from portal.core import db
from portal.core.access import Permission, access, confirmed, requires
from portal.core.errors import Invalid, NotFound
from portal.core.render import render, see_other, toast
from portal.i18n.words import gettext as _
from portal.identity.sso import queries
from portal.identity.sso import service as sso
from portal.identity.sso.errors import ProviderFaulty
from portal.identity.sso.models import IdentityProvider
from portal.identity.sso.saml import certificates, explain, forms, metadata, service
from portal.identity.sso.saml.forms import MetadataForm, SamlForm
from portal.identity.sso.saml.metadata import Published
from portal.identity.sso.saml.peer import Peer, Terms

# Part of the same place in the settings: see the prefix in `sso.wiring`.
bp = Blueprint("sso_settings_saml", __name__, url_prefix="/settings/sso")
BEGIN = {"admits_newcomers": True, "allows_passwords": True, "default_role": "member"}


@bp.get("/new/saml")
@requires(Permission.SSO_EDIT)
@confirmed
def new() -> Response:
    return _new(SamlForm(data=BEGIN), MetadataForm())


@bp.post("/new/saml")
@requires(Permission.SSO_EDIT)
@confirmed
def create() -> Response:
    here, form, source = access(), SamlForm(), MetadataForm()
    read = _read(form, source)
    if request.form.get("read") or source.errors:
        return _new(form, source, read=read, status=422 if source.errors else 200)
    if not form.validate():
        return _new(form, source, status=422)
    try:
        provider_id = service.add_provider(here.tenant_id, form.given(), form.terms(), by=here.actor)
    except Invalid as refused:
        return _new(form, source, problems=refused.problems, status=422)
    toast(_("The provider is there, but still off. Sign in through it as a test."))
    return see_other(url_for("sso_settings.show", provider_id=provider_id))


def _read(form: SamlForm, source: MetadataForm) -> Published | None:
    """Fill the form in from the metadata that was brought; what is wrong with it stands at its field afterwards.

    The address is asked when somebody presses the button, or brought nothing but it.
    """
    if not source.validate():
        return None
    brought, url = source.brought(), source.metadata_url.data or ""
    field = source.metadata if source.metadata.data else source.metadata_file if brought else source.metadata_url
    is_asked = bool(request.form.get("read")) or not form.issuer.data
    if not is_asked:
        return None
    if not brought and not url:
        if request.form.get("read"):
            source.metadata_url.errors = [_("Enter an address, choose a file or paste the metadata.")]
        return None
    try:
        published = metadata.read(brought or _fetched(url))
    except ProviderFaulty as faulty:
        field.errors = [faulty.message]
        return None
    form.take(published)
    source.metadata.data = ""  # it stands in the fields now
    return published


def _fetched(url: str) -> bytes:
    with db.transaction():
        pass  # ends the transaction of the reads before: a slow provider must not hold a connection
    return metadata.fetch(url)


def _new(
    form: SamlForm,
    source: MetadataForm,
    *,
    read: Published | None = None,
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    problems = {**source.problems(), **(form.problems() if form.errors else {}), **(problems or {})}
    return render("identity/sso/saml/new.html", status=status, form=form, source=source, read=read, problems=problems)


def page(
    provider: IdentityProvider,
    *,
    form: SamlForm | None = None,
    read: Published | None = None,
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    """Return the page of a SAML provider."""
    here, terms = access(), Terms.of(provider.endpoints)
    peer = Peer(provider.issuer, terms, **service.addresses(provider.id))
    if form is None:
        form = SamlForm(formdata=None, obj=provider, data=forms.kept(terms))
    tested = session.get("sso_tested") or {}
    mine = tested if tested.get("provider") == str(provider.id) else {}
    return render(
        "identity/sso/saml/show.html",
        status=status,
        provider=provider,
        form=form,
        read=read,
        peer=peer,
        tested=mine if "subject" in mine else None,
        refused=explain.explained(mine["refused"], peer) if "refused" in mine else "",
        connected=queries.identity_of(here.tenant_id, provider.id, here.person_id),
        people=queries.count_identities(here.tenant_id, provider.id),
        certificates=[certificates.seen(each) for each in terms.certificates],
        own_certificate=certificates.as_pem(terms.own_certificate),
        problems={**form.problems(), **(problems or {})},
    )


@bp.post("/<uuid:provider_id>/saml")
@requires(Permission.SSO_EDIT)
@confirmed
def save(provider_id: UUID) -> Response:
    here, form = access(), SamlForm()
    provider = _provider(provider_id)
    if not form.validate():
        return page(provider, form=form, status=422)
    terms = Terms(own_certificate=provider.endpoints["own_certificate"], **form.terms())
    try:
        went_off = sso.change_provider(here.tenant_id, provider_id, form.given(), terms.as_json(), secret="", by=here.actor)
    except Invalid as refused:
        return page(provider, form=form, problems=refused.problems, status=422)
    if went_off:
        toast(_("It is another provider now, so it is off. Sign in through it as a test, then switch it on."), "warning")
    else:
        toast(_("The provider is saved."))
    return see_other(url_for("sso_settings.show", provider_id=provider_id))


def look_again(provider: IdentityProvider) -> Response:
    """Read the metadata at its address once more, and show in the form what it says; nothing is kept until somebody saves it."""
    terms = Terms.of(provider.endpoints)
    if not terms.metadata_url:
        return page(provider, problems={"metadata_url": _("Enter the address of the metadata and save it first.")}, status=422)
    try:
        published = metadata.read(_fetched(terms.metadata_url))
    except ProviderFaulty as faulty:
        return page(provider, problems={"metadata_url": faulty.message}, status=422)
    form = SamlForm(formdata=None, obj=provider, data=forms.kept(terms))
    form.take(published)
    return page(provider, form=form, read=published)


def _provider(provider_id: UUID) -> Any:
    provider = queries.get_provider(access().tenant_id, provider_id)
    if provider.kind != "saml":
        raise NotFound
    return provider
