"""SCIM 2.0: the directory of an organisation says who is a member, in which role, and who is one no more."""
