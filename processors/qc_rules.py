"""What a person may decide about reads that failed: at the command line and by the API alike."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid5

from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.measured import Measured
from genoflow.events.proposal import ProposalRefused
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.top_up_requested import TopUpRequested
from genoflow.events.types import Part
from genoflow.processors.processor import State
from genoflow.processors.qc_metrics import broken
from genoflow.processors.settling import Deciding, Ruled

# What a person may let go on. Mates that differ, or no reads at all, cannot be taken by any run.
CAN_BE_OVERRIDDEN = ("below threshold", "run failed", "violations")
Verdict = QcRequested | QcPassed | QcFailed | QcOverridden
# A sample is topped up a few times. A failure has 4 kB at most, so a full list is 400 kB.
ROUNDS_KEPT_MAX = 100
METRICS_KEPT_MAX = 20  # of a failure: as many as a person looks at


class Failure(Part):
    """Why reads failed, and what would help."""

    reason_code: str
    reason: str
    reads_missing: int | None
    metrics: tuple[str, ...]


class Round(Part):
    """The newest verdict about the reads of one round."""

    number: int
    verdict: str  # the type of the event
    about: Deciding
    failure: Failure | None = None
    overridden_by: UUID | None = None  # a fact, or a proposal that will be one
    topped_up_by: UUID | None = None


class Quality(State):
    """What is known of the rounds of a sample."""

    rounds: tuple[Round, ...] = ()


def heard(state: Quality, event: Event, offset: int) -> tuple[Round, ...]:
    """The rounds behind a verdict, or behind what a person decided about one."""
    known = {one.number: one for one in state.rounds}
    if isinstance(event, ProposalRefused):
        return tuple(_unmarked(one, event.proposal_event_id) for one in state.rounds)
    if isinstance(event, TopUpRequested):
        one = known.get(event.round - 1)
        if one is not None:
            update = {"topped_up_by": event.envelope.event_id}
            known[one.number] = one.model_copy(update=update)
    else:
        assert isinstance(event, Verdict)
        known[event.round] = _round(event, offset, known.get(event.round))
    return tuple(sorted(known.values(), key=lambda one: one.number))[-ROUNDS_KEPT_MAX:]


def _round(event: Verdict, offset: int, before: Round | None) -> Round:
    return Round(
        number=event.round,
        verdict=event.type(),
        about=Deciding(event_id=event.envelope.event_id, offset=offset),
        failure=_failure(event) if isinstance(event, QcFailed) else None,
        topped_up_by=before.topped_up_by if before else None,
    )


def _failure(event: QcFailed) -> Failure:
    return Failure(
        reason_code=event.reason_code,
        reason=event.reason,
        reads_missing=event.reads_missing,
        metrics=tuple(dict.fromkeys(one.metric for one in _failing(event)))[:METRICS_KEPT_MAX],
    )


def _failing(failed: QcFailed) -> Iterable[Measured]:
    return broken(failed.measured) or failed.measured


def _unmarked(one: Round, proposal_id: UUID) -> Round:
    names = ("overridden_by", "topped_up_by")
    gone = {name: None for name in names if getattr(one, name) == proposal_id}
    return one.model_copy(update=gone) if gone else one


def marked(state: Quality, fact: Event, proposal_id: UUID) -> tuple[Round, ...]:
    """The rounds as they will be once this fact, which a proposal led to, is read back."""
    is_override = isinstance(fact, QcOverridden)
    name = "overridden_by" if is_override else "topped_up_by"
    number = getattr(fact, "round", 0) - (0 if is_override else 1)
    return tuple(
        one.model_copy(update={name: proposal_id}) if one.number == number else one
        for one in state.rounds
    )


# -- the rules


def overridden(
    state: Quality,
    sample_id: str,
    *,
    reason: str,
    role: str,
    request_id: str | None = None,
    number: int | None = None,
) -> Ruled[QcOverridden]:
    """The override of the round that failed last; Refused where none holds the sample back."""
    last, failure = _failed_last(state, sample_id, number)
    if failure.reason_code not in CAN_BE_OVERRIDDEN:
        raise Refused(
            f"{sample_id}: round {last.number} failed because of {failure.reason_code!r}, and no "
            f"run can take such reads; {failure.reason}"
        )
    fact = QcOverridden(
        sample_id=sample_id,
        round=last.number,
        overridden_event_id=last.about.event_id,
        # Of the failure, so that the same command twice is one decision.
        request_id=request_id or str(uuid5(last.about.event_id, "override")),
        role=role,
        reason=reason,
        failed_metrics=failure.metrics,
    )
    return Ruled(fact, last.about)


def topped_up(
    state: Quality,
    sample_id: str,
    *,
    reason: str,
    reads: int | None = None,
    library_id: str | None = None,
    number: int | None = None,
) -> Ruled[TopUpRequested]:
    """The wish for more reads after the round that failed last; Refused where none did."""
    last, failure = _failed_last(state, sample_id, number)
    if last.topped_up_by is not None:
        raise Refused(
            f"{sample_id}: more reads were asked for after round {last.number} already; round "
            f"{last.number + 1} waits for them"
        )
    wanted = reads or failure.reads_missing
    if wanted is None:
        raise Refused(
            f"{sample_id}: how many reads would be enough cannot be told from round "
            f"{last.number}; say it with --reads, or as reads_wanted"
        )
    fact = TopUpRequested(
        sample_id=sample_id,
        round=last.number + 1,
        failed_event_id=last.about.event_id,
        reads_wanted=wanted,
        reason=reason,
        library_id=library_id,
    )
    return Ruled(fact, last.about)


def _failed_last(state: Quality, sample_id: str, number: int | None) -> tuple[Round, Failure]:
    """The failure that holds the sample back; Refused, with the reason, where there is none."""
    known = [one for one in state.rounds if number in (None, one.number)]
    last = known[-1] if known else None  # an older round may be answered later
    if last is not None and last.failure is not None and last.overridden_by is None:
        return last, last.failure
    raise _refusal(sample_id, last)


def _refusal(sample_id: str, last: Round | None) -> Refused:
    way_on = f"`genoflow timeline {sample_id}` tells its story"
    if last is None:
        return Refused(f"{sample_id}: its reads were not judged yet; {way_on}")
    if last.verdict == QcRequested.type():
        return Refused(f"{sample_id}: round {last.number} is being judged; wait for its verdict")
    if last.verdict == QcPassed.type():
        said = f"{sample_id}: round {last.number} passed, nothing holds it back; {way_on}"
        return Refused(said)
    return Refused(f"{sample_id}: round {last.number} is overridden already; {way_on}")
