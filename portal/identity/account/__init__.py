"""What people do about their own account: the password, a lost password, the devices, and proving once more that it is them."""
