"""An upload that is not whole after a day is given up, and its parts are freed.

Whoever completes an upload says that the file landed. Where that word is missing although the
object is there (its porch died in between), it is said here instead: the same fact, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from genoflow.events import topics
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.types import Part
from genoflow.events.upload_abandoned import UploadAbandoned
from genoflow.events.upload_initiated import UploadInitiated
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.intake.landing import landed
from genoflow.processors.ports import Attempt, ObjectGone
from genoflow.processors.processor import Call, Processor, State

NAME = "abandon-uploads"
PATIENCE = timedelta(hours=24)  # 50 GB take 11 h at 10 Mbit/s; a night and a morning are left


class Open(Part):
    """An upload of which nobody has said how it ended."""

    upload_id: UUID
    bucket: str
    object_key: str
    store_upload_id: str | None


class Uploads(State):
    """Those of one sample that are open, and the ids of those that were ever begun."""

    open: tuple[Open, ...] = ()
    seen: tuple[UUID, ...] = ()


class Free(Arguments):
    """Whose parts to free."""

    sample_id: str
    upload: Open


def decide(state: Uploads, event: Event) -> Decision:
    """Wait a day from the first word on; then see what became of it."""
    if isinstance(event, UploadInitiated):
        if event.upload_id in state.seen:
            return NOTHING
        return Decision(events=(_wait(event),))
    assert isinstance(event, DeadlinePassed)
    late = next((one for one in state.open if _is_about(event, one)), None)
    if late is None:
        return NOTHING
    arguments = Free(sample_id=event.key, upload=late)
    return Decision(effects=(Effect("free-parts", arguments, lane=str(late.upload_id)),))


def evolve(state: Uploads, event: Event) -> Uploads:
    """Keep what is open."""
    if isinstance(event, UploadInitiated):
        if event.upload_id in state.seen:
            return state
        begun = Open(
            upload_id=event.upload_id,
            bucket=event.bucket,
            object_key=event.object_key,
            store_upload_id=event.store_upload_id,
        )
        return Uploads(open=(*state.open, begun), seen=(*state.seen, event.upload_id))
    kept = tuple(one for one in state.open if not _ends(event, one))
    return state if kept == state.open else Uploads(open=kept, seen=state.seen)


def _ends(event: Event, one: Open) -> bool:
    if isinstance(event, FileLanded):
        return (event.bucket, event.object_key) == (one.bucket, one.object_key)
    if isinstance(event, UploadAbandoned):
        return event.upload_id == one.upload_id
    return isinstance(event, DeadlinePassed) and _is_about(event, one)


def _is_about(event: DeadlinePassed, one: Open) -> bool:
    return event.processor == NAME and event.deadline == str(one.upload_id)


def _wait(event: UploadInitiated) -> DeadlineSet:
    return DeadlineSet(
        subject_topic=event.topic,
        subject_key=event.key,
        processor=NAME,
        deadline=str(event.upload_id),
        purpose="the last part of this upload",
        due_at=event.envelope.occurred_at + PATIENCE,
    )


async def free(arguments: Free, attempt: Attempt) -> Sequence[Event]:
    """Free the parts and say so; where the object is whole after all, say that it landed."""
    store, parts = attempt.ports.store, attempt.ports.parts
    assert store is not None
    assert parts is not None
    late = arguments.upload
    if late.store_upload_id is not None:
        await parts.drop(late.bucket, late.object_key, late.store_upload_id)
    # Only now: nobody can complete it any more between this look and our word.
    try:
        return [landed(await store.head(late.bucket, late.object_key))]
    except ObjectGone:
        hours = PATIENCE // timedelta(hours=1)
        return [
            UploadAbandoned(
                sample_id=arguments.sample_id,
                upload_id=late.upload_id,
                bucket=late.bucket,
                object_key=late.object_key,
                reason=f"it was not whole {hours} hours after it began; send the file again",
            )
        ]


ABANDON_UPLOADS = Processor(
    NAME,
    reads=topics.SAMPLE,
    on=(UploadInitiated, DeadlinePassed),
    folds=(FileLanded, UploadAbandoned),
    emits=(DeadlineSet,),
    again=(DeadlineSet,),  # once for each upload, and no word that follows from it begins one
    decide=decide,
    evolve=evolve,
    state=Uploads,
    effects=(
        Call("free-parts", arguments=Free, emits=(UploadAbandoned, FileLanded), perform=free),
    ),
    about="gives up an upload that is not whole after a day, and frees its parts",
)
