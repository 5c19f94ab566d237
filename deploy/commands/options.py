"""What several commands ask a person in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

import click

METADATA_CHARACTERS_MAX = 100_000  # 100 values of 500 characters, with names and quotes

AS = click.option("--as", "person", help="who decides; the account that runs this otherwise")
DRY_RUN = click.option("--dry-run", is_flag=True, help="check everything, append nothing")
METADATA = click.option(
    "--metadata", "metadata_file", type=click.File("r", encoding="utf-8"),
    help="all metadata of the sample, one JSON object",
)  # fmt: skip
RUN = click.option("--run", "instrument_run_id", help="of an instrument, which read the files")
REASON = click.option("--reason", required=True, help="why, for whoever asks later")
REQUEST_ID = click.option("--request-id", help="of the decision: repeated, it is the same one")


def given_metadata(file: TextIO) -> Mapping[str, object]:
    """The metadata in a file; Refused where it holds no JSON object."""
    from genoflow.deploy.metadata_schemas import parsed

    return parsed(file.read(METADATA_CHARACTERS_MAX + 1), METADATA_CHARACTERS_MAX)
