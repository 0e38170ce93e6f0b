"""Screens for staff of the house, and the list of who they are."""
