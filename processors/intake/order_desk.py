"""The porch for orders: all of them checked, against the log and each other, before one is a case.

A person with the command line, the API and a LIMS ask here alike: `read_orders` or `read_order`
makes orders of what they sent, `place` answers for each, and Refused names everything wrong.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version

from pydantic import ValidationError

from genoflow.events import topics
from genoflow.events.case_closed import CaseClosed
from genoflow.events.case_opened import CaseOpened
from genoflow.events.envelope import Actor, Producer
from genoflow.events.errors import InvalidEvent, Refused
from genoflow.events.event import E, Event, begin, explain
from genoflow.events.log.port import EventLog
from genoflow.events.log.recorded import Position
from genoflow.events.subjects import Subjects
from genoflow.processors import case_rules as rules
from genoflow.processors.intake.order_files import read_documents
from genoflow.processors.intake.order_metadata import Carried, taken_off
from genoflow.processors.intake.orders import OrderRefused, differences, read_order
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.settling import StandsAlready

SOURCE = "genoflow case open"  # what ordered, where the order names no system
WAY_OUT = "nothing was appended; mend this and place the orders again"


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of an order."""

    order: CaseOpened
    is_new: bool  # else the same order stands on the log already
    position: Position | None = None  # where it stands, of an order that was placed by itself


@dataclass(frozen=True, slots=True)
class Said:
    """Who says it, and when."""

    actor: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class Ordered:
    """Orders that may be placed, and by their cases what they say of samples beside."""

    orders: list[CaseOpened]
    carried: dict[str, list[Carried]]


# What is said together with the orders that are new; Refused where it cannot be.
Beside = Callable[[Sequence[CaseOpened]], Awaitable[Sequence[Event]]]


def read_orders(
    texts: Iterable[tuple[str, str]], guard: PrivacyGuard, *, source: str = SOURCE
) -> Ordered:
    """The orders of these files, by name and text; Refused names everything wrong with any."""
    faults: list[str] = []
    carried: dict[str, list[Carried]] = {}
    orders: dict[str, tuple[str, CaseOpened]] = {}
    for name, text in texts:
        try:
            documents = read_documents(text, name)
        except Refused as error:
            faults.append(str(error))
            continue
        for one in documents:
            try:
                bare, said = taken_off(one.document, one.place)
                order = read_order(bare, guard, source=source)
            except OrderRefused as error:
                faults += [one.named(problem) for problem in error.problems]
                continue
            place, first = orders.setdefault(order.case_id, (one.place, order))
            before = carried.setdefault(order.case_id, said)
            if [o.metadata for o in before] != [o.metadata for o in said]:
                faults.append(
                    f"{one.place}: {order.case_id}: has other metadata than in {place}; make them "
                    f"agree"
                )
            faults += [
                f"{one.place}: {order.case_id}: is ordered otherwise in {place}: {problem}"
                for problem in differences(first, order)
            ]
    _refuse(faults)
    return Ordered([order for _, order in orders.values()], carried)


def _refuse(faults: Sequence[str]) -> None:
    if faults:
        raise Refused("\n".join([*faults, WAY_OUT]))


async def place(
    log: EventLog,
    subjects: Subjects,
    orders: Sequence[CaseOpened],
    by: Said,
    *,
    dry_run: bool,
    beside: Beside | None = None,
) -> list[Placed]:
    """Append what is not on the log yet, all or nothing; Refused where the log says otherwise."""
    known = await subjects.events_of(topics.CASE, {one.case_id for one in orders})
    placed: list[Placed] = []
    faults: list[str] = []
    for order in orders:
        is_new = True
        try:
            rules.opened(rules.case_of(known[order.case_id]), order)
        except StandsAlready:
            is_new = False
        except Refused as error:
            faults += str(error).splitlines()
        placed.append(Placed(order, is_new))
    fresh = [one.order for one in placed if one.is_new]
    faults += await _other_subjects(subjects, fresh)
    more: Sequence[Event] = ()
    try:
        more = await beside(fresh) if beside is not None else ()
    except Refused as error:
        faults += str(error).splitlines()
    _refuse(faults)
    if not fresh or dry_run:
        return placed
    if len(placed) > 1 or more:
        await log.append_atomically([*(begun(order, by) for order in fresh), *more])
        return placed
    return [replace(placed[0], position=await log.append(begun(fresh[0], by)))]


async def _other_subjects(subjects: Subjects, orders: Sequence[CaseOpened]) -> list[str]:
    members = {one.sample_id for order in orders for one in order.members}
    events = await subjects.events_of(topics.SAMPLE, members)
    return [fault for order in orders for fault in rules.other_subjects(order, events)]


async def close(
    log: EventLog, subjects: Subjects, fact: CaseClosed, by: Said, *, dry_run: bool
) -> bool:
    """Close a case; False where it was closed the same way before, Refused where otherwise."""
    key = fact.case_id
    events = (await subjects.events_of(topics.CASE, [key]))[key]
    try:
        rules.closed(rules.case_of(events), fact)
    except StandsAlready:
        return False
    if not dry_run:
        await log.append(begun(fact, by))
    return True


def person(name: str) -> Actor:
    """A person by an account; InvalidEvent where it is none."""
    return _actor("person", name)


def service(name: str) -> Actor:
    """A system that orders, such as a LIMS; InvalidEvent where the name is none."""
    return _actor("service", name)


def _actor(kind: str, name: str) -> Actor:
    try:
        return Actor(kind=kind, id=name)
    except ValidationError as error:
        raise InvalidEvent(explain(kind, error)) from error


def begun(fact: E, said: Said) -> E:
    """A fact as whoever orders states it."""
    by = Producer(service="orders", version=version("genoflow"))
    return begin(fact, occurred_at=said.at, actor=said.actor, by=by)
