"""`genoflow batch print | apply | check`: what stands at AWS Batch for jobs of this deployment."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import aws_client

if TYPE_CHECKING:
    from genoflow.deploy.batch_stack import BatchStack, Found

EXIT_DIFFERS = 3  # as other commands say that something is to do
DOCUMENT = click.argument(
    "document", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE"
)


@click.group()
def batch() -> None:
    """Set up compute environments, queues and the job definition at AWS Batch; check them."""


@batch.command("print")
def print_document() -> None:
    """Print the document that comes with the package; fill in what stands in <…>."""
    from genoflow.deploy.batch_stack import shipped

    click.echo(shipped(), nl=False)


@batch.command()
@DOCUMENT
def apply(document: Path) -> None:
    """Make everything as the document says; what is so already is left alone."""
    from genoflow.deploy.batch_stack import read_document

    wanted = read_document(document)
    with _opened() as stack:
        for found in stack.apply(wanted):
            _tell(found)


@batch.command()
@DOCUMENT
def check(document: Path) -> int:
    """Compare everything with the document; exit code 3 where it differs."""
    from genoflow.deploy.batch_stack import read_document

    wanted = read_document(document)
    with _opened() as stack:
        found = list(stack.check(wanted))
    for one in found:
        _tell(one)
    return EXIT_DIFFERS if any(one.differs for one in found) else 0


@contextlib.contextmanager
def _opened() -> Iterator[BatchStack]:
    from genoflow.deploy.batch_stack import BatchStack

    with contextlib.closing(aws_client(read_settings(), "batch")) as client:
        yield BatchStack(client)


def _tell(found: Found) -> None:
    click.echo(f"{found.kind:<21}{found.name}  {found.says}")
