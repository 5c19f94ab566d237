"""A sample of which nothing is heard for a day is reported, once, until there is news of it.

When its reads have passed QC, nothing more has to be heard of the sample itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from genoflow.events import topics
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_left import CaseLeft
from genoflow.events.deadline_passed import DeadlinePassed
from genoflow.events.deadline_set import DeadlineSet
from genoflow.events.event import Event
from genoflow.events.file_assigned import FileAssigned
from genoflow.events.file_checksummed import FileChecksummed
from genoflow.events.file_landed import FileLanded
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_passed import QcPassed
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.subject_silent import SubjectSilent
from genoflow.events.validated import Validated
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor, State

NAME = "watch-silence"
SILENCE = timedelta(hours=24)  # the lab's own promise: a day between any two steps
ENDINGS = (FileAssigned, CaseLeft)  # after them nothing more has to come
# After reads that passed, only these open a wait again: what is still said of the files does not.
BEGINNINGS = (CaseJoined, ReadSetRegistered, FileLanded, QcFailed)


class Heard(State):
    """The last news of a sample, and until when the next is waited for."""

    last_at: datetime | None = None
    last_type: str = ""
    last_event_id: UUID | None = None
    due_at: datetime | None = None  # none: nobody waits
    cases: tuple[str, ...] = ()  # those that are open
    has_passed: bool = False  # its reads are good: its cases and their runs have the next word


def decide(state: Heard, event: Event) -> Decision:
    """Wait from the first news on; when the wait is over, wait on or report."""
    if not isinstance(event, DeadlinePassed):
        waits = state.due_at is not None or isinstance(event, ENDINGS)
        if waits or not _is_news(state, event) or _has_passed(state, event):
            return NOTHING
        return Decision(events=(_wait(event, event.envelope.occurred_at + SILENCE),))
    if not _is_ours(state, event) or state.last_at is None or state.last_event_id is None:
        return NOTHING
    if state.last_at + SILENCE > event.due_at:
        return Decision(events=(_wait(event, state.last_at + SILENCE),))
    silent = SubjectSilent(
        subject_topic=event.topic,
        subject_key=event.key,
        last_event_id=state.last_event_id,
        last_type=state.last_type,
        last_at=state.last_at,
        usual_seconds=SILENCE.total_seconds(),
    )
    return Decision(events=(silent,))


def evolve(state: Heard, event: Event) -> Heard:
    """Keep the newest news, and until when it is waited for."""
    if isinstance(event, DeadlinePassed):
        if not _is_ours(state, event) or state.last_at is None:
            return state
        still = state.last_at + SILENCE
        return state.model_copy(update={"due_at": still if still > event.due_at else None})
    if isinstance(event, ENDINGS):
        return _ended(state, event)
    if isinstance(event, CaseJoined):
        cases = tuple(dict.fromkeys((*state.cases, event.case_id)))
        state = state.model_copy(update={"cases": cases})
    if not _is_news(state, event):
        return state
    at, has_passed = event.envelope.occurred_at, _has_passed(state, event)
    return Heard(
        last_at=at,
        last_type=event.type(),
        last_event_id=event.envelope.event_id,
        due_at=None if has_passed else state.due_at or at + SILENCE,
        cases=state.cases,
        has_passed=has_passed,
    )


def _has_passed(state: Heard, event: Event) -> bool:
    return isinstance(event, QcPassed) or (state.has_passed and not isinstance(event, BEGINNINGS))


def _ended(state: Heard, event: FileAssigned | CaseLeft) -> Heard:
    """Nobody waits for news of a file whose sample tells it, or of a sample of no case."""
    cases = state.cases
    if isinstance(event, CaseLeft):
        cases = tuple(one for one in cases if one != event.case_id)
    return state.model_copy(update={"cases": cases, "due_at": state.due_at if cases else None})


def _is_news(state: Heard, event: Event) -> bool:
    return state.last_at is None or event.envelope.occurred_at > state.last_at


def _is_ours(state: Heard, event: DeadlinePassed) -> bool:
    return event.processor == NAME and event.due_at == state.due_at


def _wait(event: Event, until: datetime) -> DeadlineSet:
    return DeadlineSet(
        subject_topic=event.topic,
        subject_key=event.key,
        processor=NAME,
        deadline="silence",
        purpose="news of this sample",
        due_at=until,
    )


WATCH_SILENCE = Processor(
    NAME,
    reads=topics.SAMPLE,
    on=(
        SampleRegistered,
        CaseJoined,
        CaseLeft,
        ReadSetRegistered,
        FileLanded,
        FileAssigned,
        FileChecksummed,
        Validated,
        QcPassed,
        QcFailed,
        DeadlinePassed,
    ),
    emits=(DeadlineSet, SubjectSilent),
    again=(DeadlineSet,),  # once for each wait that news have made longer: news end, waits end
    decide=decide,
    evolve=evolve,
    state=Heard,
    about="reports a sample of which nothing was heard for a day",
)
