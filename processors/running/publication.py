"""What is published of a run: the same words whether checks passed or a person released it."""

from __future__ import annotations

import zlib
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from genoflow.events.result_file import ResultFile
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_published import ResultsPublished
from genoflow.events.run_requested import RunRequested
from genoflow.events.types import Part
from genoflow.processors.processor import State

FILES: TypeAdapter[tuple[ResultFile, ...]] = TypeAdapter(tuple[ResultFile, ...])


class Answered(Part):
    """Which order a run answers, and by what."""

    case_id: str
    case_revision: int
    sample_ids: tuple[str, ...]
    pipeline: str
    pipeline_version: str
    reference: str
    supersedes_run_id: UUID | None = None


class Left(State):
    """What it left; packed, since a state has room for 1,000,000 bytes.

    ROWS_MAX = 4,000 files of 360 bytes would be 1.4 MB, and packed they take less than half of it.
    """

    packed: bytes
    manifest_sha256: str

    @property
    def files(self) -> tuple[ResultFile, ...]:
        """Every file, as it was collected."""
        return FILES.validate_json(zlib.decompress(self.packed))


def answered(event: RunRequested) -> Answered:
    """What a request says of the answer."""
    same = {name: getattr(event, name) for name in Answered.model_fields if name != "sample_ids"}
    return Answered(**same, sample_ids=tuple(one.sample_id for one in event.members))


def left(event: ResultsCollected | ResultsPublished) -> Left:
    """What was collected, or published."""
    packed = zlib.compress(FILES.dump_json(event.files))
    return Left(packed=packed, manifest_sha256=event.manifest_sha256)


def publication(run_id: UUID, order: Answered, files: Left, **release: Any) -> ResultsPublished:
    """The answer; `release` says which hold a person released, why and in which role."""
    digest = files.manifest_sha256
    return ResultsPublished(
        run_id=run_id, **dict(order), files=files.files, manifest_sha256=digest, **release
    )
