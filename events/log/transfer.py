"""Events out of a log and into another one, with nothing lost.

An export holds each record with the place and the time of its first recording. An import appends
the bytes as they are, each to the partition of its key, and keeps place and time in two headers,
which the next export takes off again: the same events give the same file, however often they
moved. An import reads its file twice: nothing is appended unless all of it can be.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import IO, NamedTuple

from genoflow.events.codec import HEADER_ID, HEADER_SEAL, Codec, header
from genoflow.events.errors import GenoflowError, MalformedEvent, Refused, UnknownSchema
from genoflow.events.log.container import ContainerReader, ContainerWriter, LogRecord
from genoflow.events.log.filters import EVERYTHING, Filter
from genoflow.events.log.merge import Order, in_order, log_record
from genoflow.events.log.origin import imported, origin_of, original
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import EventLog, Vector
from genoflow.events.log.recorded import Raw, Recorded
from genoflow.events.topics import BY_NAME, TOPICS

EVERY_TOPIC = tuple(declared.name for declared in TOPICS)
APPEND_RECORDS_MAX = 1_000  # on their way at once: 1 MB at 1 kB
APPEND_BYTES_MAX = 4_194_304  # or four of the largest
# Tokens of a file's records while repetitions are looked for: 85 bytes each, 425 MB in all.
TOKENS_MAX = 5_000_000
TOKEN_BYTES = 16  # 128 bits of hash: no two of 5 million collide
HASH_BYTES = 1_048_576


class Exported(NamedTuple):
    """What an export wrote."""

    records: int
    sha256: str


class Imported(NamedTuple):
    """What an import found in its file and did with it."""

    records: int
    appended: int
    skipped: int


async def export(
    log: EventLog,
    path: Path,
    topics: Sequence[str] = EVERY_TOPIC,
    chosen: Filter = EVERYTHING,
    *,
    codec: Codec,
) -> Exported:
    """Write the chosen records, as of now, to a new file; it appears whole or not at all."""
    start, stop = await _range(log, topics, chosen)
    unfinished = path.with_name(f"{path.name}.part")
    try:
        if path.exists():
            raise Refused(f"{path}: exists; give another name, or remove it first")
        with ContainerWriter(codec.registry, path.parent) as writer, unfinished.open("xb") as sink:
            try:
                records = in_order(
                    log, start, stop,
                    takes=lambda record: _wanted(record, chosen), by=_by_origin, beside=path.parent,
                )  # fmt: skip
                await _write(records, writer, sink)
                unfinished.rename(path)
            except BaseException:
                unfinished.unlink()
                raise
            return Exported(writer.records, sha256_of(path))
    except FileExistsError as error:
        raise Refused(
            f"{unfinished}: exists; another export is writing it, or one was killed: remove it"
        ) from error
    except OSError as error:
        raise Refused(
            f"{path}: {error.strerror or error}; give a file on a disk with room for all records"
        ) from error


async def _write(
    records: AsyncIterator[LogRecord], writer: ContainerWriter, sink: IO[bytes]
) -> None:
    async for record in records:
        writer.add(original(record))
    writer.finish(sink)
    sink.flush()
    os.fsync(sink.fileno())


async def _range(log: EventLog, topics: Sequence[str], chosen: Filter) -> tuple[Vector, Vector]:
    start: Vector = {}
    stop: Vector = {}
    for topic in topics:
        stop |= await log.ends(topic)
        # An imported record stands behind its first recording, never before it.
        since = chosen.since
        start |= await (log.starts(topic) if since is None else log.offsets_at(topic, since))
    return start, stop


def _wanted(record: Recorded, chosen: Filter) -> bool:
    try:
        return chosen.takes(record)
    except MalformedEvent:
        return False  # whatever it is, it is not of the types or the story that are asked for


def _by_origin(record: LogRecord) -> Order:
    found = origin_of(record)
    return (found.recorded_at_ms, *found.position)


def sha256_of(path: Path) -> str:
    """The checksum of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while part := source.read(HASH_BYTES):
            digest.update(part)
    return digest.hexdigest()


async def import_(
    log: EventLog, path: Path, *, codec: Codec, as_is: bool = False, dry_run: bool = False
) -> Imported:
    """Append the records of a file that do not stand on the log yet, or none where one is bad.

    A record that this release cannot decode is bad, unless they are to be taken as they are.
    """
    try:
        with path.open("rb") as source:
            return await _import(log, source, path, codec, as_is, dry_run)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}; name a file that can be read") from error


async def _import(
    log: EventLog, source: IO[bytes], path: Path, codec: Codec, as_is: bool, dry_run: bool
) -> Imported:
    topics: set[str] = set()
    tokens: set[bytes] = set()
    count = 0
    for index, record in enumerate(ContainerReader(source, str(path))):
        _check(record, f"{path}: record {index}", codec, as_is)
        topics.add(record.topic)
        if len(tokens) < TOKENS_MAX:
            tokens.add(_token(record, codec))
        count += 1
    known = await _known(log, sorted(topics), tokens, codec, f"{path}: {count:,} records")
    source.seek(0)
    skipped = 0
    fresh = _Appender(log, {topic: await log.partitions(topic) for topic in topics}, dry_run)
    for record in ContainerReader(source, str(path)):
        if _token(record, codec) in known:
            skipped += 1
        else:
            await fresh.add(record)
    await fresh.flush()
    return Imported(count, count - skipped, skipped)


def _check(record: LogRecord, place: str, codec: Codec, as_is: bool) -> None:
    if record.topic not in BY_NAME:
        raise Refused(
            f"{place} ({record.position}): its topic is not declared here "
            f"({', '.join(BY_NAME)}); export without it, or import with the release that has it"
        )
    if as_is or record.value is None:  # a tombstone holds nothing that could be wrong
        return
    try:
        codec.decode(record.value, header(record.headers, HEADER_SEAL))
    except UnknownSchema as error:
        raise UnknownSchema(f"{place} ({record.position}): {error}") from error
    except GenoflowError as error:
        raise MalformedEvent(f"{place} ({record.position}): {error}") from error


def _token(record: LogRecord, codec: Codec) -> bytes:
    text = record.topic.encode() + b"\0" + _identity(record, codec)
    return hashlib.blake2b(text, digest_size=TOKEN_BYTES).digest()


def _identity(record: LogRecord, codec: Codec) -> bytes:
    """What makes a record the same one: its id, else where it was first recorded."""
    found = header(record.headers, HEADER_ID)
    if found:
        return found
    try:
        event = codec.decode(record.value or b"", header(record.headers, HEADER_SEAL))
    except (MalformedEvent, UnknownSchema):
        origin = origin_of(record)
        return f"{origin.position} {origin.recorded_at_ms}".encode()
    return str(event.envelope.event_id).encode()


async def _known(
    log: EventLog, topics: Sequence[str], tokens: set[bytes], codec: Codec, place: str
) -> set[bytes]:
    known: set[bytes] = set()
    for topic in topics:
        start, stop = await log.starts(topic), await log.ends(topic)
        if start != stop and len(tokens) >= TOKENS_MAX:
            raise Refused(
                f"{place}: repetitions can be looked for among {TOKENS_MAX:,} and {topic} is not "
                f"empty; export in parts with --until and --since, and import them one by one"
            )
        async with aclosing(_records(log, start, stop)) as records:
            async for record in records:
                token = _token(record, codec)
                if token in tokens:
                    known.add(token)
    return known


async def _records(log: EventLog, start: Vector, stop: Vector) -> AsyncGenerator[LogRecord, None]:
    async for record in log.read(start, stop):
        yield log_record(record)


class _Appender:
    """Appends in the order of the file, many at a time."""

    def __init__(self, log: EventLog, counts: dict[str, int], dry_run: bool) -> None:
        self._log = log
        self._counts = counts
        self._dry_run = dry_run
        self._waiting: list[tuple[tuple[str, int], Raw]] = []
        self._bytes = 0

    async def add(self, record: LogRecord) -> None:
        count = self._counts[record.topic]
        # Without a key there is no order to keep but that of its own partition.
        number = record.partition % count
        if record.key is not None:
            number = partition_of(record.key, count)
        self._waiting.append(((record.topic, number), imported(record)))
        self._bytes += len(record.value or b"")
        if len(self._waiting) >= APPEND_RECORDS_MAX or self._bytes >= APPEND_BYTES_MAX:
            await self.flush()

    async def flush(self) -> None:
        if not self._dry_run:
            for (topic, number), records in self._by_place():
                await self._log.append_raw(topic, number, records)
        self._waiting, self._bytes = [], 0

    def _by_place(self) -> Iterator[tuple[tuple[str, int], list[Raw]]]:
        found: dict[tuple[str, int], list[Raw]] = {}
        for place, raw in self._waiting:
            found.setdefault(place, []).append(raw)
        yield from found.items()
