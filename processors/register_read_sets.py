"""What a sheet lists and a demultiplexing gave is handed to each sample: the hop to their topic.

A later attempt reads everything anew, so every read set gets a new id, even one that the amended
sheet leaves as it was: its files are other objects, and another sheet may claim other mismatches.
The old read set is invalidated on its sample, and the new one names it. Those that an amended sheet
gives to nobody or to another sample are withdrawn at once: reading anew takes hours and may fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from genoflow.events import topics
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.qc_failed import QcFailed
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.types import Part
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.demultiplexing.landing import (
    LandSample,
    LandUndetermined,
    NewReadSet,
    OldReadSet,
    Withdraw,
    land,
    land_undetermined,
    withdraw,
)
from genoflow.processors.ports import Attempt
from genoflow.processors.processor import Call, Processor, State

NAME = "register-read-sets"
SAMPLES_AT_ONCE = 500  # a sheet lists up to 4,000, and one transaction takes 1,000 events


class Row(NamedTuple):
    """A row of the sheet, or the read set that came of it; short, since a run has up to 4,000."""

    sample_id: str
    library_id: str
    lane: int
    index1: str | None
    index2: str | None
    read_set_id: str = ""  # none as long as it has no reads
    is_withdrawn: bool = False  # it was invalidated, and is kept for what replaces it


class Asked(Part):
    """The newest demultiplexing that was asked for."""

    attempt: int
    bucket: str
    prefix: str
    rows: tuple[Row, ...]


class Run(State):
    """Which samples of a run are known, and which read sets count."""

    samples: tuple[str, ...] = ()
    sheet_revision: int = 0
    asked: Asked | None = None
    landed_attempt: int = 0
    read_sets: tuple[Row, ...] = ()


class Listed(Part):
    """A sample as the sheet lists it."""

    sample_id: str
    project_id: str | None


class Register(Arguments):
    """Samples that a sheet lists and nobody has heard of in this run."""

    instrument_run_id: str
    samples: tuple[Listed, ...]


Sheets = SampleSheetAttached | SampleSheetAmended


def decide(state: Run, event: Event) -> Decision:
    """Register what a sheet lists at once, and what was demultiplexed by the newest request."""
    if isinstance(event, SampleSheetAttached | SampleSheetAmended):
        return Decision(effects=(*_registrations(state, event), *_withdrawals(state, event)))
    assert isinstance(event, DemultiplexCompleted)
    if not _counts(state, event):
        return NOTHING
    return Decision(effects=tuple(_landings(state, event)))


def evolve(state: Run, event: Event) -> Run:
    """Keep the samples, the newest request, and the read sets that count."""
    if isinstance(event, SampleSheetAttached | SampleSheetAmended):
        return _with_sheet(state, event)
    if isinstance(event, DemultiplexRequested):
        if state.asked is not None and event.attempt <= state.asked.attempt:
            return state
        return state.model_copy(update={"asked": _asked(event)})
    assert isinstance(event, DemultiplexCompleted)
    if not _counts(state, event):
        return state
    assert state.asked is not None
    done = state.asked.model_copy(update={"rows": ()})  # they are needed once
    return state.model_copy(
        update={
            "asked": done,
            "landed_attempt": event.attempt,
            "read_sets": _read_sets(state.asked, event),
        }
    )


def _counts(state: Run, event: DemultiplexCompleted) -> bool:
    """Whether it answers the newest request by the newest sheet, for the first time."""
    newest = state.asked is not None and event.attempt == state.asked.attempt
    follows = event.sheet_revision >= state.sheet_revision
    return newest and follows and event.attempt > state.landed_attempt


def _with_sheet(state: Run, event: Sheets) -> Run:
    new = [listed.sample_id for listed in _new(state, event)]
    gone = {row.read_set_id for row, _ in _contradicted(state, event)}
    return state.model_copy(
        update={
            "samples": (*state.samples, *new),
            "sheet_revision": max(state.sheet_revision, event.revision),
            "read_sets": tuple(
                row._replace(is_withdrawn=row.is_withdrawn or row.read_set_id in gone)
                for row in state.read_sets
            ),
        }
    )


def _asked(event: DemultiplexRequested) -> Asked:
    return Asked(
        attempt=event.attempt,
        bucket=event.output_bucket,
        prefix=event.output_prefix,
        rows=tuple(
            Row(row.sample_id, row.library_id, row.lane, row.index1, row.index2)
            for row in event.rows
        ),
    )


# -- samples


def _new(state: Run, event: Sheets) -> list[Listed]:
    known = set(state.samples)
    projects: dict[str, str | None] = {}
    for row in event.rows:
        if row.sample_id not in known:
            projects[row.sample_id] = projects.get(row.sample_id) or row.project_id
    return [Listed(sample_id=name, project_id=project) for name, project in projects.items()]


def _registrations(state: Run, event: Sheets) -> Iterable[Effect]:
    new = _new(state, event)
    for start in range(0, len(new), SAMPLES_AT_ONCE):
        some = tuple(new[start : start + SAMPLES_AT_ONCE])
        yield Effect(
            "register", Register(instrument_run_id=event.key, samples=some), some[0].sample_id
        )


async def register(arguments: Register, _attempt: Attempt) -> Sequence[Event]:
    """Make each sample known: from here on it has a story, and the story says which run."""
    return [
        SampleRegistered(
            sample_id=listed.sample_id,
            project_id=listed.project_id,
            registered_by="sample sheet",
            instrument_run_id=arguments.instrument_run_id,
            declared_sex="unknown",
        )
        for listed in arguments.samples
    ]


# -- read sets


def _contradicted(state: Run, event: Sheets) -> list[tuple[Row, str | None]]:
    """The read sets that a later sheet does not give to their sample, and whose they are by it."""
    if event.revision <= state.sheet_revision:
        return []
    claims = {(row.lane, row.index1, row.index2): row.sample_id for row in event.rows}
    whose = ((row, claims.get((row.lane, row.index1, row.index2))) for row in state.read_sets)
    return [(row, to) for row, to in whose if not row.is_withdrawn and to != row.sample_id]


def _withdrawals(state: Run, event: Sheets) -> Iterable[Effect]:
    invalid: dict[str, list[OldReadSet]] = {}
    for row, to in _contradicted(state, event):
        old = OldReadSet(read_set_id=row.read_set_id, replaced_by=None, moved_to=to)
        invalid.setdefault(row.sample_id, []).append(old)
    for sample, some in invalid.items():
        withdrawal = Withdraw(
            sample_id=sample,
            instrument_run_id=event.key,
            sheet_revision=event.revision,
            invalid=tuple(some),
        )
        yield Effect("withdraw", withdrawal, sample, lane=_lane(sample))


def _lane(sample: str) -> str:
    """What is said of one sample is said in order, and samples do not wait for each other."""
    return f"sample/{sample}"


def _read_sets(asked: Asked, event: DemultiplexCompleted) -> tuple[Row, ...]:
    rows = {(row.lane, row.library_id): row for row in asked.rows}
    return tuple(
        Row(
            library.sample_id,
            library.library_id,
            library.lane,
            row.index1 if row else None,
            row.index2 if row else None,
            library.read_set_id,
        )
        for library in event.libraries
        if library.read_set_id is not None
        for row in (rows.get((library.lane, library.library_id)),)
    )


def _landings(state: Run, event: DemultiplexCompleted) -> Iterable[Effect]:
    assert state.asked is not None
    new = _read_sets(state.asked, event)
    replaced = _replaced(state.read_sets, new)
    by_sample = _new_read_sets(event, new, {row.read_set_id: old for old, row in replaced.items()})
    invalid: dict[str, list[OldReadSet]] = {}
    for row in state.read_sets:
        if not row.is_withdrawn:
            old = _old(row, replaced.get(row.read_set_id))
            invalid.setdefault(row.sample_id, []).append(old)
    listed = {library.sample_id for library in event.libraries}
    for sample in sorted(listed | invalid.keys()):
        landing = LandSample(
            sample_id=sample,
            instrument_run_id=event.instrument_run_id,
            flow_cell_id=event.flow_cell_id,
            sheet_revision=event.sheet_revision,
            attempt=event.attempt,
            bucket=state.asked.bucket,
            prefix=state.asked.prefix,
            roles=event.expected_roles,
            is_listed=sample in listed,
            read_sets=tuple(by_sample.get(sample, ())),
            invalid=tuple(invalid.get(sample, ())),
        )
        yield Effect("land", landing, sample, lane=_lane(sample))
    if event.reads_undetermined:
        yield Effect("land-undetermined", _undetermined(state.asked, event), lane="undetermined")


def _new_read_sets(
    event: DemultiplexCompleted, new: Sequence[Row], replaces: Mapping[str, str]
) -> dict[str, list[NewReadSet]]:
    reads = {library.read_set_id: library.reads for library in event.libraries}
    by_sample: dict[str, list[NewReadSet]] = {}
    for row in new:
        one = NewReadSet(
            read_set_id=row.read_set_id,
            library_id=row.library_id,
            lane=row.lane,
            index1=row.index1,
            index2=row.index2,
            reads=reads[row.read_set_id],
            replaces=replaces.get(row.read_set_id),
        )
        by_sample.setdefault(row.sample_id, []).append(one)
    return by_sample


def _old(row: Row, later: Row | None) -> OldReadSet:
    moved = later is not None and later.sample_id != row.sample_id
    return OldReadSet(
        read_set_id=row.read_set_id,
        replaced_by=later.read_set_id if later else None,
        moved_to=later.sample_id if later and moved else None,
    )


def _replaced(old: Sequence[Row], new: Sequence[Row]) -> dict[str, Row]:
    """Which new read set holds what an old one held: the same barcode, else the same library.

    A library may be named after its barcode, so a corrected one is also found by its sample, where
    that has no other in the lane.
    """
    found: dict[str, Row] = {}
    left = {row.read_set_id: row for row in new}
    for same in (_barcode, _library, _sample):
        places: dict[tuple[object, ...], list[Row]] = {}
        for row in left.values():
            places.setdefault(same(row), []).append(row)
        for row in old:
            later = places.get(same(row), [])
            if row.read_set_id not in found and len(later) == 1:
                found[row.read_set_id] = later.pop()
                del left[found[row.read_set_id].read_set_id]
    return found


def _barcode(row: Row) -> tuple[object, ...]:
    return row.lane, row.index1, row.index2


def _library(row: Row) -> tuple[object, ...]:
    return row.lane, row.library_id, row.sample_id


def _sample(row: Row) -> tuple[object, ...]:
    return row.lane, row.sample_id


def _undetermined(asked: Asked, event: DemultiplexCompleted) -> LandUndetermined:
    return LandUndetermined(
        instrument_run_id=event.instrument_run_id,
        bucket=asked.bucket,
        prefix=asked.prefix,
        roles=event.expected_roles,
        lanes=tuple(sorted({library.lane for library in event.libraries})),
    )


REGISTER_READ_SETS = Processor(
    NAME,
    reads=topics.SEQUENCING_RUN,
    on=(SampleSheetAttached, SampleSheetAmended, DemultiplexCompleted),
    folds=(DemultiplexRequested,),
    emits=(),
    decide=decide,
    evolve=evolve,
    state=Run,
    effects=(
        Call("register", arguments=Register, emits=(SampleRegistered,), perform=register),
        Call("withdraw", arguments=Withdraw, emits=(ReadSetInvalidated,), perform=withdraw),
        Call(
            "land",
            arguments=LandSample,
            emits=(ReadSetInvalidated, ReadSetRegistered, FileLanded, QcFailed),
            perform=land,
        ),
        Call(
            "land-undetermined",
            arguments=LandUndetermined,
            emits=(FileLanded,),
            perform=land_undetermined,
        ),
    ),
    about="hands each sample of a run what its sheet lists and what demultiplexing gave",
)
