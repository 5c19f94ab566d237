"""The effect that streams a file of alignments once, for depth and breadth over its targets."""

from __future__ import annotations

import time
from collections.abc import Sequence

from genoflow.events.errors import Parked, Refused
from genoflow.events.event import Event
from genoflow.events.measurement import Measurement
from genoflow.events.metric_names import READS_UNITS
from genoflow.events.stored_version import name_of
from genoflow.events.target_coverage_measured import TargetCoverageMeasured
from genoflow.events.target_coverage_not_measured import TargetCoverageNotMeasured
from genoflow.events.types import TEXT_CHARACTERS_MAX
from genoflow.processors.alignments import BRINGS, TARGETS
from genoflow.processors.decision import Arguments
from genoflow.processors.foreign_reads import NotTold, Source, path_of
from genoflow.processors.ports import ByteAttempt
from genoflow.processors.published import fetch_published
from genoflow.processors.validation.engine import PythonEngine
from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.sam.coverage import ELSEWHERE
from genoflow.processors.validation.scratch import scratch
from genoflow.processors.validation.targets import Target, read_targets

PIECE_BYTES = 4 * 1024**2  # as validation takes them
BED_BYTES_MAX = 256 * 1024**2  # 500,000 regions with long names are 100 MB
ENGINE = PythonEngine.name


class CoverTargets(Arguments):
    """Which file is read, and over which regions its depth is told."""

    sample_id: str
    round: int
    target_set: str
    target_set_version: str
    uri: str
    sha256: str
    file: Source | None = None  # none where it is known before that it cannot be read


def cover_unknown(asked: CoverTargets, code: str, reason: str) -> Event:
    """That depth over the targets cannot be told, and why."""
    return TargetCoverageNotMeasured(
        sample_id=asked.sample_id,
        round=asked.round,
        target_set=asked.target_set,
        target_set_version=asked.target_set_version,
        reason_code=code,
        reason=reason[:TEXT_CHARACTERS_MAX],
        engine=ENGINE,
        engine_version=PythonEngine.version,
    )


def cover_gave_up(asked: CoverTargets, reason: str) -> Sequence[Event]:
    """The store, the memory or the time was wanting for as long as a worker tries."""
    return [cover_unknown(asked, "gave up", f"{reason}; the round goes on without the depth")]


def cover_targets(asked: CoverTargets, attempt: ByteAttempt) -> Sequence[Event]:
    """Read the file as validation does, with its targets, and say how deep its reads lie there."""
    begun_at = time.monotonic()
    try:
        measurements = _measured(asked, _targets(asked, attempt), attempt)
    except NotTold as error:
        return [cover_unknown(asked, error.reason_code, str(error))]
    return [
        TargetCoverageMeasured(
            sample_id=asked.sample_id,
            round=asked.round,
            target_set=asked.target_set,
            target_set_version=asked.target_set_version,
            targets_sha256=asked.sha256,
            measurements=measurements,
            engine=ENGINE,
            engine_version=PythonEngine.version,
            duration_seconds=time.monotonic() - begun_at,
        )
    ]


def _targets(asked: CoverTargets, attempt: ByteAttempt) -> tuple[Target, ...]:
    with scratch() as file:
        try:
            fetch_published(attempt.store, asked.uri, asked.sha256, file, BED_BYTES_MAX)
            return read_targets(path_of(file))
        except (Refused, Parked) as error:
            said = str(error).replace(str(path_of(file)), asked.uri)
            raise NotTold("targets unreadable", f"{said}; publish the regions anew") from error


def _measured(
    asked: CoverTargets, targets: tuple[Target, ...], attempt: ByteAttempt
) -> tuple[Measurement, ...]:
    file = asked.file
    assert file is not None, "an effect is opened for a file alone"
    name = f"s3://{name_of(file)}"
    expected = Expected(role=file.role, size_bytes=file.size_bytes, targets=targets)
    try:
        report = PythonEngine().validate(attempt.pieces(file, PIECE_BYTES), expected)
    except Parked as error:
        raise NotTold("unreadable", str(error)) from error
    if report.sha256 != file.sha256:
        raise NotTold("unreadable", f"{name}: is another file than was validated; send it again")
    metrics = report.measured.metrics if report.measured else None
    details = report.measured.details if report.measured else {}
    values = {one: getattr(metrics, one, None) for one in BRINGS[TARGETS]}
    found = tuple(
        Measurement(metric=one, value=value, unit=READS_UNITS[one])
        for one, value in values.items()
        if value is not None
    )
    if not found:
        raise _without_depth(f"{name}: ", details.get("unknown"))
    return found


def _without_depth(place: str, unknown: object) -> NotTold:
    """Why the file was read to its end, and no depth over the targets is known."""
    why = unknown.get(BRINGS[TARGETS][0]) if isinstance(unknown, dict) else None
    if why == ELSEWHERE:
        way_on = "order targets of the build to which the reads were aligned"
        return NotTold("targets elsewhere", f"{place}{why}; {way_on}")
    said = why or "its alignments cannot be read"
    return NotTold("unreadable", f"{place}{said}; send it anew, sorted: samtools sort")
