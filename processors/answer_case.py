"""A hop: a case hears that one of its runs has published results."""

from __future__ import annotations

from genoflow.events import topics
from genoflow.events.case_answered import CaseAnswered
from genoflow.events.results_published import ResultsPublished
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor, State


class Run(State):
    """Whether its case was told."""

    told: bool = False


def evolve(_state: Run, _event: ResultsPublished) -> Run:
    """A run has one answer, however often it was released."""
    return Run(told=True)


def decide(state: Run, event: ResultsPublished) -> Decision:
    """Tell the case, once."""
    if state.told:
        return NOTHING
    answered = CaseAnswered(
        case_id=event.case_id,
        run_id=event.run_id,
        case_revision=event.case_revision,
        published_event_id=event.envelope.event_id,
        supersedes_run_id=event.supersedes_run_id,
    )
    return Decision(events=(answered,))


ANSWER_CASE = Processor(
    "answer-case",
    reads=topics.RUN,
    on=(ResultsPublished,),
    emits=(CaseAnswered,),
    decide=decide,
    evolve=evolve,
    state=Run,
    about="tells a case that one of its runs has published results",
)
