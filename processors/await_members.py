"""A case is ready when every one of its members is, and again when one of them is ready anew."""

from __future__ import annotations

from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_member_ready import CaseMemberReady
from genoflow.events.case_member_withdrawn import CaseMemberWithdrawn
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_priority_changed import CasePriorityChanged
from genoflow.events.case_ready import CaseReady
from genoflow.events.event import Event
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.ready_member import ReadyMember
from genoflow.events.types import Part
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this


class Ready(Part):
    """A member with good reads, and the round that let it through."""

    sample_id: str
    round: int
    files: tuple[ReadSetFile, ...]


class Case(Remembering):
    """An order, who of it is ready, and how often it was."""

    order: CaseOpened | None = None
    ready: tuple[Ready, ...] = ()
    revision: int = 0
    closed: bool = False


def decide(state: Case, event: Event) -> Decision:
    """Say that the case is ready when the last member is, and for every change after that."""
    if is_repeated(state, event):
        return NOTHING
    after = evolve(state, event)
    if after.revision == state.revision or after.order is None:
        return NOTHING
    return Decision(events=(_case_ready(after, after.order),))


def evolve(state: Case, event: Event) -> Case:
    """Keep the order and its members; count the times that all were there."""
    if is_repeated(state, event):
        return state
    change: dict[str, object] = {"seen": with_this(state, event)}
    if isinstance(event, CaseClosed):
        change["closed"] = True
    elif isinstance(event, CaseOpened):
        change["order"] = state.order or event
    elif isinstance(event, CasePriorityChanged):
        if state.order is not None:
            change["order"] = state.order.model_copy(update={"priority": event.priority})
    elif isinstance(event, CaseMemberWithdrawn):
        change["ready"] = tuple(one for one in state.ready if not _is_of(event, one))
    else:
        assert isinstance(event, CaseMemberReady)
        change["ready"] = _with_member(state.ready, event)
    after = state.model_copy(update=change)
    members = _members(after)
    if members and not after.closed and members != _members(state):
        after = after.model_copy(update={"revision": state.revision + 1})
    return after


def _is_of(event: CaseMemberWithdrawn, one: Ready) -> bool:
    # By its files: a later round may have been told before the case heard of this.
    named = {file.read_set_id for file in one.files}
    return one.sample_id == event.sample_id and event.read_set_id in named


def _with_member(ready: tuple[Ready, ...], event: CaseMemberReady) -> tuple[Ready, ...]:
    if any(one.sample_id == event.sample_id and one.round >= event.round for one in ready):
        return ready
    member = Ready(sample_id=event.sample_id, round=event.round, files=event.files)
    return (*(one for one in ready if one.sample_id != event.sample_id), member)


def _members(case: Case) -> tuple[Ready, ...]:
    """Who the order names, once all of them are there."""
    ready = {one.sample_id: one for one in case.ready}
    named = [one.sample_id for one in case.order.members] if case.order else []
    return tuple(ready[name] for name in named) if {*named} <= ready.keys() else ()


def _case_ready(case: Case, order: CaseOpened) -> CaseReady:
    ready = {one.sample_id: one for one in case.ready}
    return CaseReady(
        case_id=order.case_id,
        revision=case.revision,
        kind=order.kind,
        assay=order.assay,
        material=order.material,
        members=tuple(
            ReadyMember(
                sample_id=one.sample_id,
                role=one.role,
                subject_ref=one.subject_ref,
                declared_sex=one.declared_sex,
                round=ready[one.sample_id].round,
                files=ready[one.sample_id].files,
            )
            for one in order.members
        ),
        reference=order.reference,
        target_set=order.target_set,
        qc_profile=order.qc_profile,
        pipeline=order.pipeline,
        project_id=order.project_id,
        priority=order.priority,
        due_at=order.due_at,
        run_id=order.run_id if case.revision == 1 else None,
        configuration=order.configuration,
    )


AWAIT_MEMBERS = Processor(
    "await-members",
    reads=topics.CASE,
    on=(CaseOpened, CaseMemberReady, CaseClosed),
    folds=(CaseMemberWithdrawn, CasePriorityChanged),
    emits=(CaseReady,),
    decide=decide,
    evolve=evolve,
    state=Case,
    state_version=2,
    about="says that a case can be run when all of its members have good reads",
)
