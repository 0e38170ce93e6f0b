"""Nasij: design workflows, run them for real, see what happened."""
