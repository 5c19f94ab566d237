"""What is true of every run once it has come to rest. Each breach is one line: which, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from genoflow.events import topics
from genoflow.events.errors import GenoflowError
from genoflow.events.event import Event
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.event_parked import EventParked
from genoflow.events.log.recorded import Recorded
from genoflow.processors.processor import Processor, Start
from tests.simulation.expected import Expected, Opened, expect
from tests.simulation.flow import tally
from tests.simulation.ledgers import Ledgers
from tests.simulation.world import PARTITIONS, World


class Facts:
    """Everything on the log of a run, by what it is asked for here."""

    def __init__(self, world: World) -> None:
        self.all: list[tuple[Recorded, Event]] = []
        self.order = world.log.order
        for topic in topics.TOPICS:
            for number in range(PARTITIONS):
                for record in world.log.partition(topic.name, number).records:
                    try:
                        self.all.append((record, record.event))
                    except GenoflowError:  # the porch's damaged record
                        continue
        self.by_id = {event.envelope.event_id: event for _, event in self.all}
        self.given_up = {e.effect_id for _, e in self.all if isinstance(e, EventDiscarded)}

    def of(self, name: str) -> list[tuple[Recorded, Event]]:
        """What a processor said, topic by topic, in the order of each partition."""
        return [one for one in self.all if one[1].envelope.producer.service == name]


def broken_by(world: World, ledgers: Ledgers) -> list[str]:
    """Every invariant that this run breaks."""
    facts = Facts(world)
    broken = [*_causality(world, facts), *_jobs(world)]
    for row in world.rows():
        expected = [_expected(world, ledgers, row, number) for number in range(PARTITIONS)]
        broken += _decided(row, expected, facts)
        broken += _effects(row, expected, facts)
        for number in range(PARTITIONS):
            broken += _rest(row, number, expected[number], ledgers)
    return broken


def _expected(world: World, ledgers: Ledgers, row: Processor, number: int) -> Expected:
    records = world.log.partition(row.reads.name, number).records
    stamp = ledgers.of(row, number)[0].stamp
    first = stamp.start if stamp and row.start is Start.NOW else 0
    return expect(_owner(row, ledgers, number), [r for r in records if r.offset >= first])


def _owner(row: Processor, ledgers: Ledgers, number: int) -> Processor:
    """The row as the last owner had it: perhaps nobody of the second release has owned it yet."""
    stamp = ledgers.of(row, number)[0].stamp
    return tally(stamp.state_version) if row.name == "tally" and stamp else row


def _causality(world: World, facts: Facts) -> Iterator[str]:
    """Causes stand on the log, stories stay together, no fact is said twice."""
    ours = {row.name for row in world.rows()}
    times = Counter(
        event.envelope.event_id for _, event in facts.all if event.envelope.producer.service in ours
    )
    for name, number in times.items():
        if number > 1:
            yield f"no fact twice: {facts.by_id[name].type()} {name} stands {number} times"
    for record, event in facts.all:
        envelope = event.envelope
        if envelope.producer.service not in ours:
            continue
        cause = facts.by_id.get(envelope.causation_id) if envelope.causation_id else None
        if cause is None and envelope.causation_id is not None:
            yield f"causality is closed: {record.position} {event.type()} has no cause on the log"
        if cause is not None and cause.envelope.correlation_id != envelope.correlation_id:
            yield f"causality is closed: {record.position} {event.type()} left its story"


def _jobs(world: World) -> Iterator[str]:
    """A job is begun once, and the jobs of a lane one after another."""
    begun = Counter(name for _, what, name in world.jobs if what == "begun")
    for name, number in begun.items():
        if number > 1:
            yield f"a job is launched once: that of {name} was launched {number} times"
    running: dict[str, str] = {}
    for _, what, name in world.jobs:
        lane = name.partition("/")[0]
        if what == "ended":
            running.pop(lane, None)
        elif lane in running:
            yield f"a lane does one after another: {name} began beside {running[lane]}"
        else:
            running[lane] = name


def _decided(row: Processor, expected: list[Expected], facts: Facts) -> Iterator[str]:
    """What a processor decided is what its topic leads to: no more, no less, in order."""
    said = [(r, e) for r, e in facts.of(row.name) if e.envelope.effect_id is None]
    due: dict[UUID, Event] = {}
    for part in expected:
        due |= part.facts
    found = {e.envelope.event_id: e for _, e in said if not isinstance(e, EventParked)}
    for name in due.keys() - found.keys():
        yield f"nothing is lost: {row.name} owes {due[name].type()} {due[name].key} {name}"
    for name in found.keys() - due.keys():
        yield f"nothing is invented: {row.name} said {found[name].type()} {found[name].key} {name}"
    for name in found.keys() & due.keys():
        if (found[name].topic, found[name].payload()) != (due[name].topic, due[name].payload()):
            yield f"decided on the right state: {row.name} {due[name].type()} {due[name].key}"
    parked = Counter(e.envelope.event_id for _, e in said if isinstance(e, EventParked))
    if parked != Counter(name for part in expected for name in part.parked):
        yield f"parked with a reason: {row.name} parked {sum(parked.values())} times, not as due"
    for part in expected:
        for key, order in part.said.items():
            yield from _in_order(f"{row.name} about {key}", order, said)


def _in_order(what: str, order: list[UUID], said: list[tuple[Recorded, Event]]) -> Iterator[str]:
    wanted = {name: place for place, name in enumerate(order)}
    places: dict[tuple[str, int], int] = {}
    for record, event in said:
        place = wanted.get(event.envelope.event_id)
        if place is None:
            continue
        if places.get((record.topic, record.partition), -1) > place:
            yield f"a key keeps its order: {what}, {event.type()} at {record.position}"
        places[record.topic, record.partition] = place


def _effects(row: Processor, expected: list[Expected], facts: Facts) -> Iterator[str]:
    """One outcome per effect, in the order of its lane."""
    due: dict[UUID, Opened] = {}
    closed: set[UUID] = set()
    for part in expected:
        due |= part.effects
        closed |= part.closed
    outcomes = [
        (r, e)
        for r, e in facts.of(row.name)
        if e.envelope.effect_id is not None and not isinstance(e, EventParked)
    ]
    times = Counter(e.envelope.effect_id for _, e in outcomes)
    for name, number in times.items():
        if name not in due:
            yield f"nothing is invented: an outcome of {row.name} for no effect of its, {name}"
        elif number > 1:
            yield f"one outcome per effect: {row.name} {due[name].name} {name} has {number}"
    for name, effect in due.items():
        if name not in times and name not in closed and name not in facts.given_up:
            yield f"one outcome per effect: {row.name} {effect.name} {name} has none"
    lanes: dict[str, list[UUID]] = {}
    for effect in due.values():
        if not effect.is_timer:
            lanes.setdefault(effect.lane, []).append(effect.effect_id)
    # Over several topics, so offsets do not tell which came first.
    place = {e.envelope.effect_id: facts.order[r.topic, r.partition, r.offset] for r, e in outcomes}
    for lane, order in lanes.items():
        places = [place[name] for name in order if name in place]
        if places != sorted(places):
            yield f"a lane keeps its order: {row.name} {lane}"


def _rest(row: Processor, number: int, expected: Expected, ledgers: Ledgers) -> Iterator[str]:
    """The changelog holds the fold of the topic, and nothing waits without a reason."""
    ledger, position = ledgers.of(row, number)
    place = f"{row.name}[{number}]"
    if position is None:
        if expected.states or expected.waiting:
            yield f"the state is the fold: {place} has kept none"
        return
    row = _owner(row, ledgers, number)
    begun = row.state()
    states = {key: state for key, state in expected.states.items() if state != begun}
    kept = {key: row.state.model_validate_json(value) for key, value in ledger.states.items()}
    if kept != states:
        yield f"the state is the fold: {place} has {kept} and the topic says {states}"
    stuck = {key: parked.named for key, parked in ledger.parked.items()}
    if stuck != {key: waiting.named for key, waiting in expected.waiting.items()}:
        yield f"no key waits without a reason: {place} holds {stuck}"
    if any(parked.draining is not None for parked in ledger.parked.values()):
        yield f"no key waits without a reason: {place} is still draining"
