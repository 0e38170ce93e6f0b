"""Which built-in role may do what; everything that is not named here is refused. An organisation's own roles are rows of `roles`. Pure."""

from __future__ import annotations

from collections.abc import Collection

from portal.core.access import Permission

READ = frozenset(
    {
        Permission.WORKFLOW_READ,
        Permission.RUN_READ,
        Permission.FILE_READ,
        Permission.TABLE_READ,
        Permission.NOTIFICATION_READ,
        Permission.MEMBER_READ,
        Permission.TASK_READ,
    }
)
MEMBER = READ | {Permission.RUN_START, Permission.TASK_DECIDE, Permission.TOKEN_CREATE}
BUILDER = MEMBER | {
    Permission.WORKFLOW_EDIT,
    Permission.WORKFLOW_PUBLISH,
    Permission.RUN_OPERATE,
    Permission.TABLE_EDIT,
    Permission.LIST_SHARE,
    Permission.TASK_MANAGE,
    Permission.SIGNAL_SEND,
    Permission.CALENDAR_EDIT,
    Permission.CONNECTION_READ,
    Permission.CONNECTION_USE,
}

# What an organisation is run with. Whoever holds one of these is held to the rules of security of an admin.
RUNS_ORGANISATION = frozenset(
    {
        Permission.MEMBER_EDIT,
        Permission.ROLE_EDIT,
        Permission.TENANT_EDIT,
        Permission.SECURITY_EDIT,
        Permission.SSO_EDIT,
        Permission.SUPPORT_GRANT,
        Permission.TOKEN_MANAGE,
        Permission.CONNECTION_MANAGE,
        Permission.RETENTION_EDIT,
        Permission.HOLD_MANAGE,
    }
)
ADMIN = BUILDER | {Permission.THEME_EDIT, Permission.GROUP_EDIT} | RUNS_ORGANISATION

PERMISSIONS: dict[str, frozenset[str]] = {
    "owner": frozenset(str(p) for p in ADMIN),
    "admin": frozenset(str(p) for p in ADMIN),
    "builder": frozenset(str(p) for p in BUILDER),
    "member": frozenset(str(p) for p in MEMBER),
    "auditor": frozenset(str(p) for p in READ),
}

# Of the house, whose members are its staff: they read their bell. What else they may is no permission of a tenant (`access.staff_only`).
STAFF = frozenset({str(Permission.NOTIFICATION_READ)})

BUILT_IN = tuple(PERMISSIONS)
CUSTOM = "custom"  # the role of a membership whose permissions stand in a row of `roles`


def permissions_of(role: str | None, own: Collection[str] | None) -> frozenset[str]:
    """Return what a role may do; nothing for an unknown one.

    Args:
        own: the permissions of the organisation's own role, where `role` is "custom"; those that no longer exist are left out.
    """
    if role == CUSTOM:
        return frozenset(own or ()) & frozenset(str(each) for each in Permission)
    return STAFF if role == "staff" else PERMISSIONS.get(role or "", frozenset())


def weight(role: str, permissions: Collection[str]) -> str:
    """Return the built-in role whose rules of security hold for somebody: a role of one's own that runs the organisation weighs as admin."""
    if role != CUSTOM:
        return role
    return "admin" if any(str(each) in permissions for each in RUNS_ORGANISATION) else "member"


def may_give(giver: str, held: Collection[str], role: str, permissions: Collection[str]) -> bool:
    """Say whether somebody may give a role, or take it from who has it: nobody reaches above themselves, and only owners touch owners.

    Args:
        giver, held: role and permissions of who gives.
        role, permissions: what is given.
    """
    return (role != "owner" or giver == "owner") and set(permissions) <= set(held)
