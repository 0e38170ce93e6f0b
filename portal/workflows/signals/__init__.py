"""Signals: what is told by name and key to runs that wait, now or later; and the addresses to which other systems answer a step."""
