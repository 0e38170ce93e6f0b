"""Connections: how other systems are reached, with secrets that are sealed, bound to their servers, and shown to nobody."""
