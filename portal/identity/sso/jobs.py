"""Job entry points of single sign-on."""

from __future__ import annotations

from uuid import UUID

from portal.core.access import SYSTEM
from portal.core.errors import NotFound
from portal.core.jobs import job
from portal.identity.sso import service


@job("identity.check_domain", queue="bulk", timeout_s=30)
def check_domain(tenant_id: str, domain_id: str) -> None:
    """Look whether the DNS still says that a domain is the organisation's; one that was deleted is left alone."""
    try:
        service.check_domain(UUID(tenant_id), UUID(domain_id), by=SYSTEM)
    except NotFound:
        return
