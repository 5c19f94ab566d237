"""A sample's part of a demultiplexing: each file is looked up in the store before it has landed."""

from __future__ import annotations

from collections.abc import Sequence

from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.file_landed import FileLanded
from genoflow.events.measured import Measured
from genoflow.events.qc_failed import QcFailed
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.types import Part
from genoflow.processors.decision import Arguments
from genoflow.processors.demultiplexing.names import object_key, undetermined_key
from genoflow.processors.intake.landing import landed
from genoflow.processors.ports import Attempt, ObjectStore


class NewReadSet(Part):
    """A library of one lane that has reads."""

    read_set_id: str
    library_id: str
    lane: int
    index1: str | None
    index2: str | None
    reads: int
    replaces: str | None


class OldReadSet(Part):
    """A read set of the attempt before, and what counts in its place."""

    read_set_id: str
    replaced_by: str | None
    moved_to: str | None


class LandSample(Arguments):
    """Everything that one attempt means for one sample."""

    sample_id: str
    instrument_run_id: str
    flow_cell_id: str
    sheet_revision: int
    attempt: int
    bucket: str
    prefix: str
    roles: tuple[str, ...]
    is_listed: bool  # on the sheet; else it was on the one before
    read_sets: tuple[NewReadSet, ...]
    invalid: tuple[OldReadSet, ...]  # without those that were withdrawn before


class Withdraw(Arguments):
    """The read sets of one sample that a later sheet contradicts."""

    sample_id: str
    instrument_run_id: str
    sheet_revision: int
    invalid: tuple[OldReadSet, ...]


class LandUndetermined(Arguments):
    """Where the reads are that no row of the sheet claims."""

    instrument_run_id: str
    bucket: str
    prefix: str
    roles: tuple[str, ...]
    lanes: tuple[int, ...]


async def land(arguments: LandSample, attempt: Attempt) -> Sequence[Event]:
    """Invalidate what counted before, register what counts now, and report each of its files."""
    said: list[Event] = [_invalidated(arguments, old) for old in arguments.invalid]
    said += [_registered(arguments, new) for new in arguments.read_sets]
    total = len(arguments.read_sets) * len(arguments.roles)
    for new in arguments.read_sets:
        for role in arguments.roles:
            key = object_key(arguments.prefix, new.read_set_id, role)
            file = await _landed(attempt, arguments.bucket, key)
            expected = (arguments.sample_id, new.read_set_id, role)
            _agree(file, expected, (file.sample_id, file.read_set_id, file.role))
            said.append(file)
            attempt.progress(len(said), total, "files")
    if arguments.is_listed and not arguments.read_sets:
        said.append(_no_reads(arguments))
    return said


async def withdraw(arguments: Withdraw, _attempt: Attempt) -> Sequence[Event]:
    """Invalidate them before the run is read anew: until then nothing may be decided by them."""
    return [_invalidated(arguments, old) for old in arguments.invalid]


async def land_undetermined(arguments: LandUndetermined, attempt: Attempt) -> Sequence[Event]:
    """Report the files of reads that belong to the run and to no sample."""
    said: list[Event] = []
    for lane in arguments.lanes:
        for role in arguments.roles:
            key = undetermined_key(arguments.prefix, lane, role)
            file = await _landed(attempt, arguments.bucket, key)
            expected = (None, arguments.instrument_run_id, role)
            _agree(file, expected, (file.sample_id, file.instrument_run_id, file.role))
            said.append(file)
    return said


async def _landed(attempt: Attempt, bucket: str, key: str) -> FileLanded:
    store: ObjectStore | None = attempt.ports.store
    if store is None:
        raise Parked(f"s3://{bucket}/{key}: this worker has no object store; wire one")
    return landed(await store.head(bucket, key))


def _agree(file: FileLanded, expected: tuple[object, ...], found: tuple[object, ...]) -> None:
    if found != expected:
        raise Parked(
            f"s3://{file.bucket}/{file.object_key}: its metadata say {found} and demultiplexing "
            f"says {expected}; see who else writes there, put the file back, then requeue the "
            f"effect"
        )


def _invalidated(arguments: LandSample | Withdraw, old: OldReadSet) -> ReadSetInvalidated:
    what = "read anew"
    if old.moved_to is not None:
        what = f"those of {old.moved_to}"
    elif old.replaced_by is None:
        what = "not this sample's any more"
    return ReadSetInvalidated(
        sample_id=arguments.sample_id,
        read_set_id=old.read_set_id,
        reason_code="sheet amended",
        reason=f"by revision {arguments.sheet_revision} of the sheet of run "
        f"{arguments.instrument_run_id} these reads are {what}",
        instrument_run_id=arguments.instrument_run_id,
        replaced_by_read_set_id=old.replaced_by,
        moved_to_sample_id=old.moved_to,
    )


def _registered(arguments: LandSample, new: NewReadSet) -> ReadSetRegistered:
    return ReadSetRegistered(
        sample_id=arguments.sample_id,
        read_set_id=new.read_set_id,
        material="FASTQ",
        library_id=new.library_id,
        instrument_run_id=arguments.instrument_run_id,
        flow_cell_id=arguments.flow_cell_id,
        lane=new.lane,
        index1=new.index1,
        index2=new.index2,
        sheet_revision=arguments.sheet_revision,
        demultiplex_attempt=arguments.attempt,
        expected_files=tuple(ExpectedFile(role=role, lane=new.lane) for role in arguments.roles),
        read_sets_of_sample=len(arguments.read_sets),
        reads=new.reads,
        replaces_read_set_id=new.replaces,
    )


def _no_reads(arguments: LandSample) -> QcFailed:
    return QcFailed(
        sample_id=arguments.sample_id,
        round=1,
        reason_code="no reads",
        reason=f"run {arguments.instrument_run_id} holds no read with a barcode that revision "
        f"{arguments.sheet_revision} of its sheet gives to this sample; look for its barcode among "
        f"the unknown ones of the run and amend the sheet, or sequence the library again",
        measured=(Measured(metric="reads", value=0, unit="reads", required_min=1, verdict="fail"),),
        instrument_run_id=arguments.instrument_run_id,
    )
