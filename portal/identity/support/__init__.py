"""Support by consent: a tenant lets staff look for at most a day, sees them do it, and can end it at once."""
