"""Single sign-on: the identity providers of an organisation, its proven domains, and who comes in through them."""
