"""Taking a backup: what is new since the last one is sealed, what was sealed is asked for.

    1. where the named readers stand
    2. where the changelogs end, then where the other topics end
    3. every segment of the last backup is still there, unchanged, and its lock is renewed
    4. new records are sealed, partition by partition
    5. the manifest is put, unless another backup was faster

A changelog is cut before its input, so a restored task may decide an event again, which readers
drop by its id; cut after it, it would remember events that the backup does not hold.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

from genoflow.deploy.backup.broker import Broker
from genoflow.deploy.backup.manifest import (
    CHANGELOG,
    FORMAT,
    Manifest,
    Place,
    Segment,
    manifest_key,
    segment_key,
)
from genoflow.deploy.backup.vault import Vault
from genoflow.events.errors import Refused
from genoflow.events.log.container import ContainerWriter, LogRecord
from genoflow.events.log.port import Vector
from genoflow.events.topics import TOPICS

# One request of one part: small enough to hold in memory, 20,000 events of 800 bytes.
SEGMENT_BYTES_MAX = 16_777_216
Report = Callable[[str], None]


async def take(
    broker: Broker, vault: Vault, report: Report, only: Sequence[str] = (), *, full: bool = False
) -> Manifest:
    """Seal the log as of now and return what the backup consists of.

    With `only`, other topics stay as the last backup has them. With `full`, nothing of earlier
    backups is used.
    """
    await asyncio.to_thread(vault.ensure_bucket)
    cluster = await broker.cluster_id()
    base, number = await _base(broker, vault, cluster)
    before = base.topics if base and not full else {}
    groups = await broker.groups()  # step 1
    names = await _names(broker, only)
    starts, ends = await _ends(broker, names)  # step 2
    await _check(vault, before)  # step 3
    topics = dict(base.topics if base else {}) if only else {}
    for name in names:  # step 4
        topics[name] = await _seal_topic(
            broker, vault, cluster, name, before.get(name, ()), starts, ends, report
        )
    manifest = Manifest(
        format=FORMAT, cluster=cluster, prefix=broker.prefix, number=number,
        taken_at=datetime.now(UTC).isoformat(timespec="seconds"), topics=topics, groups=groups,
    )  # fmt: skip
    if not await asyncio.to_thread(vault.seal_new, manifest.key, manifest.to_bytes()):  # step 5
        raise Refused(
            f"s3://{vault.bucket}/{manifest.key}: another backup was finished meanwhile; "
            f"nothing is lost, run `genoflow backup` again to seal what is newer"
        )
    return manifest


async def _base(broker: Broker, vault: Vault, cluster: str) -> tuple[Manifest | None, int]:
    keys = (await asyncio.to_thread(vault.manifest_keys, broker.prefix)).get(cluster, [])
    if not keys:
        return None, 1
    base = await asyncio.to_thread(vault.manifest, keys[-1])
    if base.key != manifest_key(cluster, broker.prefix, base.number):
        raise Refused(
            f"s3://{vault.bucket}/{keys[-1]}: says that it is {base.key}; remove the copy"
        )
    return base, base.number + 1


async def _names(broker: Broker, only: Sequence[str]) -> list[str]:
    """The topics to seal, the changelogs first."""
    changelogs = [name for name in await broker.log.topics() if name.startswith(CHANGELOG)]
    every = [*changelogs, *(topic.name for topic in TOPICS)]
    unknown = set(only) - set(every)
    if unknown:
        raise Refused(f"--topic {min(unknown)}: is no topic here; there are {', '.join(every)}")
    return [name for name in every if name in only or not only]


async def _ends(broker: Broker, names: Sequence[str]) -> tuple[Vector, Vector]:
    starts: Vector = {}
    ends: Vector = {}
    for name in names:
        ends |= await broker.log.ends(name)
        starts |= await broker.log.starts(name)
    return starts, ends


async def _check(vault: Vault, topics: dict[str, tuple[Place, ...]]) -> None:
    for places in topics.values():
        for place in places:
            for segment in place.segments:
                await asyncio.to_thread(vault.check, segment)


async def _seal_topic(
    broker: Broker,
    vault: Vault,
    cluster: str,
    topic: str,
    before: Sequence[Place],
    starts: Vector,
    ends: Vector,
    report: Report,
) -> tuple[Place, ...]:
    sealed = []
    for number in range(await broker.log.partitions(topic)):
        start, end = starts[topic, number], ends[topic, number]
        place = before[number] if before else Place(first=start, segments=())
        if not start <= place.next <= end and (place.segments or place.next > end):
            raise Refused(
                f"{topic}[{number}]: the last backup ends at offset {place.next}, and the broker "
                f"holds {start} to {end}: it is not the log that was sealed, or lost a part of "
                f"it; compare them first, then restore, or seal all anew with --full"
            )
        sealer = _Sealer(broker, vault, cluster, topic, number, report)
        added = await sealer.seal(place.next, end)
        sealed.append(Place(first=place.first, segments=(*place.segments, *added)))
    return tuple(sealed)


class _Sealer:
    """Seals the records of one partition."""

    def __init__(
        self, broker: Broker, vault: Vault, cluster: str, topic: str, partition: int, report: Report
    ) -> None:
        self._broker = broker
        self._vault = vault
        self._cluster = cluster
        self._place = (topic, partition)
        self._report = report

    async def seal(self, start: int, end: int) -> list[Segment]:
        """The segments of a range; what holds no record (markers only) is left for the next."""
        found: list[Segment] = []
        waiting: list[LogRecord] = []
        size = 0
        async with aclosing(self._broker.records(*self._place, start, end)) as records:
            async for record in records:
                if size >= SEGMENT_BYTES_MAX:
                    found.append(await self._put(waiting, start, record.offset))
                    waiting, size, start = [], 0, record.offset
                waiting.append(record)
                size += len(record.value or b"")
        if waiting:
            found.append(await self._put(waiting, start, end))
        return found

    async def _put(self, records: Sequence[LogRecord], first: int, after: int) -> Segment:
        data = await asyncio.to_thread(self._file, records)
        topic, partition = self._place
        wire_name = self._broker.log.wire_name(topic)
        key = segment_key(self._cluster, wire_name, partition, first, after - 1)
        stored = await asyncio.to_thread(self._vault.seal, key, data)
        self._report(f"sealed {topic}[{partition}] {first}-{after - 1}: {len(records):,} records")
        return Segment(
            first=first, next=after, records=len(records), size_bytes=len(data),
            sha256=stored.sha256, key=key, version_id=stored.version_id,
        )  # fmt: skip

    def _file(self, records: Sequence[LogRecord]) -> bytes:
        sink = io.BytesIO()
        with ContainerWriter(self._broker.log.codec.registry) as writer:
            for record in records:
                writer.add(record)
            writer.finish(sink)
        return sink.getvalue()
