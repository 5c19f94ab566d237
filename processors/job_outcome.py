"""What a job leaves at `effects/<id>/outcome`: one format, whichever launcher ran it."""

from __future__ import annotations

from pydantic import Field, ValidationError

from genoflow.events.errors import Parked
from genoflow.events.types import Part

OUTPUT_BYTES_MAX = 1024 * 1024  # a manifest of 5,000 files at 200 bytes; results are own objects
ERROR_TAIL_BYTES_MAX = 8 * 1024  # the last hundred lines: the complaint, not the log


class JobOutcome(Part):
    """How a program ended and what it said; whether that is a success, its row's `collect` says."""

    exit_code: int = Field(description="of the program; minus the signal's number where one did it")
    output: str = Field("", description="its standard output as UTF-8, up to 1 MiB")
    output_size_bytes: int = Field(0, description="how much it was; more than 1 MiB was cut off")
    error_tail: str = Field("", description="the end of its standard error, up to 8 KiB")

    def to_bytes(self) -> bytes:
        """The outcome as the object holds it: one JSON document."""
        return self.model_dump_json().encode()


def outcome_key(effect_id: object) -> str:
    """Where the outcome of this effect's job stands in the bucket of outcomes."""
    return f"effects/{effect_id}/outcome"


def read_outcome(body: bytes) -> JobOutcome:
    """The outcome that an object holds; Parked where it is none."""
    try:
        return JobOutcome.model_validate_json(body)
    except ValidationError as error:
        raise Parked(
            f"the outcome of a job is not what a launcher writes ({error.errors()[0]['msg']}); see "
            f"who else writes below effects/, remove the object, then requeue the effect"
        ) from error
