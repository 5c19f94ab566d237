"""Who holds the same bytes: a note within a sample, and between two samples a likely swap."""

from __future__ import annotations

from genoflow.events import topics
from genoflow.events.content_held import ContentHeld
from genoflow.events.content_released import ContentReleased
from genoflow.events.duplicate_file_detected import (
    ANOTHER_SAMPLE,
    SAME_SAMPLE,
    DuplicateFileDetected,
)
from genoflow.events.event import Event
from genoflow.events.stored_version import name_of
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this

# A file that everybody sends, such as a test file, has many holders. Those that come later are
# compared with these: 100 of 1 kB are a state of 100 kB.
HOLDERS_MAX = 100


class Holders(Remembering):
    """The files that hold these bytes and count, in the order in which they were heard of."""

    files: tuple[ContentHeld, ...] = ()
    released: tuple[str, ...] = ()  # a file may be taken back before it is heard of here


def decide(state: Holders, event: ContentHeld) -> Decision:
    """Tell of a second holder once; of another sample rather than of the same one."""
    if is_repeated(state, event) or not _is_new(state, event):
        return NOTHING
    others = [one for one in state.files if not _is_the_same(one, event)]
    elsewhere = [one for one in others if one.sample_id != event.sample_id]
    if elsewhere:
        first = elsewhere[0]
        return Decision(
            events=(
                _told(event, first, ANOTHER_SAMPLE, is_first=False),
                _told(first, event, ANOTHER_SAMPLE, is_first=True),
            )
        )
    told = (_told(event, others[0], SAME_SAMPLE, is_first=False),) if others else ()
    return Decision(events=told)


def evolve(state: Holders, event: Event) -> Holders:
    """Keep who holds them."""
    if is_repeated(state, event):
        return state
    seen = with_this(state, event)
    if isinstance(event, ContentReleased):
        kept = tuple(one for one in state.files if name_of(one) != name_of(event))
        released = tuple(dict.fromkeys((*state.released, name_of(event))))[-HOLDERS_MAX:]
        return Holders(files=kept, released=released, seen=seen)
    assert isinstance(event, ContentHeld)
    if not _is_new(state, event):
        return state.model_copy(update={"seen": seen})
    # What a person moved here, or sent again in its place, counts in the place of what it was.
    others = tuple(one for one in state.files if not _is_the_same(one, event))
    bare = ContentHeld(**dict(event))
    return state.model_copy(update={"files": (*others, bare)[:HOLDERS_MAX], "seen": seen})


def _is_new(state: Holders, event: ContentHeld) -> bool:
    known = (name_of(one) for one in state.files if one.sample_id == event.sample_id)
    return name_of(event) not in (*known, *state.released)


def _is_the_same(one: ContentHeld, event: ContentHeld) -> bool:
    """Whether one stands for the other: a newer version of the object, or a move by a person."""
    is_object = (one.bucket, one.object_key) == (event.bucket, event.object_key)
    is_moved = (
        event.replaces_read_set_id is not None and event.replaces_read_set_id == one.read_set_id
    ) or (one.replaces_read_set_id is not None and one.replaces_read_set_id == event.read_set_id)
    return is_moved or (is_object and one.sample_id == event.sample_id)


def _told(
    one: ContentHeld, other: ContentHeld, manner: str, *, is_first: bool
) -> DuplicateFileDetected:
    return DuplicateFileDetected(
        sample_id=one.sample_id,
        read_set_id=one.read_set_id,
        role=one.role,
        bucket=one.bucket,
        object_key=one.object_key,
        version_id=one.version_id,
        sha256=one.sha256,
        size_bytes=one.size_bytes,
        manner=manner,
        is_first=is_first,
        other_sample_id=other.sample_id,
        other_read_set_id=other.read_set_id,
        other_bucket=other.bucket,
        other_object_key=other.object_key,
        other_version_id=other.version_id,
    )


FIND_DUPLICATES = Processor(
    "find-duplicates",
    reads=topics.CONTENT,
    on=(ContentHeld,),
    folds=(ContentReleased,),
    emits=(DuplicateFileDetected,),
    decide=decide,
    evolve=evolve,
    state=Holders,
    about="finds files that hold the very same bytes, and tells the samples of both",
)
