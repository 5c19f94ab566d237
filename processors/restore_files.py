"""A file that could not be read because it lies in an archive is asked back, and waited for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from genoflow.events import topics
from genoflow.events.archived_file import ArchivedFile
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.event import Event
from genoflow.events.file_restore_awaited import FileRestoreAwaited
from genoflow.events.file_restored import FileRestored
from genoflow.events.stored_version import name_of
from genoflow.events.types import Part
from genoflow.events.validation_attempt_failed import ARCHIVED, ValidationAttemptFailed
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect, effect_id
from genoflow.processors.ports import Attempt
from genoflow.processors.processor import Call, Processor, State
from genoflow.processors.restoring import archive_of, expected_by, in_archives, not_restored
from genoflow.processors.validation_waits import deadline_of

NAME = "restore-files"
EFFECT = "restore"


class Wanted(Part):
    """A file that is waited for."""

    bucket: str
    object_key: str
    version_id: str
    read_set_id: str | None
    attempt: int  # the one of its validation that found it archived
    look: int = 0  # the newest that said something
    due_at: datetime | None = None  # the next one
    opened_by: UUID | None = None  # the event that opened the effect of the newest look

    @property
    def name(self) -> str:
        """Where it is, with its version."""
        return name_of(self)


class Files(State):
    """What is waited for of a sample, and which attempts were heard of."""

    wanted: tuple[Wanted, ...] = ()
    done: tuple[tuple[str, int], ...] = ()  # names of files that came back, with the attempt


class Look(Arguments):
    """Which file to ask back, or to look at again."""

    sample_id: str
    file: Wanted
    look: int


def decide(state: Files, event: Event) -> Decision:
    """Ask for it; look again when the time has come; and leave off once it is restored."""
    after = evolve(state, event)
    if isinstance(event, FileRestored):
        gone = [one for one in state.wanted if one not in after.wanted and one.opened_by]
        closes = (effect_id(one.opened_by, NAME, EFFECT) for one in gone if one.opened_by)
        return Decision(closes=tuple(closes))
    changed = next((one for one in after.wanted if one not in state.wanted), None)
    if changed is None:
        return NOTHING
    if isinstance(event, FileRestoreAwaited):
        return Decision(events=(_next_look(event, changed),))
    look = Look(sample_id=event.key, file=changed, look=changed.look + 1)
    return Decision(effects=(Effect(EFFECT, look, lane=changed.name),))


def evolve(state: Files, event: Event) -> Files:
    """Keep what is waited for, and when it is looked at next."""
    if isinstance(event, ValidationAttemptFailed):
        return _with(state, _begun(state, event))
    if isinstance(event, FileRestoreAwaited):
        known = _known(state, event)
        if known is None or event.look <= known.look:
            return state
        update = {"look": event.look, "due_at": event.expected_by, "opened_by": None}
        return _with(state, known.model_copy(update=update))
    if isinstance(event, FileRestored):
        known = _known(state, event)
        if known is None:
            return state
        others = tuple(one for one in state.wanted if one != known)
        return Files(wanted=others, done=(*state.done, (known.name, known.attempt)))
    assert isinstance(event, DeadlinePassed)
    known = next((one for one in state.wanted if _is_over(one, event)), None)
    update = {"due_at": None, "opened_by": event.envelope.event_id}
    return _with(state, known and known.model_copy(update=update))


def _begun(state: Files, event: ValidationAttemptFailed) -> Wanted | None:
    if event.reason_code != ARCHIVED or _known(state, event) is not None:
        return None
    name = name_of(event)
    if any(name == known and event.attempt <= attempt for known, attempt in state.done):
        return None
    return Wanted(
        bucket=event.bucket,
        object_key=event.object_key,
        version_id=event.version_id,
        read_set_id=event.read_set_id,
        attempt=event.attempt,
        opened_by=event.envelope.event_id,
    )


def _known(
    state: Files, event: ValidationAttemptFailed | FileRestoreAwaited | FileRestored
) -> Wanted | None:
    name = name_of(event)
    return next((one for one in state.wanted if one.name == name), None)


def _with(state: Files, changed: Wanted | None) -> Files:
    if changed is None:
        return state
    others = tuple(one for one in state.wanted if one.name != changed.name)
    return state.model_copy(update={"wanted": (*others, changed)})


def _is_over(file: Wanted, event: DeadlinePassed) -> bool:
    is_ours = event.processor == NAME and event.deadline == deadline_of(file.name)
    return is_ours and event.due_at == file.due_at


def _next_look(event: FileRestoreAwaited, file: Wanted) -> DeadlineSet:
    return DeadlineSet(
        subject_topic=event.topic,
        subject_key=event.key,
        processor=NAME,
        deadline=deadline_of(file.name),
        purpose=f"the restore of {event.bucket}/{event.object_key} from {event.storage_class}",
        due_at=event.expected_by,
    )


# -- the effect


async def restore(look: Look, attempt: Attempt) -> Sequence[Event]:
    """Ask for it unless somebody has, and say whether it can be read by now."""
    archive, now, file = archive_of(attempt), attempt.ports.clock.now(), look.file
    place = {"bucket": file.bucket, "object_key": file.object_key, "version_id": file.version_id}
    asked = ArchivedFile(**place, storage_class="UNKNOWN", sample_id=look.sample_id)
    archived = await in_archives(archive, [asked])
    waiting = await not_restored(archive, archived, look.look, now)
    if not waiting:
        head = await archive.head(file.bucket, file.object_key, file.version_id)
        return [
            FileRestored(
                **place,
                subject_topic=topics.SAMPLE.name,
                subject_key=look.sample_id,
                storage_class=head.archived_in or "STANDARD",
                restored_until=head.restored_until,
            )
        ]
    return [
        FileRestoreAwaited(
            **place,
            sample_id=look.sample_id,
            read_set_id=file.read_set_id,
            storage_class=waiting[0].storage_class,
            look=look.look,
            expected_by=expected_by(waiting, look.look, now),
        )
    ]


RESTORE_FILES = Processor(
    NAME,
    reads=topics.SAMPLE,
    on=(ValidationAttemptFailed, FileRestoreAwaited, FileRestored, DeadlinePassed),
    emits=(DeadlineSet,),
    again=(DeadlineSet, FileRestoreAwaited, FileRestored),  # as often as an archive is looked at
    decide=decide,
    evolve=evolve,
    state=Files,
    effects=(
        Call(
            EFFECT,
            arguments=Look,
            emits=(FileRestoreAwaited, FileRestored),
            perform=restore,
        ),
    ),
    about="asks back a file that lies in an archive, and waits until it can be read",
)
