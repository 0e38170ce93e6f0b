"""API tokens of people, and API clients with their refresh tokens: how programs come in without a browser."""
