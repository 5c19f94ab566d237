"""A rule of retention is due, says the sweeper: here it is decided, and done once.

The proposal, the file, the run and the hold stand in one order, that of their subject. A hold on a
sample speaks for the runs of that sample too, and stands on another key: so each deletion looks
for holds once more, right before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from genoflow.events import topics
from genoflow.events.deletion_proposed import DeletionProposed
from genoflow.events.deletion_refused import CHANGED, HELD, LOCKED, DeletionRefused
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.file_deleted import ERASED, FileDeleted
from genoflow.events.legal_hold_placed import LegalHoldPlaced
from genoflow.events.legal_hold_released import LegalHoldReleased
from genoflow.events.stored_version import StoredVersion
from genoflow.events.topics import SAMPLE, Topic
from genoflow.processors import retention
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ports import Attempt, Removal
from genoflow.processors.processor import Call, Processor
from genoflow.processors.repeated import is_repeated
from genoflow.processors.retention import Kind, Subject

# A hundred files take four seconds; the partition of a sample is read for its holds before.
SWEEP_SECONDS_MAX = 900
SWEPT = {topics.SAMPLE: retention.OF_SAMPLE, topics.RUN: retention.OF_RUN}


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
    samples = tuple(dict.fromkeys((*event.sample_ids, *state.sample_ids)))
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
    held = await _held(asked, attempt)
    if held:
        why = f"the legal hold {', '.join(held)} keeps every file; release it first, if it is over"
        return [_refused(asked, arguments.proposal_event_id, Kind(HELD, why, asked.files))]
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


async def _held(asked: DeletionProposed, attempt: Attempt) -> list[str]:
    """The holds that stand now on any sample that these files are of."""
    samples = {*asked.sample_ids}
    if asked.subject_topic == SAMPLE.name:
        samples.add(asked.subject_key)
    subjects = attempt.ports.subjects
    if subjects is None:
        raise Parked(f"{asked.rule}: this worker reads no holds; wire the log, then requeue it")
    names: list[str] = []
    for events in (await subjects.events_of(SAMPLE, samples)).values():
        state = Subject()
        for event in events:
            if isinstance(event, LegalHoldPlaced | LegalHoldReleased):
                state = retention.evolve(state, event)
        names += state.holds
    return sorted(set(names))


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
