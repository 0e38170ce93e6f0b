"""Pages of the settings: providers, their tests, and the domains of an organisation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, session, url_for

from portal.core import db
from portal.core.access import Permission, access, confirmed, requires
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.render import render, see_other, toast
from portal.i18n.words import gettext as _
from portal.identity.sso import domains, keys, oidc, queries, service
from portal.identity.sso.errors import ProviderFaulty
from portal.identity.sso.forms import ProviderForm
from portal.identity.sso.saml import settings as saml
from portal.identity.sso.views import TEST, callback_of, go, logout_of

bp = Blueprint("sso_settings", __name__, url_prefix="/settings/sso")


@bp.get("")
@requires(Permission.SSO_EDIT)
def listing() -> Response:
    return _list()


def _list(*, typed: str = "", problems: dict[str, str] | None = None, status: int = 200) -> Response:
    here = access()
    return render(
        "identity/sso/list.html",
        status=status,
        providers=queries.list_providers(here.tenant_id),
        domains=queries.list_domains(here.tenant_id),
        record_name=domains.record_name,
        record_text=domains.record_text,
        typed=typed,
        problems=problems or {},
    )


@bp.get("/new")
@requires(Permission.SSO_EDIT)
@confirmed
def new() -> Response:
    return _form(ProviderForm(data={"admits_newcomers": True, "allows_passwords": True, "default_role": "member"}))


@bp.post("/new")
@requires(Permission.SSO_EDIT)
@confirmed
def create() -> Response:
    here, form = access(), ProviderForm()
    found = _discovered(form)
    if found is None or request.form.get("check"):
        return _form(form, found=found, status=200 if found else 422)
    try:
        provider_id = service.add_provider(
            here.tenant_id, form.given(), found["endpoints"], kind="oidc", secret=form.client_secret.data or "", by=here.actor
        )
    except Invalid as refused:
        return _form(form, problems=refused.problems, status=422)
    toast(_("The provider is there, but still off. Sign in through it as a test."))
    return see_other(url_for("sso_settings.show", provider_id=provider_id))


def _discovered(form: ProviderForm) -> dict[str, Any] | None:
    """Ask the issuer of a form what it offers; None when the form or the issuer is not right, and the form then says why."""
    if not form.validate():
        return None
    try:
        return _look(form.issuer.data or "")
    except ProviderFaulty as faulty:
        form.issuer.errors = [faulty.message]
        return None


def _look(issuer: str) -> dict[str, Any]:
    with db.transaction():
        pass  # ends the transaction of the reads before: a slow provider must not hold a connection
    discovery = oidc.discover(issuer)
    return {"endpoints": discovery.as_json(), "key_count": keys.count(discovery.jwks_uri)}


def _form(
    form: ProviderForm, *, found: dict[str, Any] | None = None, problems: dict[str, str] | None = None, status: int = 200
) -> Response:
    return render("identity/sso/new.html", status=status, form=form, found=found, problems={**form.problems(), **(problems or {})})


@bp.get("/<uuid:provider_id>")
@requires(Permission.SSO_EDIT)
@confirmed
def show(provider_id: UUID) -> Response:
    return _show(provider_id)


def _show(
    provider_id: UUID,
    *,
    form: ProviderForm | None = None,
    found: dict[str, Any] | None = None,
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    here = access()
    provider = queries.get_provider(here.tenant_id, provider_id)
    if provider.kind == "saml":
        return saml.page(provider)
    if form is None:
        form = ProviderForm(formdata=None, obj=provider)
    tested = session.get("sso_tested") or {}
    return render(
        "identity/sso/show.html",
        status=status,
        provider=provider,
        form=form,
        found=found,
        tested=tested if tested.get("provider") == str(provider_id) else None,
        connected=queries.identity_of(here.tenant_id, provider_id, here.person_id),
        people=queries.count_identities(here.tenant_id, provider_id),
        callback=callback_of(provider_id),
        logout=logout_of(provider_id),
        problems={**form.problems(), **(problems or {})},
    )


@bp.post("/<uuid:provider_id>")
@requires(Permission.SSO_EDIT)
@confirmed
def save(provider_id: UUID) -> Response:
    here = access()
    if queries.get_provider(here.tenant_id, provider_id).kind != "oidc":
        raise NotFound
    form = ProviderForm()
    found = _discovered(form)
    if found is None:
        return _show(provider_id, form=form, status=422)
    try:
        went_off = service.change_provider(
            here.tenant_id, provider_id, form.given(), found["endpoints"], secret=form.client_secret.data or "", by=here.actor
        )
    except Invalid as refused:
        return _show(provider_id, form=form, problems=refused.problems, status=422)
    if went_off:
        toast(_("It is another provider now, so it is off. Sign in through it as a test, then switch it on."), "warning")
    else:
        toast(_("The provider is saved."))
    return see_other(url_for("sso_settings.show", provider_id=provider_id))


@bp.post("/<uuid:provider_id>/check")
@requires(Permission.SSO_EDIT)
@confirmed
def check(provider_id: UUID) -> Response:
    here = access()
    provider = queries.get_provider(here.tenant_id, provider_id)
    if provider.kind == "saml":
        return saml.look_again(provider)
    try:
        found = _look(provider.issuer)
    except ProviderFaulty as faulty:
        return _show(provider_id, problems={"issuer": faulty.message}, status=422)
    service.refresh_provider(here.tenant_id, provider_id, found["endpoints"], by=here.actor)
    return _show(provider_id, found=found)


@bp.get("/<uuid:provider_id>/test")
@requires(Permission.SSO_EDIT)
@confirmed
def test(provider_id: UUID) -> Response:
    queries.get_provider(access().tenant_id, provider_id)
    return go(service.find_provider(provider_id), next_="/", purpose=TEST)


@bp.post("/<uuid:provider_id>/connect")
@requires(Permission.SSO_EDIT)
@confirmed
def connect(provider_id: UUID) -> Response:
    here = access()
    queries.get_provider(here.tenant_id, provider_id)
    tested = session.pop("sso_tested", None)
    if not tested or tested["provider"] != str(provider_id) or "subject" not in tested:
        raise NotFound
    try:
        service.connect(
            here.tenant_id,
            provider_id,
            person_id=here.person_id,
            issuer=tested["issuer"],
            subject=tested["subject"],
            email=tested["email"],
            by=here.actor,
        )
    except Conflict as refused:
        toast(refused.message, "warning")
    else:
        toast(_("Your account here and the one there are connected."))
    return see_other(url_for("sso_settings.show", provider_id=provider_id))


@bp.post("/<uuid:provider_id>/enable")
@requires(Permission.SSO_EDIT)
@confirmed
def enable(provider_id: UUID) -> Response:
    here = access()
    try:
        service.enable_provider(here.tenant_id, provider_id, by=here.actor)
    except Conflict as refused:
        toast(refused.message, "warning")
    else:
        toast(_("People can come in through this provider now."))
    return see_other(url_for("sso_settings.show", provider_id=provider_id))


@bp.post("/<uuid:provider_id>/disable")
@requires(Permission.SSO_EDIT)
@confirmed
def disable(provider_id: UUID) -> Response:
    here = access()
    service.disable_provider(here.tenant_id, provider_id, by=here.actor)
    toast(_("Nobody comes in through this provider any more."))
    return see_other(url_for("sso_settings.show", provider_id=provider_id))


@bp.post("/<uuid:provider_id>/delete")
@requires(Permission.SSO_EDIT)
@confirmed
def delete(provider_id: UUID) -> Response:
    here = access()
    service.delete_provider(here.tenant_id, provider_id, by=here.actor)
    toast(_("The provider is deleted."))
    return see_other(url_for("sso_settings.listing"))


@bp.post("/domains")
@requires(Permission.SSO_EDIT)
@confirmed
def add_domain() -> Response:
    here, typed = access(), request.form.get("domain", "").strip()[:300]
    try:
        service.add_domain(here.tenant_id, typed, by=here.actor)
    except Invalid as refused:
        return _list(typed=typed, problems=refused.problems, status=422)
    toast(_("Now add the record below to the DNS of the domain."))
    return see_other(url_for("sso_settings.listing", _anchor="domains"))


@bp.post("/domains/<uuid:domain_id>/check")
@requires(Permission.SSO_EDIT)
def check_domain(domain_id: UUID) -> Response:
    here = access()
    seen = service.check_domain(here.tenant_id, domain_id, by=here.actor)
    if seen is domains.Seen.THERE:
        toast(_("The domain is proven."))
    elif seen is domains.Seen.MISSING:
        toast(_("The record is not there yet. A new one may take an hour to be seen."), "warning")
    else:
        toast(_("The DNS did not answer. Try again in a minute."), "warning")
    return see_other(url_for("sso_settings.listing", _anchor="domains"))


@bp.post("/domains/<uuid:domain_id>/delete")
@requires(Permission.SSO_EDIT)
@confirmed
def delete_domain(domain_id: UUID) -> Response:
    here = access()
    service.delete_domain(here.tenant_id, domain_id, by=here.actor)
    toast(_("The domain is deleted."))
    return see_other(url_for("sso_settings.listing", _anchor="domains"))
