"""`genoflow buckets apply | check`: what each class of bucket is, and what it should be."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from genoflow.deploy.settings import read_settings
from genoflow.deploy.wiring import aws_client, open_s3

if TYPE_CHECKING:
    from genoflow.deploy.bucket_store import Buckets, Found

EXIT_DIFFERS = 3  # as other commands say that something is to do


@click.group()
def buckets() -> None:
    """Set up the buckets for raw files, work, references, results and delivery; check them."""


@buckets.command()
@click.option("--create-keys", is_flag=True, help="make KMS keys for aliases that there are not")
def apply(create_keys: bool) -> None:
    """Make every bucket as it should be; what is so already, and what others set, is left alone."""
    from genoflow.deploy.buckets import wanted

    with _opened() as store:
        for found in store.apply(wanted(read_settings()), create_keys=create_keys):
            _tell(found)


@buckets.command()
def check() -> int:
    """Compare every bucket with what it should be; exit code 3 where one differs."""
    from genoflow.deploy.buckets import wanted

    with _opened() as store:
        found = list(store.check(wanted(read_settings())))
    for one in found:
        _tell(one)
    return EXIT_DIFFERS if any(one.differs for one in found) else 0


@contextlib.contextmanager
def _opened() -> Iterator[Buckets]:
    from genoflow.deploy.bucket_store import Buckets

    settings = read_settings()
    with (
        contextlib.closing(open_s3(settings)) as client,
        contextlib.closing(aws_client(settings, "kms")) as keys,
    ):
        yield Buckets(client, keys)


def _tell(found: Found) -> None:
    one = found.wanted
    click.echo(f"{one.bucket_class:<12}{one.bucket}  {found.aspect}  {found.says}")
