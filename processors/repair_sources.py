"""What has not come is asked for again where it comes from, at once and three times more.

The tower says what is late or missing, and who owes it. Where that is a porch with a source that
can be asked, an effect asks it: what the source has and the log lacks is appended under the ids
that it would have had anyway. The alert stays until the tower sees that the wait is over. What one
of our own rows owes has no source outside: its worker is behind, or the event is parked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from genoflow.events import topics
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.repair_tried import AWAY, BROUGHT, NOTHING_NEW, RepairTried
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ports import Attempt
from genoflow.processors.processor import Call, Processor, State
from genoflow.processors.sources import Question

NAME = "repair-sources"
ASK = "ask"
DEADLINE = "again"
# Whose source has what ends a stage. `run` is over when its job is, and of that the launcher knows.
ASKED: dict[str, str] = {
    "land": "store-notifications",
    "start": "task-news",
    "run": "task-news",
    "task": "task-news",
    "sequence": "sequencer-watcher",
}
WAITING = ("late", "missing")
# Behind the tries before. What is there at once was lost on the way; what comes within six hours
# was slow; what comes later a person has to look for.
PAUSES = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
TRIES_MAX = 1 + len(PAUSES)
# A bucket of 100,000 objects is listed in 100 answers of 0.2 s, and a run folder of a NovaSeq is
# looked at three times with 15 s between them.
ASK_SECONDS_MAX = 600.0
REASON_CHARACTERS_MAX = 500


class Wanted(Arguments):
    """What an alert waits for, whose source is asked, and which try it is."""

    alert_id: UUID
    number: int = 1
    porch: str
    stage: str
    item: str = ""
    subject_topic: str
    subject_key: str


class Repair(State):
    """What an alert waits for, and how often it was asked for."""

    wanted: Wanted | None = None  # of the newest try; none where nobody can be asked
    is_asked: bool = False  # a try is under way
    wait_until: datetime | None = None  # when the next one is due
    is_over: bool = False


def decide(state: Repair, event: Event) -> Decision:
    """Ask at once and after each pause, never twice at a time, and no more once it is over."""
    return _step(state, event)[1]


def evolve(state: Repair, event: Event) -> Repair:
    """Keep what is asked for, and which try is under way or waited for."""
    return _step(state, event)[0]


def _step(state: Repair, event: Event) -> tuple[Repair, Decision]:
    if isinstance(event, AlertRaised):
        return _raised(state, event)
    if isinstance(event, RepairTried):
        return _tried(state, event)
    if isinstance(event, DeadlinePassed):
        return _passed(state, event)
    assert isinstance(event, AlertResolved)
    return _over(state), NOTHING


def _raised(state: Repair, event: AlertRaised) -> tuple[Repair, Decision]:
    porch = ASKED.get(event.stage or "") if event.kind in WAITING else None
    known = state.wanted is not None or state.is_over
    if porch is None or known or event.subject_topic is None or event.subject_key is None:
        return state, NOTHING
    assert event.stage is not None
    wanted = Wanted(
        alert_id=event.alert_id, porch=porch, stage=event.stage, item=event.item or "",
        subject_topic=event.subject_topic, subject_key=event.subject_key,
    )  # fmt: skip
    return _asking(state, wanted)


def _asking(state: Repair, wanted: Wanted) -> tuple[Repair, Decision]:
    asked = {"wanted": wanted, "is_asked": True, "wait_until": None}
    return state.model_copy(update=asked), Decision(effects=(Effect(ASK, wanted),))


def _tried(state: Repair, event: RepairTried) -> tuple[Repair, Decision]:
    wanted = state.wanted
    if wanted is None or not state.is_asked or event.number != wanted.number:
        return state, NOTHING
    after = state.model_copy(update={"is_asked": False})
    if state.is_over or wanted.number >= TRIES_MAX:
        return after, NOTHING
    deadline = DeadlineSet(
        subject_topic=event.topic,
        subject_key=event.key,
        processor=NAME,
        deadline=DEADLINE,
        purpose=f"try {wanted.number + 1} of {TRIES_MAX} to have what is lacking from its source",
        due_at=event.envelope.occurred_at + PAUSES[wanted.number - 1],
    )
    waits = after.model_copy(update={"wait_until": deadline.due_at})
    return waits, Decision(events=(deadline,))


def _passed(state: Repair, event: DeadlinePassed) -> tuple[Repair, Decision]:
    until, wanted = state.wait_until, state.wanted
    named = (event.processor, event.deadline, event.due_at)
    if until is None or wanted is None or named != (NAME, DEADLINE, until):
        return state, NOTHING
    return _asking(state, wanted.model_copy(update={"number": wanted.number + 1}))


def _over(state: Repair) -> Repair:
    """Nobody asks again: a wait passes unheeded, and a try that is under way says what it found."""
    return state.model_copy(update={"wait_until": None, "is_over": True})


async def ask(wanted: Wanted, attempt: Attempt) -> Sequence[Event]:
    """Have the source bring what it has, and say what that was."""
    sources = attempt.ports.sources
    if sources is None:
        raise Parked(
            f"{ASK}: this worker knows no source of {wanted.porch}; let one that does run {NAME}, "
            f"then `genoflow parked requeue`"
        )
    answer = await sources.ask(
        Question(
            wanted.porch, wanted.stage, wanted.subject_topic, wanted.subject_key, wanted.item
        )
    )  # fmt: skip
    kinds = Counter(one.type() for one in answer.brought)
    said = _said(
        wanted,
        BROUGHT if kinds else NOTHING_NEW,
        answer.reason or f"{answer.place} was looked at",
    )
    found = {
        "place": answer.place, "looked_at": answer.looked_at, "is_shared": answer.is_shared,
        "facts": kinds.total(), "types": tuple(sorted(kinds)[:20]),
    }  # fmt: skip
    return [RepairTried(**said | found)]


def away(wanted: Wanted, reason: str) -> Sequence[Event]:
    """The source did not answer; the next try asks it again."""
    return [RepairTried(**_said(wanted, AWAY, reason))]


def _said(wanted: Wanted, outcome: str, reason: str) -> dict[str, object]:
    return {
        **dict(wanted), "item": wanted.item or None, "tries_max": TRIES_MAX, "outcome": outcome,
        "reason": reason[:REASON_CHARACTERS_MAX],
    }  # fmt: skip


REPAIR_SOURCES = Processor(
    NAME,
    reads=topics.ALERT,
    on=(AlertRaised, RepairTried, DeadlinePassed),
    folds=(AlertResolved,),
    emits=(DeadlineSet,),
    again=(DeadlineSet, RepairTried),  # four tries for an alert, with a wait between two
    decide=decide,
    evolve=evolve,
    state=Repair,
    effects=(
        Call(
            ASK,
            arguments=Wanted,
            emits=(RepairTried,),
            perform=ask,
            seconds_max=ASK_SECONDS_MAX,
            gives_up=away,
        ),
    ),
    about="has what is late or missing brought by the source that owes it, four times at most",
)
