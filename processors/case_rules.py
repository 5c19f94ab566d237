"""What may be done with orders: by files, by command and by the API alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID, uuid5

from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_priority_changed import CasePriorityChanged
from genoflow.events.case_proposed import CaseProposed
from genoflow.events.case_ready import CaseReady
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.order import Order
from genoflow.events.proposal import ProposalRefused
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.types import Part
from genoflow.processors import run_rules
from genoflow.processors.intake.orders import differences
from genoflow.processors.processor import State
from genoflow.processors.running.names import run_asked_by
from genoflow.processors.settling import Deciding, Ruled, StandsAlready

FACTS: tuple[type[Event], ...] = (
    CaseOpened, CaseReady, RerunRequested, CasePriorityChanged, CaseClosed,
)  # fmt: skip
AGAIN = ("failed", "cancelled")
# A fact, and the mark of a proposal that will be one.
MARKS: Mapping[type[Event], str] = {
    CaseOpened: "opened_by",
    CaseClosed: "closed_by",
    RerunRequested: "rerun_by",
    CasePriorityChanged: "ranked_by",
}


class Opened(Part):
    """The order as it was placed."""

    order: CaseOpened
    about: Deciding


class Closed(Part):
    """How the case was closed."""

    outcome: str
    reason: str
    event_id: UUID


class Ranked(Part):
    """The priority that somebody gave a case after its order."""

    priority: str
    about: Deciding


class Newest(Part):
    """The run that a case would have once more."""

    run_id: UUID
    revision: int
    about: Deciding


class Case(State):
    """What is known of a case, so far as somebody may decide about it."""

    opened: Opened | None = None
    closed: Closed | None = None
    newest: Newest | None = None
    ranked: Ranked | None = None
    opened_by: UUID | None = None
    closed_by: UUID | None = None
    rerun_by: UUID | None = None  # of the newest run
    ranked_by: UUID | None = None  # until the fact is read back


def heard(state: Case, event: Event, offset: int) -> dict[str, object]:
    """What a fact about the case changes of what is known."""
    if isinstance(event, ProposalRefused):
        names = MARKS.values()
        return {name: None for name in names if getattr(state, name) == event.proposal_event_id}
    about = Deciding(event_id=event.envelope.event_id, offset=offset)
    if isinstance(event, CaseOpened):
        opened = Opened(order=CaseOpened(**dict(event)), about=about)
        return {"opened": state.opened or opened}
    if isinstance(event, CaseClosed):
        words = {"outcome": event.outcome, "reason": event.reason}
        return {"closed": state.closed or Closed(**words, event_id=about.event_id)}
    if isinstance(event, CasePriorityChanged):
        return {"ranked": Ranked(priority=event.priority, about=about), "ranked_by": None}
    assert isinstance(event, CaseReady | RerunRequested)
    return _newest(state.newest, event, about)


def _newest(
    before: Newest | None, event: CaseReady | RerunRequested, about: Deciding
) -> dict[str, object]:
    """The run that this asks for, as request-run understands it; nothing where it asks for none."""
    if isinstance(event, CaseReady):
        revision = event.revision
        asks = before is None or revision > before.revision
    else:
        revision = before.revision if before else 0
        asks = before is not None and event.run_id == before.run_id
    if not asks:
        return {}
    newest = Newest(run_id=run_asked_by(event), revision=revision, about=about)
    return {"newest": newest, "rerun_by": None}


def marked(fact: Event, proposal_id: UUID) -> dict[str, object]:
    """What is known as soon as a proposal leads to this fact, which is read back later."""
    return {MARKS[type(fact)]: proposal_id}


def case_of(story: Iterable[Event]) -> Case:
    """What is known of a case by these facts, in their order."""
    known = Case()
    for number, event in enumerate(story):
        if isinstance(event, FACTS):
            known = known.model_copy(update=heard(known, event, number))
    return known


# -- orders


def opened(state: Case, order: CaseOpened | CaseProposed) -> Ruled[CaseOpened]:
    """The case that an order opens; Refused where another one has its id.

    StandsAlready names the case where it was ordered in the same words.
    """
    key = order.case_id
    if state.opened is not None:
        if found := differences(state.opened.order, order):
            lines = [f"{key}: {problem}" for problem in found]
            lines.append(f"{key}: is open already; give the new order an id of its own")
            raise Refused("\n".join(lines))
        raise StandsAlready(f"{key}: stands on the log already", state.opened.about.event_id)
    if state.opened_by is not None:
        raise Refused(f"{key}: another order with this id came first; look at it, then ask again")
    words = {name: getattr(order, name) for name in Order.model_fields}
    return Ruled(CaseOpened(**words, run_id=order.run_id, configuration=order.configuration))


def other_subjects(order: Order, events: Mapping[str, Sequence[Event]]) -> list[str]:
    """Samples that an order on the log gives to another subject: one of the two is a mistake."""
    return [
        f"{order.case_id}: member {one.sample_id} has another subject in case {joined.case_id}; "
        f"mend the reference, or the sample"
        for one in order.members
        for joined in events[one.sample_id]
        if isinstance(joined, CaseJoined) and joined.subject_ref != one.subject_ref
    ]


def closed(state: Case, fact: CaseClosed) -> Ruled[CaseClosed]:
    """The end of a case; Refused where there is none, or where it was closed otherwise.

    StandsAlready names the end where it was closed in the same words.
    """
    key, before = fact.case_id, state.closed
    opening = _open(state, key)
    if before is not None and (before.outcome, before.reason) != (fact.outcome, fact.reason):
        raise Refused(
            f"{key}: was closed already, {before.outcome} ({before.reason}); it stays so: open "
            f"another case under an id of its own where more is owed"
        )
    if before is not None:
        raise StandsAlready(f"{key}: was closed so before", before.event_id)
    if state.closed_by is not None:
        raise Refused(f"{key}: was closed already, by a decision before this one")
    return Ruled(fact, opening.about)


def ranked(
    state: Case,
    key: str,
    priority: str,
    *,
    reason: str,
    run_id: UUID | None = None,
    request_id: str | None = None,
) -> Ruled[CasePriorityChanged]:
    """Another priority of a case; Refused where nothing is owed, or a later run is the newest.

    StandsAlready names the fact that has said so where the case has this priority.
    """
    opening = _open(state, key)
    refuse_closed(state, key)
    if run_id is not None and state.newest is not None:
        refuse_older(str(run_id), str(state.newest.run_id), key)
    about = state.ranked.about if state.ranked else opening.about
    now = state.ranked.priority if state.ranked else opening.order.priority
    if state.ranked_by is not None:
        raise Refused(
            f"case {key}: another decision about its priority came first; look at it, then ask "
            f"again"
        )
    if now == priority:
        raise StandsAlready(f"case {key}: is {priority} already, and stays so", about.event_id)
    fact = CasePriorityChanged(
        case_id=key,
        priority=priority,
        # Of what was said last, so that the same command twice is one decision.
        request_id=request_id or str(uuid5(about.event_id, f"priority/{priority}")),
        reason=reason,
    )
    return Ruled(fact, about)


def _open(state: Case, key: str) -> Opened:
    if state.opened is None:
        raise Refused(
            f"{key}: no case has this id; `genoflow case list` shows those that there are"
        )
    return state.opened


# -- runs of a case


def can_be_had_again(run: run_rules.Run, key: str) -> str:
    """The case of a run that is over without results; Refused where it is not."""
    _, order = run_rules.asked_for(run, key)
    if run.ended not in AGAIN:
        raise Refused(
            f"run {key}: is {run.ended or 'under way'}, and only a run that failed or was "
            f"cancelled is run again; `genoflow run why {key}` says what it waits for"
        )
    return order.case_id


def refuse_closed(case: Case, case_id: str) -> None:
    """Refused where a case is closed: nothing more is owed on it."""
    if case.closed is not None or case.closed_by is not None:
        how = f", {case.closed.outcome}" if case.closed else ""
        raise Refused(
            f"case {case_id}: is closed{how}; open another case under an "
            f"id of its own where more is owed"
        )


def refuse_older(key: str, newest: str, case_id: str) -> None:
    """Refused where another run of the case is the newest."""
    if newest != key:
        raise Refused(
            f"run {key}: a later run of case {case_id} has taken its place; ask about "
            f"`genoflow run why {newest}`"
        )


def rerun(
    run: run_rules.Run, key: str, *, reason: str, request_id: str | None = None
) -> RerunRequested:
    """The wish for a run once more."""
    asked, order = run_rules.asked_for(run, key)
    return RerunRequested(
        case_id=order.case_id,
        run_id=UUID(key),
        request_id=request_id or str(uuid5(asked.event_id, "again")),
        reason=reason,
    )


def newest_again(case: Case, case_id: str, key: str) -> Deciding:
    """What made a run the newest of its case; Refused where it is not, or is had again already."""
    refuse_closed(case, case_id)
    if case.newest is None:
        raise Refused(f"run {key!r}: was never asked for in case {case_id}")
    refuse_older(key, str(case.newest.run_id), case_id)
    if case.rerun_by is not None:
        raise Refused(f"run {key}: is had again already, by a decision before this one")
    return case.newest.about
