"""Tenants and their themes."""
