"""The members of an organisation: who they are, their roles, and how they leave."""
