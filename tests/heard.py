"""A read model for tests: it counts what is said of a sample, and can fail."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.recorded import Recorded
from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.model import AnyModel, ReadModel
from genoflow.projections.row import Row, Table
from tests import qc_facts
from tests.partition import MOMENT
from tests.spec import heard

JOINED_MAX = 12  # cases of a sample
SAID = {"person": "somebody", "reason": "asked for"}


@dataclass(frozen=True, slots=True)
class HeardRow(Row):
    """How often a sample was heard of, and who says so."""

    sample_id: str
    number: int
    last: str
    words: str | None


class Heard(ReadModel[list[str]]):
    """Counts what is said of a sample: every event makes another row of it."""

    name = "heard"
    about = "what is said of a sample, counted"
    reads = (topics.SAMPLE,)
    tables = (Table("heard", HeardRow, ("sample_id",), indexes=("(number)",)),)

    def begin(self, key: str) -> list[str]:
        """Nothing was heard."""
        return [key]

    def project(self, state: list[str], record: Recorded) -> Iterable[Row]:
        """One more."""
        event = record.event
        if event.key == "raises":
            raise ValueError("of this sample nobody can tell a row")
        state.append(event.type())
        # A text with this character is one that Postgres refuses.
        words = "\x00" if event.key == "refused" and len(state) % 2 else None
        yield HeardRow(state[0], len(state) - 1, state[-1], words)


def joined(sample: str, number: int = 0) -> Event:
    """A fact about a sample, one of many."""
    fact = qc_facts.joined(f"CASE-{number}")
    return heard(type(fact)(**dict(fact) | {"sample_id": sample}), MOMENT)


def story(seed: int, samples: Iterable[str] = ("a", "b", "c", "d", "e")) -> list[Event]:
    """Facts about samples in any order, some of them twice."""
    chance = random.Random(f"story {seed}")
    facts: list[Event] = []
    for sample in samples:
        facts += [joined(sample, number) for number in range(chance.randint(1, JOINED_MAX))]
    facts += chance.sample(facts, len(facts) // 4)
    chance.shuffle(facts)
    return facts


async def logged(log: MemoryLog, events: Iterable[Event]) -> None:
    """Append these."""
    for event in events:
        await log.append(event)


async def rows_of(connection: Any, relation: str) -> list[tuple[Any, ...]]:
    """Every row, in one order."""
    found = await connection.fetch(f"select t::text as row from {relation} t order by 1")
    return [row["row"] for row in found]


MODELS: tuple[AnyModel, ...] = (AuditTrail(), Heard())


class LaterHeard(Heard):
    """A release that would make other rows."""

    version = 2
