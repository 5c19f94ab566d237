"""What the program is told and what it leaves: the same words for every adapter."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.demultiplexed_library import DemultiplexedLibrary
from genoflow.events.types import (
    ROWS_MAX,
    Choices,
    Count,
    FileRole,
    Fraction,
    Name,
    Part,
    Reason,
    Seconds,
)
from genoflow.events.unknown_barcode import UnknownBarcode
from genoflow.processors.decision import Arguments

UNKNOWN_BARCODES_MAX = 100  # the most frequent: a plate in the wrong orientation shows as 96
TAIL_CHARACTERS_MAX = 2_000  # of what a program complained: as much as the event holds

REASON_CODES = ("tool failed", "output missing", "input missing", "out of memory", "out of time")


class Request(Arguments):
    """What was asked for, and where the list of the run's files is."""

    requested: DemultiplexRequested
    manifest_key: str | None = None  # none where no mirror of this checksum is known


class Completed(Part):
    """Every file is in the store, and this is what they hold."""

    tool: Name
    tool_version: Name
    libraries: tuple[DemultiplexedLibrary, ...] = Field(min_length=1, max_length=ROWS_MAX)
    expected_roles: tuple[FileRole, ...] = Field(min_length=1, max_length=8)
    reads_total: Count
    reads_undetermined: Count
    undetermined_fraction: Fraction
    unknown_barcodes: tuple[UnknownBarcode, ...] = Field((), max_length=UNKNOWN_BARCODES_MAX)
    i5_looks_reversed: bool = False
    duration_seconds: Seconds | None = None


class Failed(Part):
    """It could not be done, and this is known of it."""

    reason_code: Annotated[str, Choices(*REASON_CODES)]
    reason: Reason
    tool_version: Name | None = None
    exit_code: int | None = Field(None, ge=0, le=255)
    error_tail: str = Field("", max_length=TAIL_CHARACTERS_MAX)


class Manifest(Part):
    """One of the two."""

    completed: Completed | None = None
    failed: Failed | None = None


def tail_of(text: str) -> str:
    """The end of what a program complained, as an event may hold it."""
    return text.replace("\x00", "")[-TAIL_CHARACTERS_MAX:]
