"""A hop: what a file of a sample holds is told under the checksum of its bytes."""

from __future__ import annotations

from collections.abc import Iterable

from genoflow.events import topics
from genoflow.events.content_held import ContentHeld
from genoflow.events.content_released import ContentReleased
from genoflow.events.event import Event
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.stored_version import name_of
from genoflow.events.types import Part
from genoflow.events.validated import Validated
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor, State

# Indexes of files: where the files have the same bytes, these do, and say nothing more.
INDEXES = ("BAI", "CSI", "TBI", "CRAI")


class Moved(Part):
    """A read set that came from another label, and what it was called there."""

    read_set_id: str
    replaces_read_set_id: str


class Held(State):
    """The files of a sample whose bytes are told and count."""

    files: tuple[ContentHeld, ...] = ()
    moved: tuple[Moved, ...] = ()
    gone: tuple[str, ...] = ()  # read sets and versions of files that count no more


def decide(state: Held, event: Event) -> Decision:
    """Tell of each version of a file once that it counts, and once that it does not."""
    if isinstance(event, Validated):
        held = _held(state, event)
        return NOTHING if held is None else Decision(events=(held,))
    return Decision(
        events=tuple(
            ContentReleased(
                sha256=one.sha256,
                sample_id=one.sample_id,
                bucket=one.bucket,
                object_key=one.object_key,
                version_id=one.version_id,
            )
            for one in _released(state, event)
        )
    )


def evolve(state: Held, event: Event) -> Held:
    """Keep which files count."""
    if isinstance(event, ReadSetRegistered):
        if event.replaces_read_set_id is None:
            return state
        moved = Moved(
            read_set_id=event.read_set_id, replaces_read_set_id=event.replaces_read_set_id
        )
        return state.model_copy(update={"moved": tuple(dict.fromkeys((*state.moved, moved)))})
    if isinstance(event, Validated):
        held = _held(state, event)
        return state if held is None else state.model_copy(update={"files": (*state.files, held)})
    over = {name_of(one) for one in _released(state, event)}
    assert isinstance(event, ReadSetInvalidated | FileQuarantined)
    named = event.read_set_id if isinstance(event, ReadSetInvalidated) else name_of(event)
    return state.model_copy(
        update={
            "gone": tuple(dict.fromkeys((*state.gone, named))),
            "files": tuple(one for one in state.files if name_of(one) not in over),
        }
    )


def _held(state: Held, event: Validated) -> ContentHeld | None:
    """What to tell of a file; None where it is told, counts no more, or holds nothing."""
    is_known = any(name_of(one) == name_of(event) for one in state.files)
    is_gone = event.read_set_id in state.gone or name_of(event) in state.gone
    # Files without a read are alike whosever they are: the controls of a run have them.
    is_empty = event.size_bytes == 0 or event.reads == 0 or event.role in INDEXES
    if is_known or is_gone or is_empty:
        return None
    came = (one.replaces_read_set_id for one in state.moved if one.read_set_id == event.read_set_id)
    return ContentHeld(
        sha256=event.sha256,
        size_bytes=event.size_bytes,
        sample_id=event.sample_id,
        read_set_id=event.read_set_id,
        replaces_read_set_id=next(came, None),
        role=event.role,
        bucket=event.bucket,
        object_key=event.object_key,
        version_id=event.version_id,
    )


def _released(state: Held, event: Event) -> Iterable[ContentHeld]:
    if isinstance(event, ReadSetInvalidated):
        return [one for one in state.files if one.read_set_id == event.read_set_id]
    assert isinstance(event, FileQuarantined)
    return [one for one in state.files if name_of(one) == name_of(event)]


TELL_CONTENT = Processor(
    "tell-content",
    reads=topics.SAMPLE,
    on=(Validated, ReadSetInvalidated, FileQuarantined),
    folds=(ReadSetRegistered,),
    emits=(ContentHeld, ContentReleased),
    decide=decide,
    evolve=evolve,
    state=Held,
    about="tells under the checksum of its bytes what each valid file of a sample holds",
)
