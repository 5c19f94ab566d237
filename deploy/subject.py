"""Subjects as the log tells them: one partition is read for a subject, to its end as of now."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from uuid import UUID

from genoflow.deploy.event_lines import event_of
from genoflow.deploy.story import wanted
from genoflow.events import topics
from genoflow.events.errors import NotThere, Refused
from genoflow.events.event import Event
from genoflow.events.log.filters import Filter
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import EventLog
from genoflow.events.log.recorded import Recorded
from genoflow.events.subjects import Subjects
from genoflow.events.topics import Topic

# A case with 100 samples, 100 files and 10 events each; 100 MB of events of 1 kB are held at once.
ASKED_EVENTS_MAX = 100_000
# A repetition comes soon after: the SDK's own window for a partition, for 16 of them.
REPEATED_KEPT_MAX = 160_000


class LogSubjects:
    """Reads committed records; bytes that are no event are left to whoever parks them."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def events_of(self, topic: Topic, keys: Collection[str]) -> dict[str, list[Event]]:
        """All events of these subjects, each once; Refused beyond a limit."""
        stories = await self.records_of(topic, keys)
        return {key: [record.event for record in story] for key, story in stories.items()}

    async def records_of(self, topic: Topic, keys: Collection[str]) -> dict[str, list[Recorded]]:
        """The same as they stand on the log."""
        found: dict[str, list[Recorded]] = {key: [] for key in keys}
        if not keys:
            return found
        number = await self._log.partitions(topic.name)
        places = {(topic.name, partition_of(key.encode(), number)) for key in keys}
        starts = await self._log.starts(topic.name)
        ends = await self._log.ends(topic.name)
        seen: set[UUID] = set()
        start = {place: starts[place] for place in places}
        stop = {place: ends[place] for place in places}
        async with aclosing(self._log.read(start, stop)) as records:
            async for record in records:
                event = event_of(record) if record.key in found else None
                if event is None or event.envelope.event_id in seen:
                    continue
                if len(seen) >= ASKED_EVENTS_MAX:
                    raise Refused(
                        f"{topic.name}: more than {ASKED_EVENTS_MAX:,} events are about what was "
                        f"asked; follow it with `genoflow events tail --subject`"
                    )
                seen.add(event.envelope.event_id)
                found[record.key].append(record)
        return found

    async def every(self, topic: Topic, *types: type[Event]) -> AsyncGenerator[Event, None]:
        """All events of a topic, or those of these types, a repetition left out."""
        chosen = Filter(frozenset(kind.type() for kind in types))
        seen: set[UUID] = set()
        order: deque[UUID] = deque()
        async with aclosing(self._log.read_topic(topic.name)) as records:
            async for record in records:
                event = event_of(record) if wanted(record, chosen) else None
                if event is None or event.envelope.event_id in seen:
                    continue
                seen.add(event.envelope.event_id)
                order.append(event.envelope.event_id)
                if len(order) > REPEATED_KEPT_MAX:
                    seen.remove(order.popleft())
                yield event


async def story_of(subjects: Subjects, sample_id: str) -> list[Event]:
    """The events of a sample; NotThere where there are none."""
    story = (await subjects.events_of(topics.SAMPLE, [sample_id]))[sample_id]
    refuse_unknown(sample_id, story)
    return story


def refuse_unknown(
    sample_id: str, story: Sequence[Event], refused: type[Refused] = NotThere
) -> None:
    """Refuse a sample of which there are no events."""
    if not story:
        raise refused(
            f"sample {sample_id!r}: nothing on the log is about it; `genoflow sample list` shows "
            f"those that there are"
        )
