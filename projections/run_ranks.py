"""What is said of the priority of a run, in one sentence wherever it is told."""

from __future__ import annotations

from genoflow.events.run_priority_changed import RunPriorityChanged
from genoflow.events.run_priority_kept import RunPriorityKept
from genoflow.events.run_priority_requested import RunPriorityRequested

Rank = RunPriorityRequested | RunPriorityChanged | RunPriorityKept
ANSWERS = (RunPriorityChanged, RunPriorityKept)
RANKS = (RunPriorityRequested, RunPriorityChanged, RunPriorityKept)


def told_of(event: Rank) -> str:
    """What a wish for another priority is, or came to."""
    if isinstance(event, RunPriorityRequested):
        return f"is to be {event.priority} ({event.reason.rstrip('.')})"
    if isinstance(event, RunPriorityKept):
        return (
            f"is not moved, though {event.priority} was asked for, {event.reason_code}: "
            f"{event.reason.rstrip('.')}"
        )
    if event.is_moved:
        return f"is {event.priority} now: its job was moved to that queue"
    return f"is {event.priority} now: it is submitted so"


def rank_of(event: RunPriorityChanged | RunPriorityKept) -> dict[str, str | None]:
    """What the row of the run says of it: the priority, or why its job stays where it is."""
    if isinstance(event, RunPriorityChanged):
        return {"priority": event.priority, "priority_kept": None}
    return {"priority_kept": f"{event.reason_code}: {event.reason}"}
