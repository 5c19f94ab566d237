"""What a wish for another priority does to a run, by where the run is.

    not asked for yet           the request waits for nobody: its first submission has it
    waits for an archive        so does this one
    asked of its launcher       the wish waits until the launcher has the job
    at its launcher             an effect asks the launcher to move the job
    its job has ended, or over  nothing to move; a later submission has it

Each wish is answered by RunPriorityChanged or RunPriorityKept; of several that wait for the same
submission, the newest is.
"""

from __future__ import annotations

from uuid import UUID

from genoflow.events.errors import Parked, Retry
from genoflow.events.event import Event
from genoflow.events.run_priority_changed import RunPriorityChanged
from genoflow.events.run_priority_kept import RunPriorityKept
from genoflow.events.run_priority_requested import RunPriorityRequested
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_submitted import RunSubmitted
from genoflow.processors.decision import NOTHING, Decision, Effect
from genoflow.processors.job_moves import Moved, MovesJobs
from genoflow.processors.ports import JobOrder, Launcher
from genoflow.processors.repeated import Remembering
from genoflow.processors.restoring import Looked
from genoflow.processors.running.failures import told_apart
from genoflow.processors.running.manifest import Submission

MOVE = "move"
BEGUN, OVER, NO_QUEUE, SAME = "begun", "over", "no queue", "same"
CANCELLED = "it was cancelled"
AFTERWARDS = "a later submission of it has the priority that was asked for"
Said = RunPriorityChanged | RunPriorityKept


class Ranked(Remembering, Looked):
    """What was asked for, which attempt of it is on its way, and which priority it is to have."""

    requested: RunRequested | None = None
    attempt: int = 0
    opened_by: UUID | None = None  # the event that opened the effects of this attempt
    has_ended: bool = False  # the job of this attempt
    cancelled: bool = False
    submitted: int = 0  # the newest attempt that its launcher has taken
    wished: str | None = None  # the priority that was asked for last, where one was
    is_wish_open: bool = False  # it waits for the request, or for the launcher to have the job
    standing: str | None = None  # the priority that the log says it has, where it was changed

    @property
    def priority(self) -> str | None:
        """The one of whatever is submitted from now on."""
        return self.wished or (self.requested.priority if self.requested else None)

    @property
    def order(self) -> RunRequested:
        """The request, with the priority of now."""
        assert self.requested is not None
        return self.requested.model_copy(update={"priority": self.priority})

    @property
    def is_on_its_way(self) -> bool:
        """Whether the launcher was asked for the newest attempt, and has not been heard of."""
        return self.attempt > self.submitted and not self.has_ended


def wished(state: Ranked, event: RunPriorityRequested) -> dict[str, object]:
    """What a wish changes of what is known."""
    is_new = event.priority != state.priority
    waits = state.requested is None or state.is_on_its_way
    return {
        "wished": event.priority,
        "is_wish_open": not state.cancelled and (state.is_wish_open or (is_new and waits)),
    }


def heard(state: Ranked, event: RunSubmitted | RunPriorityChanged) -> dict[str, object]:
    """What the launcher's answer, or our own, changes of what is known."""
    if (event.attempt or 0) < state.attempt:
        return {}  # of an attempt that was given up
    if isinstance(event, RunPriorityChanged):
        return {"standing": event.priority}
    return {"submitted": event.attempt, "is_wish_open": False}


def decided(state: Ranked, after: Ranked, event: Event, moving: Submission | None) -> Decision:
    """The answer to a wish that this event makes, or lets come true; `moving` is its newest job."""
    if after.requested is None:
        return NOTHING
    if isinstance(event, RunPriorityRequested):
        return _wished(state, after, moving)
    if state.is_wish_open and not after.is_wish_open:
        return _come_true(after, event, moving)
    is_later = after.attempt > state.attempt and state.requested is not None
    if is_later and after.priority != (after.standing or after.requested.priority):
        return _changed(after)
    return NOTHING


def _wished(state: Ranked, after: Ranked, moving: Submission | None) -> Decision:
    if after.cancelled:
        return _kept(after, OVER, CANCELLED)
    if after.priority == state.priority:
        return _kept(after, SAME, f"{after.priority} is what was asked for before")
    return _told(after, moving)


def _come_true(after: Ranked, event: Event, moving: Submission | None) -> Decision:
    """What a wish waited for is there, or will never be."""
    asked = after.requested
    assert asked is not None
    if after.cancelled:
        return _kept(after, OVER, CANCELLED)
    if isinstance(event, RunRequested) and after.priority == asked.priority:
        return _kept(after, SAME, f"it was asked for as {asked.priority}")
    if isinstance(event, RunSubmitted) or _is_refused(after):
        return _told(after, moving)
    return _changed(after)  # with its first attempt, or with the next one


def _told(after: Ranked, moving: Submission | None) -> Decision:
    if _is_refused(after):
        return _kept(after, OVER, "it was refused before it was submitted")
    if not after.attempt:
        return _changed(after)
    if after.has_ended:
        return _kept(after, OVER, f"the job of attempt {after.attempt} has ended; {AFTERWARDS}")
    if after.is_on_its_way:
        return NOTHING
    assert moving is not None
    return Decision(effects=(Effect(MOVE, moving, lane=f"{moving.requested.run_id}/{MOVE}"),))


def _is_refused(after: Ranked) -> bool:
    return not after.attempt and after.asked_by is None


def _changed(after: Ranked) -> Decision:
    said = changed(after.order, after.attempt or None, is_moved=False)
    return Decision(events=(said,))


def _kept(after: Ranked, reason_code: str, reason: str) -> Decision:
    return Decision(events=(kept(after.order, after.attempt or None, reason_code, reason),))


def changed(asked: RunRequested, attempt: int | None, *, is_moved: bool) -> RunPriorityChanged:
    """That it has the priority of this order."""
    return RunPriorityChanged(
        run_id=asked.run_id, case_id=asked.case_id, attempt=attempt, priority=asked.priority,
        is_moved=is_moved,
    )  # fmt: skip


def kept(
    asked: RunRequested, attempt: int | None, reason_code: str, reason: str
) -> RunPriorityKept:
    """That what is under way does not get the priority of this order, and why."""
    return RunPriorityKept(
        run_id=asked.run_id, case_id=asked.case_id, attempt=attempt, priority=asked.priority,
        reason_code=reason_code, reason=reason,
    )  # fmt: skip


async def moved(wish: Submission, launcher: Launcher, order: JobOrder) -> Said:
    """What came of it, where the launcher has the job."""
    asked, attempt = wish.requested, wish.attempt
    if not isinstance(launcher, MovesJobs):
        reason = (
            f"the launcher {asked.launcher!r} has no queue: what it is asked for it begins at once"
        )
        return kept(asked, attempt, NO_QUEUE, reason)
    try:
        found = await launcher.move(wish.job_id, order)
    except (Parked, Retry) as error:
        raise told_apart(error) from error
    if found is Moved.MOVED:
        return changed(asked, attempt, is_moved=True)
    if found is Moved.BEGUN:
        reason = f"the job of attempt {attempt} has its host, and goes on there; {AFTERWARDS}"
        return kept(asked, attempt, BEGUN, reason)
    return kept(asked, attempt, OVER, f"the job of attempt {attempt} has ended; {AFTERWARDS}")
