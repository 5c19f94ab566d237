"""An order names its samples, and each sample hears of it on its own key."""

from __future__ import annotations

from genoflow.events import topics
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_member import CaseMember
from genoflow.events.case_opened import CaseOpened
from genoflow.events.event import Event
from genoflow.events.sample_registered import SampleRegistered
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor, State


class Opened(State):
    """Whether the order of this case was handed to its samples."""

    is_handed_on: bool = False


def decide(state: Opened, event: CaseOpened) -> Decision:
    """Hand the order to every member, once; a later order under the same id is not heard."""
    if state.is_handed_on:
        return NOTHING
    said: list[Event] = []
    for member in {member.sample_id: member for member in event.members}.values():
        said += [_registered(event, member), _joined(event, member)]
    return Decision(events=tuple(said))


def evolve(state: Opened, event: CaseOpened) -> Opened:  # noqa: ARG001 -- the shape of every fold
    """The order was handed on."""
    return Opened(is_handed_on=True)


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
    on=(CaseOpened,),
    emits=(SampleRegistered, CaseJoined),
    decide=decide,
    evolve=evolve,
    state=Opened,
    about="hands an order to each of its samples",
)
