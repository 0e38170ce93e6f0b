"""Which role may do what; everything that is not named here is refused."""

from portal.core.access import Permission as P

READ = frozenset({P.WORKFLOW_READ, P.RUN_READ, P.TABLE_READ, P.NOTIFICATION_READ})
MEMBER = READ | {P.RUN_START}
BUILDER = MEMBER | {P.WORKFLOW_EDIT, P.WORKFLOW_PUBLISH, P.RUN_OPERATE, P.TABLE_EDIT}

PERMISSIONS: dict[str, frozenset[str]] = {
    "owner": frozenset(str(p) for p in BUILDER),
    "admin": frozenset(str(p) for p in BUILDER),
    "builder": frozenset(str(p) for p in BUILDER),
    "member": frozenset(str(p) for p in MEMBER),
    "auditor": frozenset(str(p) for p in READ),
}
