"""Results that passed every check are the answer to their order."""

from __future__ import annotations

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_published import ResultsPublished
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_inputs_invalidated import RunInputsInvalidated
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_superseded import RunSuperseded
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor, State
from genoflow.processors.running.publication import Answered, Left, answered, left, publication


class Run(State):
    """What is known of one run until its results are published, or not wanted any more."""

    answered: Answered | None = None
    left: Left | None = None  # by the submission that was collected first: that one is checked
    over: bool = False


def evolve(state: Run, event: Event) -> Run:
    """Keep what is to be published until it is."""
    if state.over:
        return state
    if isinstance(event, RunRequested):
        return state.model_copy(update={"answered": state.answered or answered(event)})
    if isinstance(event, ResultsCollected):
        return state.model_copy(update={"left": state.left or left(event)})
    return Run(over=True)


def decide(state: Run, event: ResultsChecked) -> Decision:
    """Publish, once; what a later run has replaced is not published any more."""
    if state.over or state.answered is None or state.left is None:
        return NOTHING
    return Decision(events=(publication(event.run_id, state.answered, state.left),))


PUBLISH_RESULTS = Processor(
    "publish-results",
    reads=topics.RUN,
    on=(ResultsChecked,),
    folds=(RunRequested, ResultsCollected, RunCancelled, RunSuperseded, RunInputsInvalidated),
    emits=(ResultsPublished,),
    decide=decide,
    evolve=evolve,
    state=Run,
    about="publishes what passed every check, with each file's checksum",
)
