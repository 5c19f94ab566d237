"""The flow under simulation: rows of the real one, and two that use every feature of a worker.

`tally` keeps a state per sample, answers on its own key and on another topic, calls, launches jobs,
sets, moves and cancels deadlines, and cannot take a poisoned file. `gather` counts what it is told
and trusts that it is told once: nothing in it would notice a repetition.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.deadline_cancelled import DeadlineCancelled
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.notification_failed import NotificationFailed
from genoflow.events.notification_sent import NotificationSent
from genoflow.events.run_exited import RunExited
from genoflow.events.subscription_cancelled import SubscriptionCancelled
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.processors.checksum_files import CHECKSUM_FILES
from genoflow.processors.clock import clock_on
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect, effect_id
from genoflow.processors.ports import Attempt, JobOrder, Letter
from genoflow.processors.processor import Call, Job, Processor, Start, State
from genoflow.processors.watch_silence import WATCH_SILENCE

POISON = "poison"  # the etag of a file that `tally` cannot take
NAME = "tally"
GATHERED_MAX = 3  # so that states are forgotten in most runs


class Tally(State):
    """What the first release keeps of a sample."""

    seen: tuple[UUID, ...] = ()
    count: int = 0
    deadline_id: UUID | None = None
    passed: int = 0

    @property
    def files(self) -> int:
        """How many files there were."""
        return self.count


class TallyAnew(State):
    """The same under other names: what the first release kept does not fit it."""

    seen: tuple[UUID, ...] = ()
    files: int = 0
    deadline_id: UUID | None = None
    passed: int = 0


class AboutFile(Arguments):
    """Which file an effect is about."""

    sample_id: str
    name: str
    event_id: UUID
    number: int


def decide(state: Any, event: Event) -> Decision:
    """Answer to each file once, in a way that tells what was known before it."""
    if not isinstance(event, FileLanded) or event.envelope.event_id in state.seen:
        return NOTHING
    if event.etag == POISON:
        raise ValueError(f"{event.object_key} is poisoned")
    told = TopUpRequested(
        sample_id=event.key,
        round=state.files + 1,
        failed_event_id=event.envelope.event_id,
        reads_wanted=state.passed,
        reason="one file more",
    )
    hop = NotificationFailed(
        subscription_id=f"all-{event.size_bytes % 2}",
        notification_id=event.envelope.event_id,
        attempt=state.files + 1,
        attempts_max=1_000,
        channel="email",
        reason_code="no answer",
        reason=event.key,
        is_final=False,
    )
    return Decision(
        events=(told, hop, *_deadline(state, event)),
        effects=tuple(_effects(state, event)),
        closes=tuple(_closes(state, event)),
    )


def _deadline(state: Any, event: FileLanded) -> Sequence[Event]:
    about = {"subject_topic": event.topic, "subject_key": event.key, "processor": NAME}
    if event.role == "I1" and state.deadline_id is not None:
        return [
            DeadlineCancelled(
                **about, deadline_id=state.deadline_id, deadline="answer", reason="it came"
            )
        ]
    if event.role in {"R2", "OTHER"}:
        due_at = event.envelope.occurred_at + timedelta(seconds=event.size_bytes)
        return [DeadlineSet(**about, deadline="answer", purpose="an answer", due_at=due_at)]
    return []


def _closes(state: Any, event: FileLanded) -> Sequence[UUID]:
    """A file of role I1 makes the letter about the one before it superfluous, sent or not."""
    superfluous = event.role == "I1" and state.seen
    return [effect_id(state.seen[-1], NAME, "mail")] if superfluous else []


def _effects(state: Any, event: FileLanded) -> Sequence[Effect]:
    arguments = AboutFile(
        sample_id=event.key,
        name=event.object_key,
        event_id=event.envelope.event_id,
        number=state.files + 1,
    )
    mail, align = Effect("mail", arguments), Effect("align", arguments, lane=f"jobs/{event.key}")
    return {"R1": [mail], "R2": [mail, align], "BAM": [align]}.get(event.role or "", [])


def evolve(state: Any, event: Event) -> Any:
    """Count files and passed deadlines, and keep the newest deadline."""
    if isinstance(event, DeadlineSet):
        ours = event.processor == NAME
        return state.model_copy(update={"deadline_id": event.envelope.event_id}) if ours else state
    if isinstance(event, DeadlinePassed):
        ours = event.processor == NAME
        return state.model_copy(update={"passed": state.passed + 1}) if ours else state
    if event.envelope.event_id in state.seen:
        return state
    counter = "count" if isinstance(state, Tally) else "files"
    seen = (*state.seen, event.envelope.event_id)
    return state.model_copy(update={"seen": seen, counter: state.files + 1})


async def write(arguments: AboutFile, attempt: Attempt) -> Sequence[Event]:
    """Send a letter about a file, in its own time."""
    assert attempt.ports.mail is not None
    attempt.progress(0, 1, "letters")
    await asyncio.sleep(attempt.effect_id.int % 7 / 2)
    letter = Letter(attempt.effect_id, (arguments.sample_id,), arguments.name, "")
    await attempt.ports.mail.send(letter)
    return [
        NotificationSent(
            subscription_id=f"all-{arguments.number % 2}",
            notification_id=attempt.effect_id,
            attempt=arguments.number,
            channel="email",
        )
    ]


def order(arguments: AboutFile) -> JobOrder:
    """A job that is known by the file that it is about, whatever the id of its effect."""
    return JobOrder(("align",), arguments.name.encode())


def collect(arguments: AboutFile, _outcome: object) -> Sequence[Event]:
    """Say that the job is over."""
    return [RunExited(run_id=arguments.event_id, attempt=1, job_id=arguments.name, exit_code=0)]


def give_up(arguments: AboutFile, _reason: str) -> Sequence[Event]:
    """Say that nobody can be reached."""
    return [
        NotificationSent(
            subscription_id=f"all-{arguments.number % 2}",
            notification_id=arguments.event_id,
            attempt=arguments.number,
            channel="email",
            response_code=421,
        )
    ]


def is_out_of_reach(effect_id: UUID) -> bool:
    """Whether the server of this letter never answers."""
    return effect_id.int % 11 == 0


def leaves_nothing(document: bytes) -> bool:
    """Whether this job ends without an outcome."""
    return sum(document) % 5 == 0


def is_refused(effect_id: UUID) -> bool:
    """Whether the mail server refuses this letter until a person has had it mended."""
    return effect_id.int % 6 == 0


def refuse(letter: Letter) -> Parked:
    """What a mail server says that does not take a letter."""
    return Parked(f"letter {letter.message_id}: its address is refused; have it mended, requeue it")


def tally(version: int) -> Processor:
    """The first or the second release of `tally`: another state, the same answers."""
    return Processor(
        NAME,
        reads=topics.SAMPLE,
        on=(FileLanded,),
        folds=(DeadlineSet, DeadlinePassed),
        emits=(TopUpRequested, NotificationFailed, DeadlineSet, DeadlineCancelled),
        decide=decide,
        evolve=evolve,
        state=Tally if version == 1 else TallyAnew,
        state_version=version,
        effects=(
            Call(
                "mail",
                arguments=AboutFile,
                emits=(NotificationSent,),
                perform=write,
                gives_up=give_up,
            ),
            Job("align", arguments=AboutFile, emits=(RunExited,), order=order, collect=collect),
        ),
        about="answers to every file in every way there is",
    )


class Gathered(State):
    """How much was said under one name."""

    count: int = 0


def gather_decide(state: Gathered, event: Event) -> Decision:
    """Say how much there was before."""
    return Decision(
        events=(
            SubscriptionCancelled(
                subscription_id=event.key, reason_code="asked for", reason=f"after {state.count}"
            ),
        )
    )


def gather_evolve(state: Gathered, _event: Event) -> Gathered | None:
    """Count one more; forget everything after a few."""
    return Gathered(count=state.count + 1) if state.count < GATHERED_MAX else None


GATHER = Processor(
    "gather",
    reads=topics.NOTIFICATION,
    on=(NotificationFailed, NotificationSent),
    emits=(SubscriptionCancelled,),
    decide=gather_decide,
    evolve=gather_evolve,
    state=Gathered,
    about="counts what it is told",
)
CLOCK = clock_on(topics.SAMPLE)


def late_decide(state: Gathered, event: FileLanded) -> Decision:
    """Count the files since it began, repeated ones too."""
    told = NotificationFailed(
        subscription_id="late",
        notification_id=event.envelope.event_id,
        attempt=state.count + 1,
        attempts_max=1_000,
        channel="email",
        reason_code="gone",
        reason=event.key,
        is_final=True,
    )
    return Decision(events=(told,))


LATECOMER = Processor(
    "latecomer",
    reads=topics.SAMPLE,
    on=(FileLanded,),
    emits=(NotificationFailed,),
    decide=late_decide,
    evolve=lambda state, _: Gathered(count=state.count + 1),
    state=Gathered,
    start=Start.NOW,
    about="begins wherever the topic ends when it comes",
)


def flow(version: int, *, wide: bool) -> tuple[Processor, ...]:
    """The rows of one simulated deployment; the wide one has the real rows beside ours."""
    narrow = (tally(version), dataclasses.replace(GATHER, state_version=version), CLOCK)
    return (*narrow, CHECKSUM_FILES, WATCH_SILENCE, LATECOMER) if wide else narrow
