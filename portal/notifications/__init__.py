"""The bell: notices for people of a tenant."""
