"""`genoflow schemas`: release, check, compare and describe the editions of every event."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from genoflow.events.schema_release import Difference


@click.group()
def schemas() -> None:
    """The contract with other systems: one released schema for each version of each event."""


@schemas.command()
def export() -> None:
    """Release what the models say and no schema holds yet; a changed release is refused."""
    from genoflow.events.catalogue import EVENTS
    from genoflow.events.registry import file_name
    from genoflow.events.schema_release import export as release
    from genoflow.events.upcasters import UPCASTERS

    checkout = _checkout()
    if checkout is None:
        raise click.UsageError("this is no checkout; schemas are released where they are committed")
    added = release(checkout / "schemas", EVENTS, UPCASTERS)
    for edition in added:
        click.echo(f"{edition.id:>5}  {file_name(edition.type, edition.version)}")
    click.echo(f"{len(added)} released" if added else "nothing to release")


@schemas.command()
def check() -> None:
    """Check every released edition against the lock, its neighbours and the models."""
    from genoflow.events.catalogue import EVENTS
    from genoflow.events.schema_release import check as problems_of
    from genoflow.events.schema_release import read_release, schemas_directory
    from genoflow.events.upcasters import UPCASTERS

    directory = schemas_directory()
    problems = problems_of(directory, EVENTS, UPCASTERS)
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise click.exceptions.Exit(1)
    click.echo(f"{len(read_release(directory))} editions of {len(EVENTS)} types: all in order")


@schemas.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
def diff(as_json: bool) -> None:
    """Show what lies between each model and its newest release."""
    from genoflow.events.catalogue import EVENTS
    from genoflow.events.schema_release import differences, read_release, schemas_directory

    found = differences(EVENTS, read_release(schemas_directory()))
    if as_json:
        click.echo(json.dumps([_row(difference) for difference in found], indent=2))
        return
    changed = [difference for difference in found if difference.verdict != "none"]
    for difference in changed:
        released = f"v{difference.released}" if difference.released else "never released"
        click.echo(
            f"{difference.type}: {released}, the model says v{difference.version}: "
            f"{difference.verdict}"
        )
        for change in difference.changes:
            click.echo(f"  {change.sentence()}")
    if not changed:
        click.echo(f"{len(found)} types: every model is as it was released")


def _row(difference: Difference) -> dict[str, object]:
    return {
        "type": difference.type,
        "released": difference.released,
        "version": difference.version,
        "verdict": str(difference.verdict),
        "changes": [
            {"path": c.path, "kind": c.kind, "before": c.before, "after": c.after}
            for c in difference.changes
        ],
    }


@schemas.command()
@click.option("--check", "only_check", is_flag=True, help="Write nothing; fail if one is stale.")
@click.option(
    "--to",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write; the docs folder of the checkout if not given.",
)
def catalog(only_check: bool, directory: Path | None) -> None:
    """Write docs/events.md and docs/asyncapi.json from the models."""
    directory = directory or _docs_directory()
    stale = []
    for name, text in _pages().items():
        path = directory / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if only_check:
            stale.append(f"{name}: is not what the models say; run `genoflow schemas catalog`")
            continue
        directory.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        click.echo(f"{name}: written")
    for problem in stale:
        click.echo(problem, err=True)
    if stale:
        raise click.exceptions.Exit(1)


def _pages() -> dict[str, str]:
    from genoflow.deploy.asyncapi import document_of, text_of_document
    from genoflow.deploy.event_page import page_of
    from genoflow.events.catalogue import EVENTS

    return {
        "events.md": page_of(EVENTS),
        "asyncapi.json": text_of_document(document_of(EVENTS, version("genoflow"))),
    }


def _docs_directory() -> Path:
    checkout = _checkout()
    if checkout is None:
        raise click.UsageError(
            "this is no checkout, so there is no docs folder; name one with --to"
        )
    return checkout / "docs"


def _checkout() -> Path | None:
    from genoflow.events.schema_release import schemas_directory

    root = schemas_directory().parent
    return root if (root / "pyproject.toml").exists() else None
