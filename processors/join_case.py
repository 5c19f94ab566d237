"""An order names its samples, and each sample hears of it on its own key, and of its end.

Both are said by one row, so a sample hears that it joined before it hears that it left.
"""

from __future__ import annotations

from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_left import CaseLeft
from genoflow.events.case_member import CaseMember
from genoflow.events.case_opened import CaseOpened
from genoflow.events.event import Event
from genoflow.events.sample_registered import SampleRegistered
from genoflow.processors.decision import Decision
from genoflow.processors.processor import Processor, State


class Opened(State):
    """Whether the order of this case was handed to its samples, and to which."""

    is_handed_on: bool = False
    members: tuple[str, ...] = ()  # those that have not left


def decide(state: Opened, event: CaseOpened | CaseClosed) -> Decision:
    """Hand the order to every member, once, and its end where no results answer it."""
    said: list[Event] = []
    if isinstance(event, CaseClosed):
        if _is_left(event):
            said += [_left(event, sample) for sample in state.members]
    elif not state.is_handed_on:  # a later order under the same id is not heard
        for member in {member.sample_id: member for member in event.members}.values():
            said += [_registered(event, member), _joined(event, member)]
    return Decision(events=tuple(said))


def evolve(state: Opened, event: CaseOpened | CaseClosed) -> Opened:
    """Keep who was told."""
    if isinstance(event, CaseClosed):
        return state.model_copy(update={"members": ()}) if _is_left(event) else state
    if state.is_handed_on:
        return state
    members = dict.fromkeys(member.sample_id for member in event.members)
    return Opened(is_handed_on=True, members=tuple(members))


def _is_left(event: CaseClosed) -> bool:
    # Results that were published can be superseded by more reads, so their samples stay.
    return event.outcome != "published"


def _left(event: CaseClosed, sample_id: str) -> CaseLeft:
    return CaseLeft(
        sample_id=sample_id, case_id=event.case_id, outcome=event.outcome, reason=event.reason
    )


def _registered(order: CaseOpened, member: CaseMember) -> SampleRegistered:
    return SampleRegistered(
        sample_id=member.sample_id,
        subject_ref=member.subject_ref,
        project_id=order.project_id,
        declared_sex=member.declared_sex,
        registered_by="order",
    )


def _joined(order: CaseOpened, member: CaseMember) -> CaseJoined:
    return CaseJoined(
        sample_id=member.sample_id,
        case_id=order.case_id,
        case_kind=order.kind,
        role=member.role,
        subject_ref=member.subject_ref,
        declared_sex=member.declared_sex,
        assay=order.assay,
        material=order.material,
        reference=order.reference,
        target_set=order.target_set,
        qc_profile=order.qc_profile,
        project_id=order.project_id,
        priority=order.priority,
        due_at=order.due_at,
    )


JOIN_CASE = Processor(
    "join-case",
    reads=topics.CASE,
    on=(CaseOpened, CaseClosed),
    emits=(SampleRegistered, CaseJoined, CaseLeft),
    decide=decide,
    evolve=evolve,
    state=Opened,
    about="hands an order to each of its samples, and tells them when it is cancelled",
)
