"""What the palette finds of identity: the other language, the other organisations, the way out."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for

from portal.core.access import access
from portal.core.palette import Entry, Kind, entry
from portal.i18n import locale as i18n
from portal.i18n.locale import bilingual
from portal.i18n.words import gettext as _
from portal.i18n.words import lazy_gettext as _l
from portal.identity import queries


def find(_text: str) -> Iterable[Entry]:
    """Give the actions of the signed-in person."""
    here = access()
    other = i18n.current().other
    yield Entry(
        Kind.ACTION,
        _("Switch to %(language)s", language=other.name),
        "languages",
        url_for("identity.switch_locale"),
        words=("language", "لغة", *(each.name for each in i18n.LOCALES.values())),
        is_post=True,
        name="locale",
        value=other.tag,
        presses="[data-lang-switch] button",
    )
    for tenant in queries.tenants_of(here.person_id):
        if tenant.id != here.tenant_id:
            yield Entry(
                Kind.ACTION,
                _("Go to %(organisation)s", organisation=bilingual(tenant)),
                "building-2",
                url_for("identity.switch_tenant"),
                words=(tenant.name, tenant.name_ar or "", *entry(Kind.ACTION, _l("Organisation"), "").words),
                is_post=True,
                name="tenant",
                value=str(tenant.id),
            )
    yield entry(Kind.ACTION, _l("Sign out"), "log-out", url_for("identity.sign_out"), also=_l("Log out"), is_post=True)
