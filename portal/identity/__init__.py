"""People, members, roles, sessions and passwords."""
