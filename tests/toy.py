"""A row that uses what a worker offers, and refuses what it is told to: how tests make it fail.

A file's etag says what becomes of it: `poison` is refused, `mail` opens an effect, `forget`
forgets the subject, and the others answer with something that the row does not allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from genoflow.events import topics
from genoflow.events.codec import Codec
from genoflow.events.event import Event
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_parked import EventParked
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.file_landed import FileLanded
from genoflow.events.notification_failed import NotificationFailed
from genoflow.events.notification_sent import NotificationSent
from genoflow.events.registry import released
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ports import Attempt, Letter
from genoflow.processors.processor import Call, Processor, State
from tests.partition import MOMENT, Partition
from tests.spec import heard

SAMPLE = topics.SAMPLE.name
NOBODY = UUID(int=0)


class Files(State):
    """What the first release knows of a sample."""

    names: tuple[str, ...] = ()


class FilesAnew(State):
    """What the second release knows; what the first one kept does not fit it."""

    newest_first: tuple[str, ...] = ()
    size_bytes: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """In the order of coming."""
        return self.newest_first[::-1]


class AboutFile(Arguments):
    """Which file a letter is about."""

    sample_id: str
    name: str


def landed(name: str, etag: str = "", sample: str = "S1") -> FileLanded:
    """A file of a sample; the number in its name says when it came."""
    at = MOMENT + timedelta(seconds=sum(name.encode()))
    fact = FileLanded(
        bucket=f"raw-{sample.lower()}", object_key=name, version_id="1", size_bytes=len(name),
        etag=etag or "fine", last_modified_at=at, sample_id=sample, role="R1",
    )  # fmt: skip
    return heard(fact, at)


def topped(number: int, cause: FileLanded, name: str = "") -> TopUpRequested:
    """What follows from the nth file of a sample, as long as nothing was lost or came twice."""
    return TopUpRequested(
        sample_id=cause.key, round=number, failed_event_id=cause.envelope.event_id,
        reads_wanted=number, reason=name or cause.object_key,
    )  # fmt: skip


def _hop(event: FileLanded, number: int) -> NotificationFailed:
    return NotificationFailed(
        subscription_id="all", notification_id=event.envelope.event_id, attempt=number,
        attempts_max=1_000, channel="email", reason_code="no answer", reason=event.object_key,
        is_final=False,
    )  # fmt: skip


def decide(state: Files | FilesAnew, event: FileLanded) -> Decision:
    """Number the files of a sample; tell each once."""
    if event.object_key in state.names:
        return NOTHING
    if event.etag == "poison":
        raise ValueError(f"{event.object_key} is poison")
    number = len(state.names) + 1
    told = topped(number, event)
    arguments = AboutFile(sample_id=event.key, name=event.object_key)
    mail, mails = Effect("mail", arguments), [Effect("mail", arguments, text) for text in "ab"]
    answers = {
        "hop": Decision(events=(told, _hop(event, number))),
        "mail": Decision(events=(told,), effects=(mail,)),
        "two-mails": Decision(effects=tuple(mails)),
        "stranger": Decision(events=(event,)),
        "elsewhere": Decision(events=(told.model_copy(update={"sample_id": "S2"}),)),
        "unknown-effect": Decision(effects=(Effect("telephone", arguments),)),
        "wrong-arguments": Decision(effects=(Effect("mail", Arguments()),)),
        "many": Decision(events=(told,) * 1_001),
    }
    return answers.get(event.etag, Decision(events=(told,)))


def evolve(state: Files, event: FileLanded) -> Files | None:
    """Keep the names in order."""
    if event.etag == "forget":
        return None
    return (
        state if event.object_key in state.names else Files(names=(*state.names, event.object_key))
    )


def evolve_anew(state: FilesAnew, event: FileLanded) -> FilesAnew | None:
    """Keep the names the other way round."""
    if event.etag == "forget":
        return None
    if event.object_key in state.names:
        return state
    return FilesAnew(
        newest_first=(event.object_key, *state.newest_first),
        size_bytes=state.size_bytes + event.size_bytes,
    )


async def write(arguments: AboutFile, attempt: Attempt) -> Sequence[Event]:
    """Send a letter about a file."""
    assert attempt.ports.mail is not None
    letter = Letter(attempt.effect_id, (arguments.sample_id,), arguments.name, "")
    await attempt.ports.mail.send(letter)
    return [sent(attempt.effect_id)]


def sent(effect: UUID) -> NotificationSent:
    """The letter of an effect went out."""
    return NotificationSent(
        subscription_id="all", notification_id=effect, attempt=1, channel="email"
    )


TOY = Processor(
    "toy",
    reads=topics.SAMPLE,
    on=(FileLanded,),
    emits=(TopUpRequested, NotificationFailed),
    decide=decide,
    evolve=evolve,
    state=Files,
    effects=(Call("mail", arguments=AboutFile, emits=(NotificationSent,), perform=write),),
    about="numbers the files of a sample",
)
TOY_ANEW = replace(TOY, state=FilesAnew, evolve=evolve_anew, state_version=2)


def requeued(
    parked: EventParked, request: str = "r1", mended: FileLanded | None = None
) -> EventRequeued:
    """A person sends it through again, as it was or mended."""
    fact = EventRequeued(
        subject_topic=parked.input_topic, subject_key=parked.subject_key,
        processor=parked.processor, partition=parked.partition, offset=parked.offset,
        effect_id=parked.effect_id, request_id=request, reason="it will go through",
        value=Codec(released()).encode(mended)[0] if mended is not None else None,
    )  # fmt: skip
    return heard(fact)


def discarded(parked: EventParked, request: str = "r1") -> EventDiscarded:
    """A person gives it up."""
    fact = EventDiscarded(
        subject_topic=parked.input_topic, subject_key=parked.subject_key,
        processor=parked.processor, partition=parked.partition, offset=parked.offset,
        effect_id=parked.effect_id, request_id=request, reason="it is of no use",
    )  # fmt: skip
    return heard(fact)


# -- a partition with the toy on it


def told(partition: Partition) -> list[tuple[str, int]]:
    """Which files were told of, each with its number, in order."""
    return [(e.reason, e.round) for e in partition.said if isinstance(e, TopUpRequested)]


def parked_by(partition: Partition) -> list[EventParked]:
    """What was parked, in order."""
    return [event for event in partition.said if isinstance(event, EventParked)]


def worked(*events: Event, row: Processor = TOY) -> Partition:
    """A partition with these events, all taken."""
    partition = Partition(row)
    partition.put(*events)
    partition.work()
    return partition
