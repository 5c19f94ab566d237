"""What `events tail` and `events show` read: the end of the log, and one event's causes."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from genoflow.events.codec import HEADER_ID, Codec, header
from genoflow.events.errors import MalformedEvent, Refused
from genoflow.events.log.container import LogRecord
from genoflow.events.log.filters import Filter
from genoflow.events.log.merge import in_order
from genoflow.events.log.origin import parse_position
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.log.recorded import Position, Recorded

FOLLOW_SECONDS = 0.5  # one poll: Ctrl-C is heard at once in any case
WINDOW_RECORDS_MIN = 64  # of a partition, looked at first
WINDOW_GROWTH = 8  # at most 8/7 of the log is read in all
STORY_EVENTS_MAX = 100_000  # a case with 100 samples, 100 files and 10 events each


def wanted(record: Recorded, chosen: Filter) -> bool:
    """Whether a record is shown; one whose bytes say nothing is, so that nobody misses it."""
    try:
        return chosen.takes(record)
    except MalformedEvent:
        return True


async def tail(
    log: EventLog,
    codec: Codec,
    topics: Sequence[str],
    chosen: Filter,
    *,
    last: int | None,
    follow: bool,
) -> AsyncGenerator[Recorded, None]:
    """The wanted records so far, or the last of them, in order; then those that come."""
    starts: Vector = {}
    ends: Vector = {}
    for topic in topics:
        ends |= await log.ends(topic)
        since = chosen.since
        starts |= await (log.starts(topic) if since is None else log.offsets_at(topic, since))

    def takes(record: Recorded) -> bool:
        return wanted(record, chosen)

    if last is not None:
        starts = await _window(log, starts, ends, last, takes)
    found: deque[LogRecord] = deque(maxlen=last)
    async for row in in_order(log, starts, ends, takes=takes):
        if last is None:
            yield _recorded(row, codec)
        else:
            found.append(row)
    for row in found:
        yield _recorded(row, codec)
    if follow:
        async with await log.reader(ends) as reader:
            while True:
                records = await reader.poll(FOLLOW_SECONDS)
                for record in sorted(records, key=lambda r: (r.timestamp_ms, r.position)):
                    if takes(record):
                        yield record


async def _window(
    log: EventLog, starts: Vector, ends: Vector, last: int, takes: Callable[[Recorded], bool]
) -> Vector:
    """Where to begin so that each partition gives its last records, or all that it has."""
    size = max(WINDOW_RECORDS_MIN, 2 * last)
    while last:
        window = {place: max(starts[place], ends[place] - size) for place in ends}
        counts = dict.fromkeys(ends, 0)
        async for record in log.read(window, ends):
            counts[record.topic, record.partition] += takes(record)
        if all(counts[place] >= last or window[place] == starts[place] for place in ends):
            return window
        size *= WINDOW_GROWTH
    return dict(ends)


def _recorded(row: LogRecord, codec: Codec) -> Recorded:
    return Recorded(
        row.topic, row.partition, row.offset, row.recorded_at_ms,
        row.key, row.value, row.headers, codec,
    )  # fmt: skip


@dataclass(slots=True)
class Story:
    """One record, what led to it, and what followed from it."""

    record: Recorded
    also_at: list[Position] = field(default_factory=list)  # the same event, appended again
    causes: list[Recorded] = field(default_factory=list)  # the nearest first
    consequences: list[Recorded] = field(default_factory=list)
    undecodable: int = 0  # of the same story: they may belong to either list


async def read_story(log: EventLog, topics: Sequence[str], name: str) -> Story:
    """The record at this position or with this id, in its story; Refused where there is none."""
    position = parse_position(name)
    if position is not None:
        story = Story(await _at(log, topics, position))
    else:
        story = await _with_id(log, topics, name.lower())
    try:
        event = story.record.event
    except MalformedEvent:
        return story  # bytes that are no event have no causes that could be followed
    chosen = Filter(correlation_id=event.envelope.correlation_id)
    known: dict[str, Recorded] = {}
    for topic in topics:
        async for record in log.read_topic(topic):
            _note(record, chosen, story, known)
    _connect(story, known)
    return story


def _note(record: Recorded, chosen: Filter, story: Story, known: dict[str, Recorded]) -> None:
    try:
        if not chosen.takes(record):
            return
        event_id = str(record.event.envelope.event_id)
    except MalformedEvent:
        story.undecodable += 1
        return
    if len(known) >= STORY_EVENTS_MAX:
        raise Refused(
            f"{story.record.position}: its story has more than {STORY_EVENTS_MAX:,} events; "
            f"follow it with `genoflow events tail --correlation {chosen.correlation_id}`"
        )
    known.setdefault(event_id, record)


def _connect(story: Story, known: dict[str, Recorded]) -> None:
    envelope = story.record.event.envelope
    cause = envelope.causation_id
    seen = {str(envelope.event_id)}
    while cause is not None and (found := known.get(str(cause))) and str(cause) not in seen:
        story.causes.append(found)
        seen.add(str(cause))
        cause = found.event.envelope.causation_id
    story.consequences = [
        record
        for record in known.values()
        if record.event.envelope.causation_id == envelope.event_id
    ]
    story.consequences.sort(key=lambda record: (record.timestamp_ms, record.position))


async def _at(log: EventLog, topics: Sequence[str], position: Position) -> Recorded:
    place = (position.topic, position.partition)
    if position.topic not in topics:
        raise Refused(f"{position}: there is no such topic; there are {', '.join(topics)}")
    starts, ends = await log.starts(position.topic), await log.ends(position.topic)
    if place not in ends:
        raise Refused(f"{position}: the topic has the partitions 0 to {len(ends) - 1}")
    start = {place: max(position.offset, starts[place])}
    stop = {place: min(position.offset + 1, ends[place])}
    async with aclosing(log.read(start, stop)) as records:
        async for record in records:
            return record
    held = f"offsets {starts[place]} to {ends[place] - 1}; transactions leave gaps"
    if starts[place] == ends[place]:
        held = "nothing"
    raise Refused(
        f"{position}: no record stands there (the partition holds {held}); "
        f"`genoflow events tail` shows positions"
    )


async def _with_id(log: EventLog, topics: Sequence[str], name: str) -> Story:
    wanted_id = name.encode()
    found: list[Recorded] = []
    for topic in topics:
        async for record in log.read_topic(topic):
            told = header(record.headers, HEADER_ID)
            if told is None:
                told = _decoded_id(record)
            if told == wanted_id:
                found.append(record)
    if not found:
        raise Refused(
            f"{name}: no event on the log has this id; give an id or a position such as "
            f"{topics[0]}[0]@17, as `genoflow events tail` shows them"
        )
    return Story(found[0], [record.position for record in found[1:]])


def _decoded_id(record: Recorded) -> bytes | None:
    try:
        return str(record.event.envelope.event_id).encode()
    except MalformedEvent:
        return None
