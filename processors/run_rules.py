"""What a person may decide about a run and its results: by command and by the API alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID, uuid5

from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.proposal import ProposalRefused
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.run_superseded import RunSuperseded
from genoflow.events.types import Part
from genoflow.processors.processor import State
from genoflow.processors.running.changed import withdrawn
from genoflow.processors.running.publication import Answered, Left, answered, left, publication
from genoflow.processors.settling import Deciding, Ruled

# What ends a run, a later one before an earlier one, and the word for it.
ENDS: Mapping[type[Event], tuple[int, str]] = {
    RunFailed: (0, "failed"),
    RunSucceeded: (0, "succeeded"),
    ResultsCollected: (1, "collected"),
    ResultsChecked: (2, "checked"),
    ResultsHeld: (2, "held"),
    ResultsPublished: (3, "published"),
    ResultsAmended: (4, "amended"),
    RunCancelled: (5, "cancelled"),
    RunSuperseded: (5, "superseded"),
    ResultsRetracted: (6, "retracted"),
}
RANKS = {word: rank for rank, word in ENDS.values()}
FACTS: tuple[type[Event], ...] = (RunRequested, RunSubmitted, RunRetryRequested, *ENDS)
# A fact, and the mark of a proposal that will be one.
MARKS: Mapping[type[Event], str] = {
    RunCancelled: "cancelled_by",
    RunRetryRequested: "retried_by",
    ResultsPublished: "published_by",
    ResultsRetracted: "retracted_by",
}


class Published(Part):
    """What became the answer to the order."""

    about: Deciding
    at: datetime
    case_id: str


class Gone(Part):
    """Why results do not count any more."""

    reason_code: str
    reason: str
    later_run_id: UUID | None = None


class Run(State):
    """What is known of a run, so far as a person may decide about it."""

    asked: Deciding | None = None
    order: Answered | None = None
    attempt: int = 0
    ended: str = ""  # how, in a word; empty as long as it is under way
    failed: Deciding | None = None  # the failure of the newest submission
    left: Left | None = None  # by the submission that was collected first, or as it was published
    held: Deciding | None = None
    published: Published | None = None
    superseded: Gone | None = None
    retracted: Gone | None = None
    cancelled_by: UUID | None = None
    retried_by: UUID | None = None  # until the fact is read back
    published_by: UUID | None = None
    retracted_by: UUID | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything on the log is about it."""
        return self.asked is not None or bool(self.attempt or self.ended)


def heard(state: Run, event: Event, offset: int) -> dict[str, object]:
    """What a fact about the run changes of what is known."""
    if isinstance(event, ProposalRefused):
        names = MARKS.values()
        return {name: None for name in names if getattr(state, name) == event.proposal_event_id}
    about = Deciding(event_id=event.envelope.event_id, offset=offset)
    change = _staged(state, event)
    if isinstance(event, RunRequested):
        if state.asked is None:
            change |= {"asked": about, "order": answered(event)}
    elif isinstance(event, RunFailed) and change:
        change["failed"] = about
    elif isinstance(event, RunRetryRequested):
        change["retried_by"] = None
    elif isinstance(event, ResultsCollected):
        change["left"] = state.left or left(event)
    elif isinstance(event, ResultsHeld):
        change["held"] = state.held or about
    elif isinstance(event, ResultsPublished) and state.published is None:
        at, case_id = event.envelope.occurred_at, event.case_id
        published = Published(about=about, at=at, case_id=case_id)
        change |= {"published": published, "left": left(event)}
    elif isinstance(event, RunSuperseded):
        gone = _gone(event, event.superseded_by_run_id)
        change["superseded"] = state.superseded or gone
    elif isinstance(event, ResultsRetracted):
        change["retracted"] = state.retracted or _gone(event)
    return change


def run_of(story: Iterable[Event]) -> Run:
    """What is known of a run by these facts, in their order."""
    known = Run()
    for number, event in enumerate(story):
        if isinstance(event, FACTS):
            known = known.model_copy(update=heard(known, event, number))
    return known


def _gone(event: RunSuperseded | ResultsRetracted, later: UUID | None = None) -> Gone:
    return Gone(reason_code=event.reason_code, reason=event.reason, later_run_id=later)


def _staged(state: Run, event: Event) -> dict[str, object]:
    attempt: int = getattr(event, "attempt", None) or 0
    if attempt and attempt < state.attempt:
        return {}  # news of a submission that was given up
    ended = state.ended
    if attempt > state.attempt and ended != "cancelled":
        ended = ""
    rank, word = ENDS.get(type(event), (-1, ""))
    if word and rank >= RANKS.get(ended, -1):
        ended = "" if isinstance(event, RunFailed) and event.will_retry else word
    return {"attempt": max(state.attempt, attempt), "ended": ended}


def marked(fact: Event, proposal_id: UUID) -> dict[str, object]:
    """What is known as soon as a proposal leads to this fact, which is read back later."""
    return {MARKS[type(fact)]: proposal_id}


# -- the rules


def cancelled(
    state: Run, key: str, *, reason: str, request_id: str | None = None
) -> Ruled[RunCancelled]:
    """The end of a run that nobody wants; Refused where it is over."""
    asked, order = asked_for(state, key)
    word = state.ended or ("cancelled" if state.cancelled_by else "")
    if word:
        raise Refused(
            f"run {key}: is {word} already, and there is nothing to end; `genoflow run "
            f"why {key}` says what can be done"
        )
    fact = RunCancelled(
        run_id=UUID(key),
        case_id=order.case_id,
        attempt=state.attempt or None,
        # Of the request for the run, so that the same command twice is one decision.
        request_id=request_id or str(uuid5(asked.event_id, "cancel")),
        reason=reason,
    )
    return Ruled(fact, asked)


def retried(
    state: Run, key: str, *, reason: str, request_id: str | None = None
) -> Ruled[RunRetryRequested]:
    """Another submission of a run that failed; Refused where it did not, or goes on already."""
    _, order = asked_for(state, key)
    if state.cancelled_by is not None or state.ended == "cancelled":
        raise Refused(
            f"run {key}: was cancelled, and does not go on; have it from the beginning with "
            f"`genoflow run again {key}`"
        )
    if state.retried_by is not None:
        raise Refused(f"run {key}: goes on already, by a decision before this one")
    if state.ended != "failed" or state.failed is None:
        raise Refused(
            f"run {key}: is {state.ended or 'under way'}, and only a run that failed goes on from "
            f"there; `genoflow run why {key}` says what it waits for"
        )
    fact = RunRetryRequested(
        run_id=UUID(key),
        case_id=order.case_id,
        attempt=state.attempt + 1,
        # Of the failure, so that the same command twice is one decision.
        request_id=request_id or str(uuid5(state.failed.event_id, "retry")),
        reason=reason,
    )
    return Ruled(fact, state.failed)


def asked_for(state: Run, key: str) -> tuple[Deciding, Answered]:
    """The request for a run, and what it answers; Refused where nobody asked for it."""
    if state.asked is None or state.order is None:
        raise Refused(
            f"run {key!r}: was never asked for; `genoflow run list` shows those that were"
        )
    return state.asked, state.order


def released(
    state: Run, key: str, *, reason: str, role: str, request_id: str | None = None
) -> Ruled[ResultsPublished]:
    """The results of a run that is held, published all the same; Refused where it is not held."""
    _refuse_gone(state, key)
    if state.published is not None or state.published_by is not None:
        since = f" (since {state.published.at:%Y-%m-%d %H:%M} UTC)" if state.published else ""
        raise Refused(
            f"run {key}: its results are published already{since}; `genoflow results show "
            f"{key}` lists them"
        )
    if state.held is None or state.order is None or state.left is None:
        raise _not_held(state, key)
    fact = publication(
        UUID(key),
        state.order,
        state.left,
        held_event_id=state.held.event_id,
        # Of the hold, so that the same command twice is one decision.
        request_id=request_id or str(uuid5(state.held.event_id, "release")),
        role=role,
        reason=reason,
    )
    return Ruled(fact, state.held)


def taken_back(
    state: Run,
    key: str,
    *,
    reason_code: str,
    reason: str,
    role: str,
    request_id: str | None = None,
) -> Ruled[ResultsRetracted]:
    """The end of published results, file by file; Refused where none of the run's are."""
    _refuse_gone(state, key)
    if state.published is None or state.left is None:
        raise Refused(
            f"run {key}: has published nothing that could be withdrawn; `genoflow run why "
            f"{key}` says how far it is"
        )
    about = state.published.about
    fact = ResultsRetracted(
        run_id=UUID(key),
        case_id=state.published.case_id,
        reason_code=reason_code,
        reason=reason,
        changes=withdrawn(state.left.files),
        request_id=request_id or str(uuid5(about.event_id, "withdraw")),
        role=role,
    )
    return Ruled(fact, about)


def _refuse_gone(state: Run, key: str) -> None:
    """Where the run does not count any more, nobody decides about its results."""
    if not state.is_known:
        raise Refused(
            f"run {key}: nothing on the log is about it; `genoflow run list` shows those that "
            f"there are"
        )
    if state.retracted is not None:
        raise Refused(
            f"run {key}: its results were retracted already, {state.retracted.reason_code} "
            f"({state.retracted.reason.rstrip('.')}); `genoflow results show {key}` tells more"
        )
    if state.retracted_by is not None:
        raise Refused(f"run {key}: its results were retracted already, by a decision before this")
    if state.superseded is not None:
        raise Refused(
            f"run {key}: does not count any more, {state.superseded.reason_code}; decide about the "
            f"run that took its place: `genoflow results show {state.superseded.later_run_id}`"
        )
    if state.ended == "cancelled" or state.cancelled_by is not None:
        raise Refused(f"run {key}: was cancelled; have its case run again")


def _not_held(state: Run, key: str) -> Refused:
    if state.ended == "checked":
        return Refused(
            f"run {key}: passed its checks and is published by itself; `genoflow workers` "
            f"shows whether a worker runs"
        )
    return Refused(
        f"run {key}: is not held, no results of it were checked yet; `genoflow run why "
        f"{key}` says how far it is"
    )
