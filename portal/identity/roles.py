"""Which role may do what; everything that is not named here is refused."""

from portal.core.access import Permission

READ = frozenset({Permission.WORKFLOW_READ, Permission.RUN_READ, Permission.TABLE_READ, Permission.NOTIFICATION_READ})
MEMBER = READ | {Permission.RUN_START}
BUILDER = MEMBER | {
    Permission.WORKFLOW_EDIT,
    Permission.WORKFLOW_PUBLISH,
    Permission.RUN_OPERATE,
    Permission.TABLE_EDIT,
    Permission.LIST_SHARE,
}

ADMIN = BUILDER | {Permission.THEME_EDIT}

PERMISSIONS: dict[str, frozenset[str]] = {
    "owner": frozenset(str(p) for p in ADMIN),
    "admin": frozenset(str(p) for p in ADMIN),
    "builder": frozenset(str(p) for p in BUILDER),
    "member": frozenset(str(p) for p in MEMBER),
    "auditor": frozenset(str(p) for p in READ),
}
