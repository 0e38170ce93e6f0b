"""Row-level security: the second wall around a tenant, as the statements a migration runs."""

APP_ROLE = "nasij_app"
SYSTEM_ROLE = "nasij_system"

# After SET LOCAL ends the setting reads back as an empty string, and a bare cast would raise: no tenant must mean zero rows.
TENANT = "NULLIF(current_setting('app.tenant_id', true), '')::uuid"


def wall(table: str, *, system: bool = False) -> list[str]:
    """Return the statements that force row-level security on a tenant table.

    Args:
        table: the table's name.
        system: whether the system role (dispatcher, claims, staff) sees every tenant's rows.
    """
    statements = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant_wall ON {table} TO {APP_ROLE} USING (tenant_id = {TENANT}) WITH CHECK (tenant_id = {TENANT})",
    ]
    if system:
        statements.append(f"CREATE POLICY system_sees_all ON {table} TO {SYSTEM_ROLE} USING (true) WITH CHECK (true)")
    return statements


def grants(table: str, *, app: str = "SELECT, INSERT, UPDATE, DELETE", system: str = "") -> list[str]:
    """Return the grants of a table; never TRUNCATE, REFERENCES or TRIGGER, which pass row-level security by."""
    statements = [f"GRANT {app} ON {table} TO {APP_ROLE}"] if app else []
    if system:
        statements.append(f"GRANT {system} ON {table} TO {SYSTEM_ROLE}")
    return statements
