"""Outgoing webhooks of a tenant; only their configuration table stands yet."""
