"""Results of reads that do not count any more are void, whether they are published yet or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.result_change import ResultChange
from genoflow.events.result_file import ResultFile
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_inputs_invalidated import RunInputsInvalidated
from genoflow.events.stored_version import name_of
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this

CHANGES_MAX = 1_000  # of one ResultsRetracted; a run of three members leaves a few dozen files
INVALID_MAX = 1_000  # kept of one run: 100 members with 10 read sets each
# A sequencing run that failed takes its reads back; what was made of them is withdrawn.
REASON_CODES = {"run failed": "withdrawn"}


class Results(Remembering):
    """What was published of a run, and what does not count of its reads."""

    files: tuple[ResultFile, ...] = ()
    invalid: tuple[RunInputsInvalidated, ...] = ()
    retracted: bool = False


def decide(state: Results, event: Event) -> Decision:
    """Retract once what stands published, and at once what is published after all."""
    if is_repeated(state, event):
        return NOTHING
    after = evolve(state, event)
    newly = state.retracted and not isinstance(event, RunInputsInvalidated)
    if not after.retracted or (state.retracted and not newly):
        return NOTHING
    return Decision(events=(_retracted(after),))


def evolve(state: Results, event: Event) -> Results:
    """Keep the files and what is wrong with them; both together are a retraction."""
    if is_repeated(state, event):
        return state
    change: dict[str, object] = {"seen": with_this(state, event)}
    if isinstance(event, RunInputsInvalidated):
        invalid = (*state.invalid, RunInputsInvalidated(**dict(event)))[:INVALID_MAX]
        change |= {"invalid": invalid, "retracted": bool(state.files)}
    else:
        assert isinstance(event, ResultsPublished | ResultsAmended)
        change |= {"files": event.files[:CHANGES_MAX], "retracted": bool(state.invalid)}
    return state.model_copy(update=change)


def _retracted(state: Results) -> ResultsRetracted:
    first = state.invalid[0]
    return ResultsRetracted(
        run_id=first.run_id,
        case_id=first.case_id,
        reason_code=REASON_CODES.get(first.reason_code, first.reason_code),
        reason=first.reason,
        changes=tuple(_changes(state.files, {one.sample_id for one in state.invalid})),
    )


def _changes(files: Sequence[ResultFile], sample_ids: Iterable[str]) -> Iterable[ResultChange]:
    concerned = [one for one in files if one.sample_id is None or one.sample_id in sample_ids]
    # Where no file is that sample's own, its reads still went into what the others were held to.
    for one in concerned or files:
        yield ResultChange(
            what="file",
            sample_id=one.sample_id,
            before=f"{one.kind}: s3://{name_of(one)}",
            after="",
        )


RETRACT_RESULTS = Processor(
    "retract-results",
    reads=topics.RUN,
    on=(RunInputsInvalidated, ResultsPublished, ResultsAmended),
    emits=(ResultsRetracted,),
    decide=decide,
    evolve=evolve,
    state=Results,
    about="takes back published results of reads that do not count any more",
)
