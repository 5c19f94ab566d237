"""How far a pipeline run is: the one order in which all rows about runs see its stages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from genoflow.events.event import Event
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_checked import ResultsChecked
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_cancelled import RunCancelled
from genoflow.events.run_exited import RunExited
from genoflow.events.run_failed import RunFailed
from genoflow.events.run_inputs_awaited import RunInputsAwaited
from genoflow.events.run_inputs_restored import RunInputsRestored
from genoflow.events.run_lost import RunLost
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_retry_requested import RunRetryRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from genoflow.events.run_superseded import RunSuperseded
from genoflow.projections.words import listed

# Within one attempt; later news of an earlier stage does not take a run back.
STAGES: tuple[tuple[type[Event], ...], ...] = (
    (RunRequested, RunRetryRequested),
    (RunInputsAwaited,),
    (RunInputsRestored,),
    (RunSubmitted,),
    (RunStarted,),
    (RunExited, RunLost),
    (RunFailed, RunSucceeded),
    (ResultsCollected,),
    (ResultsChecked, ResultsHeld),
    (ResultsPublished,),
    (ResultsAmended,),
    (RunCancelled, RunSuperseded),
    (ResultsRetracted,),
)
RANK = {kind: rank for rank, kinds in enumerate(STAGES) for kind in kinds}
WORDS: dict[type[Event], str] = {
    RunRequested: "requested", RunInputsAwaited: "requested", RunInputsRestored: "requested",
    RunRetryRequested: "requested", RunSubmitted: "submitted", RunStarted: "running",
    RunExited: "exited", RunLost: "lost", RunFailed: "failed", RunSucceeded: "succeeded",
    ResultsCollected: "collected", ResultsChecked: "checked", ResultsHeld: "held",
    ResultsPublished: "published", ResultsAmended: "amended", RunCancelled: "cancelled",
    RunSuperseded: "superseded", ResultsRetracted: "retracted",
}  # fmt: skip
WAITS: dict[type[Event], str] = {
    RunRequested: "to be submitted",
    RunInputsRestored: "to be submitted",
    RunRetryRequested: "to be submitted",
    RunSubmitted: "its launcher to start it",
    RunStarted: "its tasks",
    RunExited: "the verdict from its output manifest",
    RunLost: "to be submitted again or given up",
    RunSucceeded: "its results to be collected",
    ResultsCollected: "the check of its results",
    ResultsChecked: "to be published",
    ResultsHeld: "a person to release its results",
}
AGAIN = "another attempt"
UNKNOWN = "unknown"


def from_archives(event: RunInputsAwaited) -> str:
    """How many files are waited for, and from where, such as `2 files from GLACIER`."""
    count = len(event.files)
    archives = sorted({file.storage_class for file in event.files})
    return f"{count:,} file{'' if count == 1 else 's'} from {listed(archives)}"


def attempt_of(event: Event) -> int:
    """The submission that a fact is about; 0 where it is about none."""
    return getattr(event, "attempt", None) or 0


def takes_on(event: Event, stage: type[Event] | None, attempt: int) -> bool:
    """Whether a fact takes a run on from this stage of this submission."""
    is_later = stage is None or RANK[type(event)] >= RANK[stage]
    return is_later or (attempt_of(event) > attempt and stage is not RunCancelled)


@dataclass(slots=True)
class Stages:
    """The stage of a run, and the submission that it belongs to."""

    kind: type[Event] | None = None
    since: datetime | None = None
    attempt: int = 0
    will_retry: bool = False
    awaited: str | None = None  # what a run waits for that is not submitted yet

    def hear(self, event: Event) -> bool:
        """Take this fact in; False where it is news of a submission that was given up."""
        attempt = attempt_of(event)
        if attempt and attempt < self.attempt:
            return False
        if isinstance(event, RunInputsAwaited):
            self.awaited = from_archives(event)
            if self.kind is RunInputsAwaited:
                return True  # it was looked at again; it waits since the first look
        if takes_on(event, self.kind, self.attempt):
            self.kind, self.since = type(event), event.envelope.occurred_at
            self.will_retry = isinstance(event, RunFailed) and event.will_retry
        self.attempt = max(self.attempt, attempt)
        return True

    @property
    def word(self) -> str:
        """The state in a word."""
        return WORDS[self.kind] if self.kind is not None else UNKNOWN

    @property
    def waits_for(self) -> str | None:
        """What is to happen next, if anything is."""
        if self.kind is RunFailed:
            return AGAIN if self.will_retry else None
        if self.kind is RunInputsAwaited:
            return self.awaited
        return WAITS.get(self.kind) if self.kind is not None else None
