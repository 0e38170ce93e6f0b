"""Versions: what was published, how it differs, who agreed to it, and which runs follow it."""
