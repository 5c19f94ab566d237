"""A rule of retention is due, says the sweeper: here it is decided, and done once.

The proposal, the file, the run and the hold stand in one order, that of their subject. A hold on a
sample speaks for the runs of that sample too, those of instruments among them, and stands on
another key: so each deletion looks for holds once more, right before it. Before the folder of an
instrument goes, it looks whether what was read from it is registered and whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from uuid import UUID

from genoflow.events import topics
from genoflow.events.deletion_proposed import DeletionProposed
from genoflow.events.deletion_refused import (
    CHANGED,
    HELD,
    LOCKED,
    UNDER_WAY,
    DeletionRefused,
)
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.file_deleted import ERASED, FileDeleted
from genoflow.events.legal_hold_placed import LegalHoldPlaced
from genoflow.events.legal_hold_released import LegalHoldReleased
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.retention_rule import RUN_FOLDER
from genoflow.events.stored_version import StoredVersion
from genoflow.events.subjects import Subjects
from genoflow.events.topics import SAMPLE, SEQUENCING_RUN, Topic
from genoflow.processors import retention
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ports import Attempt, Removal
from genoflow.processors.processor import Call, Processor
from genoflow.processors.repeated import is_repeated
from genoflow.processors.retained import Subject
from genoflow.processors.retention import UNTIL_OVER, Kind
from genoflow.processors.sequencing_over import OF_FOLDER, OF_READS, Reads

# A hundred files take four seconds; the partition of a sample is read for its holds before.
SWEEP_SECONDS_MAX = 900
SWEPT = {
    topics.SAMPLE: retention.OF_SAMPLE,
    topics.RUN: retention.OF_RUN,
    topics.SEQUENCING_RUN: retention.OF_SEQUENCING_RUN,
}
HOLDS = (LegalHoldPlaced, LegalHoldReleased)
SHOWN_MAX = 3  # of what keeps a folder: the others are seen when these are done with


class Sweep(Arguments):
    """What goes, by which rule, and who asked."""

    asked: DeletionProposed
    proposal_event_id: UUID


def decide(state: Subject, event: Event) -> Decision:
    """Open one deletion of what may go, and say why the rest is kept."""
    assert isinstance(event, DeletionProposed)
    if is_repeated(state, event):
        return NOTHING
    go, kept = retention.judged(state, event, event.envelope.occurred_at)
    name = event.envelope.event_id
    refused = tuple(_refused(event, name, one) for one in kept)
    if not go:
        return Decision(events=refused)
    samples = event.sample_ids
    if event.topic == topics.RUN.name:  # of a whole flow cell it would be one list in each effect
        samples = tuple(dict.fromkeys((*samples, *state.sample_ids)))
    asked = DeletionProposed(**dict(event) | {"files": go, "sample_ids": samples})
    return Decision(refused, (Effect("delete", Sweep(asked=asked, proposal_event_id=name)),))


def _refused(asked: DeletionProposed, proposal_event_id: UUID, kind: Kind) -> DeletionRefused:
    return DeletionRefused(
        subject_topic=asked.subject_topic,
        subject_key=asked.subject_key,
        proposal_event_id=proposal_event_id,
        rule=asked.rule,
        reason_code=kind.code,
        reason=kind.reason,
        files=kind.files,
        kept_until=kind.until,
    )


async def delete(arguments: Sweep, attempt: Attempt) -> Sequence[Event]:
    """Delete these very versions unless a hold stands by now; what is gone already was deleted."""
    asked, remover = arguments.asked, attempt.ports.remover
    if remover is None:
        raise Parked(f"{asked.rule}: this worker deletes nothing; wire a remover, then requeue it")
    against = await _against(asked, attempt)
    if against is not None:
        return [_refused(asked, arguments.proposal_event_id, against)]
    gone: list[Event] = []
    kept: list[Kind] = []
    for number, file in enumerate(asked.files, start=1):
        found = await remover.remove(file)
        if found.is_gone:
            gone.append(_deleted(asked, file))
        else:
            kept.append(_kind(file, found))
        attempt.progress(number, len(asked.files), "files")
    together = retention.together(kept)
    return [*gone, *(_refused(asked, arguments.proposal_event_id, one) for one in together)]


async def _against(asked: DeletionProposed, attempt: Attempt) -> Kind | None:
    """What speaks for these files now, on whichever key it stands."""
    subjects = attempt.ports.subjects
    if subjects is None:
        raise Parked(f"{asked.rule}: this worker reads no holds; wire the log, then requeue it")
    if asked.subject_topic == SEQUENCING_RUN.name:
        return await _against_run(asked, subjects)
    samples = {*asked.sample_ids}
    if asked.subject_topic == SAMPLE.name:
        samples.add(asked.subject_key)
    stories = await subjects.events_of(SAMPLE, samples)
    return _held(asked, [event for story in stories.values() for event in story])


async def _against_run(asked: DeletionProposed, subjects: Subjects) -> Kind | None:
    """The same of a run of an instrument, whose samples may be thousands: each topic once."""
    run, reads = Subject(), Reads()
    async with aclosing(subjects.every(SEQUENCING_RUN, *OF_FOLDER)) as events:
        async for event in events:
            if event.key == asked.subject_key:
                run = retention.evolve(run, event)
    samples, holds, read_sets = {*run.sample_ids}, [], {*run.read_sets}
    async with aclosing(subjects.every(SAMPLE, *HOLDS, *OF_READS)) as events:
        async for event in events:
            if isinstance(event, HOLDS):
                holds.append(event)
            elif getattr(event, "read_set_id", None) in read_sets:
                reads.take(event)
            if isinstance(event, ReadSetRegistered) and event.instrument_run_id == asked.key:
                samples.add(event.key)  # on no sheet of the run: it was relabelled
    held = _held(asked, [event for event in holds if event.key in samples])
    if held is not None or asked.file_class != RUN_FOLDER:
        return held
    if not run.is_over:
        return Kind(UNDER_WAY, UNTIL_OVER[RUN_FOLDER], asked.files)
    missing = reads.unsettled(run)
    if missing:
        named = ", ".join(missing[:SHOWN_MAX])
        why = f"what was read from it is not all registered and whole: {named}"
        return Kind(UNDER_WAY, why, asked.files)
    return None


def _held(asked: DeletionProposed, events: Sequence[Event]) -> Kind | None:
    """The holds that stand by these events of some samples."""
    states: dict[str, Subject] = {}
    for event in events:
        if isinstance(event, HOLDS):
            states[event.key] = retention.evolve(states.get(event.key, Subject()), event)
    names = sorted({name for state in states.values() for name in state.holds})
    if not names:
        return None
    why = f"the legal hold {', '.join(names)} keeps every file; release it first, if it is over"
    return Kind(HELD, why, asked.files)


def _kind(file: StoredVersion, found: Removal) -> Kind:
    code = LOCKED if found.is_locked else CHANGED
    return Kind(code, found.reason, (file,), found.locked_until)


def _deleted(asked: DeletionProposed, file: StoredVersion) -> FileDeleted:
    return FileDeleted(
        subject_topic=asked.subject_topic,
        subject_key=asked.subject_key,
        bucket=file.bucket,
        object_key=file.object_key,
        version_id=file.version_id,
        manner=ERASED,
        rule=asked.rule,
        reason=f"{asked.file_class} files are kept for {asked.keep_days} days",
        rule_document_id=asked.document_id,
        rule_document_version=asked.document_version,
    )


def sweep_on(topic: Topic) -> Processor:
    """The row that decides about the files of one topic's subjects."""
    return Processor(
        f"sweep-{topic.name.split('.')[1]}",
        reads=topic,
        on=(DeletionProposed,),
        folds=(*SWEPT[topic], *retention.ANSWERS),
        emits=(DeletionRefused,),
        decide=decide,
        evolve=retention.evolve,
        state=Subject,
        effects=(
            Call(
                "delete",
                arguments=Sweep,
                emits=(FileDeleted, DeletionRefused),
                perform=delete,
                seconds_max=SWEEP_SECONDS_MAX,
            ),
        ),
        about=f"deletes what a rule lets go of {topic.name}, unless something speaks for it",
    )


SWEEP_FILES = tuple(sweep_on(topic) for topic in SWEPT)
