"""When a later run of a case is published, those before it do not count any more.

It is decided in the order of the case: there the runs of its revisions and their publications are
heard, in whichever order they end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from genoflow.events import topics
from genoflow.events.case_answered import CaseAnswered
from genoflow.events.case_ready import CaseReady
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_published import ResultsPublished
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_superseded import RunSuperseded
from genoflow.events.types import Part
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ports import Attempt
from genoflow.processors.processor import Call, Processor, State
from genoflow.processors.running.changed import changes, first, why_later
from genoflow.processors.running.names import run_asked_by

NAME = "supersede-runs"
COMPARE = "compare"
BRING_BACK = "bring them back, then `genoflow parked requeue`"


class OfRevision(Part):
    """A run of the case."""

    revision: int
    again: int = 0  # of one revision, a person may ask for a run once more
    run_id: UUID
    published: bool = False
    replaced: bool = False  # by a later one that was published

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands among the runs of the case."""
        return self.revision, self.again


class Case(State):
    """The runs of a case, in the order in which they take each other's place."""

    runs: tuple[OfRevision, ...] = ()


class Earlier(Part):
    """A run that does not count any more; what it published is amended."""

    run_id: UUID
    published: bool


class Later(Arguments):
    """The run that counts, and those whose place it takes."""

    run_id: UUID
    earlier: tuple[Earlier, ...]


def evolve(state: Case, event: Event) -> Case:
    """Keep which runs there are, which are published, and which are replaced."""
    known = {one.run_id: one for one in state.runs}
    if isinstance(event, CaseReady):
        run_id = run_asked_by(event)
        known.setdefault(run_id, OfRevision(revision=event.revision, run_id=run_id))
    elif isinstance(event, RerunRequested):
        run_id, named = run_asked_by(event), known.get(event.run_id)
        if named is not None:
            again = OfRevision(revision=named.revision, again=named.again + 1, run_id=run_id)
            known.setdefault(run_id, again)
    else:
        assert isinstance(event, CaseAnswered)
        if event.supersedes_run_id is not None:  # no revision may have led to that one
            before = OfRevision(revision=event.case_revision - 1, run_id=event.supersedes_run_id)
            known.setdefault(before.run_id, before)
        mine = OfRevision(revision=event.case_revision, run_id=event.run_id)
        known[event.run_id] = known.get(event.run_id, mine).model_copy(update={"published": True})
    newest = max((one.place for one in known.values() if one.published), default=(0, 0))
    runs = (
        one.model_copy(update={"replaced": True}) if one.place < newest else one
        for one in known.values()
    )
    return Case(runs=tuple(sorted(runs, key=lambda one: (one.place, str(one.run_id)))))


def decide(state: Case, event: CaseAnswered) -> Decision:
    """Let the newest published run take the place of those before it."""
    before = {one.run_id: one for one in state.runs}
    mine = before.get(event.run_id)
    if mine is not None and mine.published:
        return NOTHING
    after = evolve(state, event)
    published = [one for one in after.runs if one.published]
    newest = max(published, key=lambda one: one.place)
    replaced = [one for one in after.runs if one.replaced]
    if newest.run_id == event.run_id:
        taken = [one for one in replaced if not _is_replaced(before, one.run_id)]
    else:  # an older run was published last: it comes to those that are replaced already
        taken = [one for one in replaced if one.run_id == event.run_id]
    earlier = tuple(Earlier(run_id=one.run_id, published=one.published) for one in taken)
    if not earlier:
        return NOTHING
    return Decision(effects=(Effect(COMPARE, Later(run_id=newest.run_id, earlier=earlier)),))


def _is_replaced(before: Mapping[UUID, OfRevision], run_id: UUID) -> bool:
    one = before.get(run_id)
    return one is not None and one.replaced


# -- the effect


async def compare(later: Later, attempt: Attempt) -> Sequence[Event]:
    """Say of each earlier run that it does not count, and what differs from what it published."""
    subjects = attempt.ports.subjects
    if subjects is None:
        raise Parked(f"{COMPARE}: this worker has no reader of subjects; wire one")
    keys = [str(later.run_id), *(str(one.run_id) for one in later.earlier)]
    runs = await subjects.events_of(topics.RUN, keys)
    mine = runs[keys[0]]
    request, answer = first(RunRequested, mine), first(ResultsPublished, mine)
    if request is None or answer is None:
        raise Parked(
            f"run {later.run_id}: is published, and the log does not hold its RunRequested and "
            f"ResultsPublished; {BRING_BACK}"
        )
    said: list[Event] = []
    for one in later.earlier:
        said += _replaced(one, runs[str(one.run_id)], mine, request, answer)
    return said


def _replaced(
    one: Earlier,
    before: Sequence[Event],
    mine: Sequence[Event],
    request: RunRequested,
    answer: ResultsPublished,
) -> list[Event]:
    asked = first(RunRequested, before)
    if asked is None or asked.case_id != request.case_id:
        return []  # it was never asked for: nobody waits for it
    reason_code, reason = why_later(before, request)
    said: list[Event] = []
    if first(RunSuperseded, before) is None:
        said.append(
            RunSuperseded(
                run_id=one.run_id,
                case_id=request.case_id,
                superseded_by_run_id=request.run_id,
                reason_code=reason_code,
                reason=reason,
            )
        )
    if one.published:
        said.append(
            ResultsAmended(
                run_id=request.run_id,
                case_id=request.case_id,
                amends_run_id=one.run_id,
                reason_code=reason_code,
                reason=reason,
                changes=changes(before, mine),
                files=answer.files,
            )
        )
    return said


SUPERSEDE_RUNS = Processor(
    NAME,
    reads=topics.CASE,
    on=(CaseAnswered,),
    folds=(CaseReady, RerunRequested),
    emits=(),
    decide=decide,
    evolve=evolve,
    state=Case,
    effects=(
        Call(
            COMPARE,
            arguments=Later,
            emits=(RunSuperseded, ResultsAmended),
            perform=compare,
            may_say_nothing=True,  # of runs that were never asked for
        ),
    ),
    about="lets a later run take the place of earlier ones, and says what differs",
)
