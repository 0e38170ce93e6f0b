"""The append-only book of who did what."""
