"""Every table, imported once: for migrations and for the tests that read the whole schema."""

from portal.admin import models as admin
from portal.agents import models as agents
from portal.audit import models as audit
from portal.core import outbox
from portal.datatables import models as datatables
from portal.exports import models as exports
from portal.identity import models as identity
from portal.lists import models as lists
from portal.notifications import models as notifications
from portal.ops import models as ops
from portal.tenants import models as tenants
from portal.webhooks import models as webhooks
from portal.workflows import models as workflows

__all__ = [
    "admin",
    "agents",
    "audit",
    "datatables",
    "exports",
    "identity",
    "lists",
    "notifications",
    "ops",
    "outbox",
    "tenants",
    "webhooks",
    "workflows",
]
