"""Workflows as files: our own format there and back, and what n8n writes."""
