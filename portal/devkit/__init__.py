"""Embedded servers, mail catcher, echo and demo data: for `make run` and the tests, never in production."""
