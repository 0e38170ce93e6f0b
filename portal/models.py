"""Every table, imported once: for migrations and for the tests that read the whole schema."""

from portal.admin import models as admin
from portal.agents import models as agents
from portal.audit import models as audit
from portal.connections import models as connections
from portal.core import outbox
from portal.datatables import models as datatables
from portal.exports import models as exports
from portal.identity import models as identity
from portal.identity.factors import models as factors
from portal.identity.groups import models as groups
from portal.identity.invitations import models as invitations
from portal.identity.registration import models as registration
from portal.identity.scim import models as scim
from portal.identity.sso import models as sso
from portal.identity.support import models as support
from portal.identity.tokens import models as tokens
from portal.lists import models as lists
from portal.mail import models as mail
from portal.notifications import models as notifications
from portal.ops import models as ops
from portal.tenants import models as tenants
from portal.webhooks import models as webhooks
from portal.workflows import models as workflows
from portal.workflows.calendars import models as calendars
from portal.workflows.engine import models as engine
from portal.workflows.gallery import models as samples
from portal.workflows.history import models as history
from portal.workflows.home import models as home
from portal.workflows.tasks import models as tasks
from portal.workflows.triggers import models as triggers
from portal.workflows.versions import models as versions

__all__ = [
    "admin",
    "agents",
    "audit",
    "calendars",
    "connections",
    "datatables",
    "engine",
    "exports",
    "factors",
    "groups",
    "history",
    "home",
    "identity",
    "invitations",
    "lists",
    "mail",
    "notifications",
    "ops",
    "outbox",
    "registration",
    "samples",
    "scim",
    "sso",
    "support",
    "tasks",
    "tenants",
    "tokens",
    "triggers",
    "versions",
    "webhooks",
    "workflows",
]
