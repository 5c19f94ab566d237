"""Records of many partitions in one order, with bounded memory.

A consumer delivers its partitions as they come, so each is first put into a temporary file, and
the files are merged. Disk is needed for what is read, memory for one record of each partition.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from genoflow.events.log.container import LogRecord, encoded, read_record
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.log.recorded import Recorded

Order = tuple[Any, ...]


def by_time(record: LogRecord) -> Order:
    """The order of the log: when it was recorded, then where."""
    return (record.recorded_at_ms, *record.position)


async def in_order(
    log: EventLog,
    start: Vector,
    stop: Vector,
    *,
    takes: Callable[[Recorded], bool],
    by: Callable[[LogRecord], Order] = by_time,
    beside: Path | None = None,
) -> AsyncIterator[LogRecord]:
    """The records from start to stop in one order, which never breaks a partition's own."""
    with ExitStack() as files:
        spools: dict[tuple[str, int], IO[bytes]] = {}
        async for record in log.read(start, stop):
            if not takes(record):
                continue
            place = (record.topic, record.partition)
            if place not in spools:
                spools[place] = files.enter_context(tempfile.TemporaryFile(dir=beside))
            spools[place].write(encoded(log_record(record)))
        streams = [_ordered(spools[place], by, place) for place in sorted(spools)]
        for _, _, record_in_order in heapq.merge(*streams, key=lambda row: row[:2]):
            yield record_in_order


def log_record(record: Recorded) -> LogRecord:
    """The record with its place and time, as files hold it."""
    return LogRecord(
        record.topic, record.partition, record.offset, record.timestamp_ms,
        record.key_bytes, record.value, tuple(record.headers),
    )  # fmt: skip


def _ordered(
    spool: IO[bytes], by: Callable[[LogRecord], Order], place: tuple[str, int]
) -> Iterator[tuple[Order, tuple[str, int], LogRecord]]:
    spool.seek(0)
    latest: Order = ()
    while (record := read_record(spool)) is not None:
        # The order within a partition is the log's: an import may stand behind newer records.
        latest = max(latest, by(record))
        yield latest, place, record
