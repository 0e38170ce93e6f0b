"""The `portal` command: check, migrate, seed, user, strings."""

from __future__ import annotations

import json
import sys

import click
from flask import Flask

from portal.core.config import Settings, current_settings, findings, read_settings


@click.group()
def main() -> None:
    """Nasij: run `portal COMMAND --help` for each."""


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def check(as_json: bool) -> None:
    """Say of each variable whether it is ok for production, or what to do. Exit 0 when all are, else 1."""
    found = findings(read_settings())
    if as_json:
        click.echo(json.dumps({each.variable: each.advice or "ok" for each in found}, indent=2))
    else:
        for each in found:
            click.echo(f"{each.variable}: {each.advice or 'ok'}")
    sys.exit(0 if all(each.ok for each in found) else 1)


@main.command()
def migrate() -> None:
    """Bring the database to the newest schema; safe to repeat."""
    from portal.core import schema

    schema.migrate(_app())
    click.echo("The database has the newest schema.")


@main.command()
def reseal() -> None:
    """Seal the secrets of connections with the first key of ENCRYPTION_KEYS; 0 means that the older keys may leave the ring."""
    from portal.connections import service

    with _app().app_context():
        click.echo(f"{service.reseal()} connections were sealed anew.")


@main.command("verify-history")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--head", "expected", default=None, help="The hash of the last event as you noted it: notices a chain that was written anew.")
def verify_history(file: str, expected: str | None) -> None:
    """Check the exported history of a run, without a database. Exit 0 when it holds, else 1 with the first wrong event."""
    from portal.workflows.history import verify

    sys.exit(verify.main([file, *([expected] if expected else [])]))


@main.command()
@click.option("--to", "target", type=click.Path(), default=None, help="Also write the demo sign-ins to this file.")
def seed(target: str | None) -> None:
    """Add the demo organisation, its people and its workflows; safe to repeat."""
    from portal.devkit import demo

    with _app().app_context():
        people = demo.seed()
    if target:
        with open(target, "w", encoding="utf-8") as file:
            json.dump(people, file, ensure_ascii=False, indent=2)
    click.echo(f"The demo has {len(people)} people.")


@main.command()
@click.option("--check", "only_check", is_flag=True, help="Change nothing; fail when a catalogue is stale or incomplete.")
@click.option("--pseudo", is_flag=True, help="Write the pseudo-locales en-XA and ar-XB; a browser asks for one with the cookie `pseudo`.")
def strings(only_check: bool, pseudo: bool) -> None:
    """Collect the strings of code and templates into the catalogues."""
    from portal.i18n import cli
    from portal.i18n import pseudo as pseudo_locales

    if pseudo:
        pseudo_locales.write()
    sys.exit(cli.run(check=only_check))


def _app() -> Flask:
    from portal.app import create_app

    return create_app(_settings())


def _settings() -> Settings:
    return current_settings()


if __name__ == "__main__":
    main()
