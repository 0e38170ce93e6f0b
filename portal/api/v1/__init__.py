"""Version 1 of the interface, one file a resource."""
