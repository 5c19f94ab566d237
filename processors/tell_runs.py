"""A hop: when reads of a case do not count any more, or can be read again, each of its runs that
took them is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_file_restored import CaseFileRestored
from genoflow.events.case_member_withdrawn import CaseMemberWithdrawn
from genoflow.events.case_ready import CaseReady
from genoflow.events.event import Event
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_file_restored import RunFileRestored
from genoflow.events.run_inputs_invalidated import RunInputsInvalidated
from genoflow.events.types import Part
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this
from genoflow.processors.running.names import run_asked_by

ANSWERED = "published"  # an order that was closed otherwise has no results that anybody may use


class Input(Part):
    """A read set of a member, as a run takes it."""

    sample_id: str
    read_set_id: str


class Asked(Part):
    """A run of the case, and what it takes."""

    run_id: UUID
    inputs: tuple[Input, ...]


class Case(Remembering):
    """The runs of a case, and what was withdrawn from it."""

    runs: tuple[Asked, ...] = ()
    withdrawn: tuple[CaseMemberWithdrawn, ...] = ()
    cancelled: bool = False


def decide(state: Case, event: Event) -> Decision:
    """Tell the runs that took these reads, or the run that is about to take them."""
    if is_repeated(state, event) or state.cancelled:
        return NOTHING
    if isinstance(event, CaseFileRestored):
        return Decision(events=tuple(_restored(state, event)))
    if isinstance(event, CaseMemberWithdrawn):
        if _is_known(state, event):
            return NOTHING
        pairs = [(run, event) for run in state.runs if _input(event) in run.inputs]
    else:
        runs = _asked(state, event)
        pairs = [(run, one) for run in runs for one in state.withdrawn if _input(one) in run.inputs]
    return Decision(events=tuple(_invalidated(run, because) for run, because in pairs))


def evolve(state: Case, event: Event) -> Case:
    """Keep what each run takes, and what was withdrawn: either may come first."""
    if is_repeated(state, event):
        return state
    change: dict[str, object] = {"seen": with_this(state, event)}
    if isinstance(event, CaseReady | RerunRequested):
        change["runs"] = (*state.runs, *_asked(state, event))
    elif isinstance(event, CaseMemberWithdrawn):
        if not _is_known(state, event):
            change["withdrawn"] = (*state.withdrawn, CaseMemberWithdrawn(**dict(event)))
    elif isinstance(event, CaseClosed):
        change["cancelled"] = state.cancelled or event.outcome != ANSWERED
    return state.model_copy(update=change)


def _asked(state: Case, event: Event) -> tuple[Asked, ...]:
    """The run that this leads to; one that a person asks for again takes what the newest takes."""
    assert isinstance(event, CaseReady | RerunRequested)
    run_id = run_asked_by(event)
    if isinstance(event, RerunRequested):
        newest = state.runs[-1:]
        return tuple(Asked(run_id=run_id, inputs=one.inputs) for one in newest)
    inputs = (
        Input(sample_id=member.sample_id, read_set_id=file.read_set_id)
        for member in event.members
        for file in member.files
    )
    return (Asked(run_id=run_id, inputs=tuple(dict.fromkeys(inputs))),)


def _restored(state: Case, event: CaseFileRestored) -> Iterable[RunFileRestored]:
    """To each run that takes reads of this member: which of its files it waits for, it knows."""
    for run in state.runs:
        if any(one.sample_id == event.sample_id for one in run.inputs):
            yield RunFileRestored(run_id=run.run_id, **dict(event))


def _input(event: CaseMemberWithdrawn) -> Input:
    return Input(sample_id=event.sample_id, read_set_id=event.read_set_id)


def _is_known(state: Case, event: CaseMemberWithdrawn) -> bool:
    return any(_input(one) == _input(event) for one in state.withdrawn)


def _invalidated(run: Asked, because: CaseMemberWithdrawn) -> RunInputsInvalidated:
    return RunInputsInvalidated(
        run_id=run.run_id,
        case_id=because.case_id,
        sample_id=because.sample_id,
        read_set_id=because.read_set_id,
        reason_code=because.reason_code,
        reason=because.reason,
    )


TELL_RUNS = Processor(
    "tell-runs",
    reads=topics.CASE,
    on=(CaseMemberWithdrawn, CaseReady, RerunRequested, CaseFileRestored),
    folds=(CaseClosed,),
    emits=(RunInputsInvalidated, RunFileRestored),
    decide=decide,
    evolve=evolve,
    state=Case,
    about="tells each run of a case of reads that do not count any more, or can be read again",
)
