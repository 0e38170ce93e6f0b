"""The frame around every page: search and actions from anywhere, and the list of keys."""
