"""Results are held against what the profile requires and the order declares: checked, or held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.measured import Measured
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_held import ResultsHeld
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_inputs_invalidated import RunInputsInvalidated
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_superseded import RunSuperseded
from genoflow.events.types import METRICS_MAX, TEXT_CHARACTERS_MAX
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor, State
from genoflow.processors.result_checks import Check, Declared, Wanted, check

REASONS_MAX = 100  # as many as ResultsHeld takes


class Run(State):
    """What is required of the results of one run, until they are judged or not wanted any more."""

    wanted: Wanted | None = None
    case_id: str = ""
    profile: str = ""
    profile_version: str = ""
    over: bool = False


def evolve(state: Run, event: Event) -> Run:
    """Keep what is required until the first results; a run has one verdict."""
    if state.over:
        return state
    if not isinstance(event, RunRequested):
        return Run(over=True)
    if state.wanted is not None:
        return state
    members = tuple(
        Declared(
            sample_id=one.sample_id,
            role=one.role,
            subject_ref=one.subject_ref,
            sex=one.declared_sex,
        )
        for one in event.members
    )
    return Run(
        wanted=Wanted(members=members, thresholds=event.thresholds),
        case_id=event.case_id,
        profile=event.profile,
        profile_version=event.profile_version,
    )


def decide(state: Run, event: ResultsCollected) -> Decision:
    """Say checked, or held with every reason and what to do about it."""
    if state.over or state.wanted is None:
        return NOTHING
    checks = check(state.wanted, event.measurements, event.run_id)
    said: dict[str, Any] = {
        "run_id": event.run_id,
        "case_id": state.case_id,
        "profile": state.profile,
        "profile_version": state.profile_version,
        "measured": _told(checks) or (_files(event),),
    }
    reasons = [one.reason[:TEXT_CHARACTERS_MAX] for one in checks if one.reason]
    if not reasons:
        return Decision(events=(ResultsChecked(**said),))
    return Decision(events=(ResultsHeld(**said, reasons=_shown(reasons, event)),))


def _told(checks: Sequence[Check]) -> tuple[Measured, ...]:
    """What holds them back comes first, so that no limit cuts it off."""
    ordered = sorted(checks, key=lambda one: one.reason is None)
    return tuple(one.measured for one in ordered[:METRICS_MAX])


def _files(event: ResultsCollected) -> Measured:
    """What is there to say where nothing is required and nothing was measured."""
    return Measured(metric="files", value=len(event.files), unit="files", verdict="not judged")


def _shown(reasons: Sequence[str], event: ResultsCollected) -> tuple[str, ...]:
    if len(reasons) <= REASONS_MAX:
        return tuple(reasons)
    more = len(reasons) - REASONS_MAX + 1
    told = f"{more:,} more; `genoflow run show {event.run_id}` lists every check"
    return (*reasons[: REASONS_MAX - 1], told)


CHECK_RESULTS = Processor(
    "check-results",
    reads=topics.RUN,
    on=(ResultsCollected,),
    folds=(RunRequested, RunCancelled, RunSuperseded, RunInputsInvalidated),
    emits=(ResultsChecked, ResultsHeld),
    decide=decide,
    evolve=evolve,
    state=Run,
    about="holds results against what their profile requires and their order declares",
)
