"""Data tables: a tenant's own tables, which the database step reads and writes."""
