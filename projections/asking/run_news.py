"""What is said of a run beside its stages: what it waits for, that it is stuck, cost and end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from genoflow.events.event import Event
from genoflow.events.run_cost_recorded import RunCostRecorded
from genoflow.events.run_inputs_awaited import RunInputsAwaited
from genoflow.events.run_priority_changed import RunPriorityChanged
from genoflow.events.run_stuck import RunStuck
from genoflow.events.stored_version import name_of
from genoflow.events.task_completed import TaskCompleted
from genoflow.events.task_failed import TaskFailed
from genoflow.projections.asking.subject import Answer, moment
from genoflow.projections.estimates import SHARE, Estimate
from genoflow.projections.run_ranks import RANKS, Rank, told_of
from genoflow.projections.run_stages import from_archives

if TYPE_CHECKING:
    from genoflow.projections.run_forecast import Forecast

WATCH = "watch-runs/silence"  # the wait for news of a run that is under way
# What a person does about it, by the reason.
WAYS: Mapping[str, str] = {
    "waits for the queue": "wait, or give the queue more hosts; `genoflow batch check` compares it",
    "no capacity": "see the hosts that its queue may have; `genoflow batch check` compares them",
    "host gone": "it is lost by itself as soon as its launcher says so for good, and tried again",
    "no news": "read what the task writes; `genoflow run cancel` and `run again` where it hangs",
}


@dataclass(slots=True)
class Beside:
    """What was heard of a run beside its stages."""

    stuck: RunStuck | None = None  # as long as there is no news
    ends: list[TaskCompleted | TaskFailed] = field(default_factory=list)  # of every try of a task
    bills: list[RunCostRecorded] = field(default_factory=list)
    rank: Rank | None = None  # the newest that was said of its priority
    priority: str | None = None  # that it has, where it was changed

    def hear(self, event: Event) -> None:
        """Take in whatever was said of the run."""
        if isinstance(event, RunCostRecorded):
            self.bills.append(event)
            return
        if isinstance(event, RANKS):
            self.rank = event
            if isinstance(event, RunPriorityChanged):
                self.priority = event.priority
            return
        self.stuck = event if isinstance(event, RunStuck) else None
        if isinstance(event, TaskCompleted | TaskFailed):
            self.ends.append(event)

    def why(self) -> list[Answer]:
        """That it is stuck, where it is, and what became of its priority."""
        found = [] if self.stuck is None else [_of_stuck(self.stuck)]
        if self.rank is not None:
            at = self.rank.envelope.occurred_at
            found.append(Answer(told_of(self.rank), at, is_waiting=False))
        return found

    def costs(self) -> dict[str, Any]:
        """What it comes to by the table of prices and by bills, as far as they are known."""
        return _costs(self.ends, self.bills)


def _of_stuck(event: RunStuck) -> Answer:
    hours = event.usual_seconds / 3_600
    says = (
        f"is stuck, {event.reason_code}: the last news was {event.last_type}, and some is usual "
        f"within {hours:g} h; {event.reason.rstrip('.')}"
    )
    return Answer(says, event.last_at, WAYS.get(event.reason_code, ""))


def _costs(tasks: list[TaskCompleted | TaskFailed], bills: list[RunCostRecorded]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    prices = [
        one.resources.cost_usd
        for one in tasks
        if one.resources is not None and one.resources.cost_usd is not None
    ]
    if prices:
        found["estimated_cost_usd"] = f"{sum(prices):.2f}"
    newest = {(one.source, one.month): one for one in bills}
    if newest:
        found["billed_cost_usd"] = f"{sum(one.cost_usd for one in newest.values()):.2f}"
        found["bills"] = [
            {"source": one.source, "month": one.month, "usd": f"{one.cost_usd:.2f}"}
            for one in newest.values()
        ]
    return found


def awaited(stage: RunInputsAwaited, since: datetime | None) -> dict[str, Any]:
    """Which files of archives it waits for, and until when, for `show`."""
    return {
        "waits_for": from_archives(stage), "since": since, "expected_by": stage.expected_by,
        "archived": [
            {"file": name_of(one), "storage_class": one.storage_class, "sample": one.sample_id}
            for one in stage.files
        ],
    }  # fmt: skip


def foretold(found: Forecast) -> dict[str, Any]:
    """When it will begin and be done, for `show`, where that is known: the log alone tells none."""
    told = (("estimated_start", found.start), ("estimated_completion", found.completion))
    return {name: _in_words(when) for name, when in told if isinstance(when, Estimate)}


def of_forecast(found: Forecast) -> list[Answer]:
    """The same as sentences, where there is anything to tell."""
    told = (("begin", found.start), ("be done", found.completion))
    return [
        Answer(f"is expected to {what}: {_in_words(when)}", is_waiting=False)
        for what, when in told
        if isinstance(when, Estimate)
    ]


def _in_words(found: Estimate) -> str:
    return (
        f"{moment(found.at)}, in {100 * SHARE:.0f} of 100 cases between {moment(found.low)} and "
        f"{moment(found.high)} (learned from {found.runs} runs)"
    )
