"""An organisation's own roles, and what every role may do."""
