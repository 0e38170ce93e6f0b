"""Asking people into an organisation by mail."""
