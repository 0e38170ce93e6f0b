"""A person's organisations and the choice between them; the names, zone and end of one."""
