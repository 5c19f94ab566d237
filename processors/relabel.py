"""What was read under a wrong label moves to the sample that it is.

A person says SampleRelabelled. On the old label the read sets are invalidated; at the true sample
each is registered anew under an id of its own, and its files are copied within the store, so that
their metadata name whose they are. They land there like any others, and everything after that
follows by the rows that every file goes through: nothing that was decided under the old label is
taken over.

What is moved stands in the event by name, so a swap mixes nothing up: what comes to a sample from
elsewhere has other names. What comes late to the old label is handed on: a file, a verdict on the
sequencing run, or the word that these reads do not count at all. That ends, because it is handed on
once for each time that a person relabelled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID, uuid5

from genoflow.events import topics
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.file_rejected import FileRejected
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_relabelled import SampleRelabelled
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.sequencing_run_qc_passed import SequencingRunQcPassed
from genoflow.events.stored_version import name_of
from genoflow.events.types import Part
from genoflow.events.validated import Validated
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.intake.landing import belonging, landed
from genoflow.processors.ports import Attempt, ObjectGone, ObjectHead, ObjectStore
from genoflow.processors.processor import Call, Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this

NAME = "relabel"
RELABELLED = "relabelled"  # of the kinds of reason that ReadSetInvalidated has
COPY_SECONDS_MAX = 3 * 3_600  # within a store: 100 GB at 10 MB/s take 2.8 h
STEM_CHARACTERS_MAX = 80  # of the old id in the new one; an id has 100
DIGEST_CHARACTERS = 12  # 48 bits tell apart what one read set ever becomes
NAME_CHARACTERS_MAX = 200  # of the old key in the new one: 800 bytes of 1,024
Verdict = SequencingRunQcPassed | SequencingRunQcFailed


class Landed(Part):
    """A version of a file, as it landed for a read set, and what is known of its bytes."""

    read_set_id: str
    role: str
    lane: int | None
    instrument_run_id: str | None
    bucket: str
    object_key: str
    version_id: str
    size_bytes: int
    md5: str | None
    sha256: str | None
    is_rejected: bool = False

    @property
    def name(self) -> str:
        """Where it is, with its version."""
        return name_of(self)


class Moved(Part):
    """A read set that is another sample's, and what it is called there."""

    read_set_id: str
    instrument_run_id: str | None
    to_sample_id: str
    to_read_set_id: str


class Labelled(Remembering):
    """What stands under a label."""

    read_sets: tuple[ReadSetRegistered, ...] = ()
    gone: tuple[str, ...] = ()
    files: tuple[Landed, ...] = ()
    verdicts: tuple[Verdict, ...] = ()  # the newest of each sequencing run
    moved: tuple[Moved, ...] = ()
    quarantined: tuple[str, ...] = ()  # versions of files: they move nowhere


class Copy(Arguments):
    """A file, and whose it is."""

    file: Landed
    sample_id: str
    read_set_id: str


# -- what is known


def evolve(state: Labelled, event: Event) -> Labelled:
    """Keep what stands under the label, and what was moved away."""
    if is_repeated(state, event):
        return state
    change: dict[str, object] = {"seen": with_this(state, event)}
    if isinstance(event, SampleRelabelled):
        moved = _moved(state, event)
        gone = (one.read_set_id for one in moved)
        change |= {"moved": (*state.moved, *moved), "gone": (*state.gone, *gone)}
    elif isinstance(event, ReadSetRegistered):
        if all(one.read_set_id != event.read_set_id for one in state.read_sets):
            change["read_sets"] = (*state.read_sets, ReadSetRegistered(**dict(event)))
    elif isinstance(event, ReadSetInvalidated):
        change["gone"] = tuple(dict.fromkeys((*state.gone, event.read_set_id)))
    elif isinstance(event, SequencingRunQcPassed | SequencingRunQcFailed):
        change["verdicts"] = _with_verdict(state, event)
    else:
        assert isinstance(event, FileLanded | FileRejected | FileQuarantined | Validated)
        change["files"] = _with_file(state, event)
        if isinstance(event, FileQuarantined):
            change["quarantined"] = (*state.quarantined, name_of(event))
    return state.model_copy(update=change)


def _moved(state: Labelled, event: SampleRelabelled) -> tuple[Moved, ...]:
    if event.true_sample_id == event.sample_id:
        return ()
    known = {one.read_set_id: one for one in state.read_sets}
    counts = [name for name in dict.fromkeys(event.read_set_ids) if name not in state.gone]
    return tuple(
        Moved(
            read_set_id=name,
            instrument_run_id=known[name].instrument_run_id,
            to_sample_id=event.true_sample_id,
            to_read_set_id=read_set_elsewhere(name, event.envelope.event_id),
        )
        for name in counts
        if name in known
    )


def read_set_elsewhere(read_set_id: str, relabelled_id: UUID) -> str:
    """What a read set is called at the sample to which this SampleRelabelled gave it."""
    digest = uuid5(relabelled_id, read_set_id).hex[:DIGEST_CHARACTERS]
    return f"{read_set_id[:STEM_CHARACTERS_MAX]}.{digest}"


def _with_verdict(state: Labelled, event: Verdict) -> tuple[Verdict, ...]:
    run_id = event.instrument_run_id
    if not _is_news(state, event):
        return state.verdicts
    others = (one for one in state.verdicts if one.instrument_run_id != run_id)
    return (*others, type(event)(**dict(event)))


def _is_news(state: Labelled, event: Verdict) -> bool:
    known = (one for one in state.verdicts if one.instrument_run_id == event.instrument_run_id)
    return all(one.round < event.round for one in known)


def _with_file(
    state: Labelled, event: FileLanded | FileRejected | FileQuarantined | Validated
) -> tuple[Landed, ...]:
    if isinstance(event, FileLanded):
        file = _file(event)
        return (*state.files, file) if file and _is_new(state, file) else state.files
    place = name_of(event)
    if isinstance(event, FileQuarantined):
        return tuple(one for one in state.files if one.name != place)
    change: dict[str, object] = {"is_rejected": True}
    if isinstance(event, Validated):
        change = {"is_rejected": False, "md5": event.md5, "sha256": event.sha256}
    return tuple(one.model_copy(update=change) if one.name == place else one for one in state.files)


def _is_new(state: Labelled, file: Landed) -> bool:
    is_known = any(file.name == one.name for one in state.files)
    return not is_known and file.name not in state.quarantined


def _file(event: FileLanded) -> Landed | None:
    if event.read_set_id is None or event.role is None:
        return None
    return Landed(
        read_set_id=event.read_set_id,
        role=event.role,
        lane=event.lane,
        instrument_run_id=event.instrument_run_id,
        bucket=event.bucket,
        object_key=event.object_key,
        version_id=event.version_id,
        size_bytes=event.size_bytes,
        md5=event.declared_md5,
        sha256=event.declared_sha256,
    )


# -- what follows


def decide(state: Labelled, event: Event) -> Decision:
    """Move what is another sample's, and hand on what comes late to a label that was wrong."""
    if is_repeated(state, event):
        return NOTHING
    if isinstance(event, SampleRelabelled):
        moved = _moved(state, event)
        return Decision(
            events=(*_invalidated(event, moved), *_registered(state, moved)),
            effects=tuple(_copy(file, one) for one in moved for file in _standing(state, one)),
        )
    if isinstance(event, FileLanded):
        return Decision(effects=tuple(_late_copies(state, event)))
    if isinstance(event, ReadSetInvalidated):
        return Decision(events=(*_run_verdicts(state, event), *_void_elsewhere(state, event)))
    assert isinstance(event, SequencingRunQcPassed | SequencingRunQcFailed)
    return Decision(events=tuple(_late_verdicts(state, event)))


def _invalidated(event: SampleRelabelled, moved: Iterable[Moved]) -> Iterable[ReadSetInvalidated]:
    for one in moved:
        yield ReadSetInvalidated(
            sample_id=event.sample_id,
            read_set_id=one.read_set_id,
            reason_code=RELABELLED,
            reason=event.reason,
            instrument_run_id=one.instrument_run_id,
            replaced_by_read_set_id=one.to_read_set_id,
            moved_to_sample_id=one.to_sample_id,
        )


def _registered(state: Labelled, moved: Sequence[Moved]) -> Iterable[ReadSetRegistered]:
    known = {one.read_set_id: one for one in state.read_sets}
    batches = [_batch(known[one.read_set_id]) for one in moved]
    for one in moved:
        old = known[one.read_set_id]
        yield ReadSetRegistered(
            **dict(old)
            | {
                "sample_id": one.to_sample_id,
                "read_set_id": one.to_read_set_id,
                # At least those that come with it; all of them stand before any of their files.
                "read_sets_of_sample": batches.count(_batch(old)),
                "replaces_read_set_id": one.read_set_id,
            }
        )


def _batch(one: ReadSetRegistered) -> tuple[str | None, int | None]:
    return one.instrument_run_id, one.demultiplex_attempt


def _standing(state: Labelled, moved: Moved) -> Iterable[Landed]:
    """The file of each slot: the newest that was not rejected, else the newest."""
    slots: dict[tuple[str, int | None], Landed] = {}
    for file in state.files:
        if file.read_set_id != moved.read_set_id:
            continue
        before = slots.get((file.role, file.lane))
        if before is None or before.is_rejected or not file.is_rejected:
            slots[file.role, file.lane] = file
    return slots.values()


def _copy(file: Landed, moved: Moved) -> Effect:
    arguments = Copy(file=file, sample_id=moved.to_sample_id, read_set_id=moved.to_read_set_id)
    return Effect("copy", arguments, f"{moved.to_read_set_id}/{file.name}", lane=file.name)


def _late_copies(state: Labelled, event: FileLanded) -> Iterable[Effect]:
    file = _file(event)
    if file is None or not _is_new(state, file):
        return
    for one in state.moved:
        if one.read_set_id == file.read_set_id:
            yield _copy(file, one)


def _run_verdicts(state: Labelled, event: ReadSetInvalidated) -> Iterable[Verdict]:
    """The verdict on the run that read it. One that the true sample knows changes nothing there."""
    if event.reason_code != RELABELLED or event.moved_to_sample_id is None:
        return
    for one in state.verdicts:
        if one.instrument_run_id == event.instrument_run_id:
            yield _verdict(one, event.moved_to_sample_id)


def _late_verdicts(state: Labelled, event: Verdict) -> Iterable[Verdict]:
    if not _is_news(state, event):
        return
    of_run = (one for one in state.moved if one.instrument_run_id == event.instrument_run_id)
    for name in dict.fromkeys(one.to_sample_id for one in of_run):
        yield _verdict(event, name)


def _void_elsewhere(state: Labelled, event: ReadSetInvalidated) -> Iterable[ReadSetInvalidated]:
    """Its run is read anew, or its reads are taken back: what was moved away counts no more."""
    if event.reason_code == RELABELLED:
        return
    for one in state.moved:
        if one.read_set_id == event.read_set_id:
            yield ReadSetInvalidated(
                sample_id=one.to_sample_id,
                read_set_id=one.to_read_set_id,
                reason_code=event.reason_code,
                reason=event.reason,
                instrument_run_id=event.instrument_run_id,
            )


def _verdict(one: Verdict, sample_id: str) -> Verdict:
    return type(one)(**dict(one) | {"sample_id": sample_id})


# -- the effect


async def copy(arguments: Copy, attempt: Attempt) -> Sequence[Event]:
    """Copy a file to a place of its own, with metadata that name the true sample; it has landed."""
    file, store = arguments.file, attempt.ports.store
    if store is None:
        raise Parked(f"s3://{file.name}: this worker has no object store; wire one")
    last = file.object_key.rpartition("/")[2][-NAME_CHARACTERS_MAX:]
    key = f"relabelled/{arguments.read_set_id}/{attempt.effect_id}/{last}"
    head = await _found(store, file.bucket, key)
    if head is None:
        metadata = belonging(
            sample_id=arguments.sample_id,
            read_set_id=arguments.read_set_id,
            instrument_run_id=file.instrument_run_id,
            lane=file.lane,
            role=file.role,
            md5=file.md5,
            sha256=file.sha256,
        )
        head = await store.copy(file.bucket, file.object_key, file.version_id, key, metadata)
    if head.size_bytes != file.size_bytes:
        raise Parked(
            f"s3://{file.name}: landed with {file.size_bytes} bytes, and its copy has "
            f"{head.size_bytes}; see who wrote over it, put the file back and remove the copy "
            f"s3://{file.bucket}/{key}, then requeue the effect"
        )
    return [landed(head)]


async def _found(store: ObjectStore, bucket: str, key: str) -> ObjectHead | None:
    """What an attempt before this one left; nobody else writes below the name of an effect."""
    try:
        return await store.head(bucket, key)
    except ObjectGone:
        return None


RELABEL = Processor(
    NAME,
    reads=topics.SAMPLE,
    on=(
        SampleRelabelled,
        ReadSetInvalidated,
        FileLanded,
        SequencingRunQcPassed,
        SequencingRunQcFailed,
    ),
    folds=(ReadSetRegistered, Validated, FileRejected, FileQuarantined),
    emits=(ReadSetInvalidated, ReadSetRegistered, SequencingRunQcPassed, SequencingRunQcFailed),
    # To the keys of other samples, and once for each read set that a person relabelled.
    again=(ReadSetInvalidated, FileLanded, SequencingRunQcPassed, SequencingRunQcFailed),
    # No other topic has what a sample is to another, and nobody else says these facts of its label.
    hands_over=(
        ReadSetInvalidated,
        ReadSetRegistered,
        FileLanded,
        SequencingRunQcPassed,
        SequencingRunQcFailed,
    ),
    decide=decide,
    evolve=evolve,
    state=Labelled,
    state_version=2,
    effects=(
        Call(
            "copy",
            arguments=Copy,
            emits=(FileLanded,),
            perform=copy,
            seconds_max=COPY_SECONDS_MAX,
        ),
    ),
    about="moves what was read under a wrong label to the sample that it is",
)
