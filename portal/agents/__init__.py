"""The registry of AI agents; only its table stands yet."""
