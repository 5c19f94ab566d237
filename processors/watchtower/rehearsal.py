"""Rules held against a log that is over: what would have been said, and when."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from datetime import datetime

from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.envelope import Producer
from genoflow.events.event import Event
from genoflow.events.log.recorded import Recorded
from genoflow.processors.watchtower.kept import Key, Value
from genoflow.processors.watchtower.watch import Watch

STEP_SECONDS = 60.0  # of the log's own time between two looks at what is due


class _Nowhere:
    def write(self, key: Key, value: Value | None) -> None:
        """Keep nothing: it is over when the log is."""


async def rehearse(
    records: AsyncIterable[Recorded],
    rules: AlertRulesPublished,
    producer: Producer,
    until: datetime | None = None,
) -> list[Event]:
    """What these rules say of records in the order in which they were recorded.

    The time is the log's; behind its last record it is `until`, where it is named. Rules that the
    log itself holds are left aside.
    """
    said: list[Event] = []

    async def append(events: Iterable[Event]) -> None:
        said.extend(events)

    watch = Watch(append, producer, _Nowhere())
    watch.rule_by(rules)
    looked = now = 0.0
    async for record in records:
        now = max(now, record.recorded_at.timestamp())
        if now >= looked + STEP_SECONDS:
            looked = now
            await watch.look(now)  # what was due before this record came
        if record.type != AlertRulesPublished.type():
            await watch.take([record])
    await watch.look(max(now, until.timestamp() if until else 0.0))
    return said
