"""Groups: named sets of the members of an organisation."""
