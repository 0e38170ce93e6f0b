"""The public HTTP interface for programs: a contract that may stand still while pages move."""
