"""Bringing a backup back into an empty broker, byte for byte and with the original times.

    1. the broker holds nothing of this deployment, or the first part of this very backup
    2. the mark is set: until it is taken away, no log of ours opens (KafkaLog refuses)
    3. topics take the times that they are given, and nothing is compacted
    4. events first, then changelogs, whose positions are translated
    5. each partition is read back and compared: count and digest of keys, values, headers, times
    6. the named readers are put where they stood, the map of offsets is kept
    7. the topics get their declared settings, read models are dropped, the mark is taken away

A restore that was ended in the middle goes on when it is called again: what stands there is
compared with the backup, and only what is missing is appended, so nothing stands there twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from genoflow.deploy.backup.broker import Broker
from genoflow.deploy.backup.manifest import CHANGELOG, Manifest, Segment, input_of, topic_of
from genoflow.deploy.backup.offsets import OffsetMap
from genoflow.deploy.backup.vault import Vault
from genoflow.deploy.backup.verify import records_of
from genoflow.events.errors import DamagedFile, Refused, Stop, TopicMismatch
from genoflow.events.log.changelog import POSITION_KEY, position_of, position_record
from genoflow.events.log.container import LogRecord, encoded
from genoflow.events.log.kafka import RESTORING
from genoflow.events.log.kafka_topics import TopicAdmin, declared_settings
from genoflow.events.log.recorded import Raw
from genoflow.events.topics import TOPICS, Topic
from genoflow.processors.ledger import translated

APPEND_RECORDS_MAX = 1_000  # on their way at once: 1 MB at 1 kB
APPEND_BYTES_MAX = 4_194_304  # or four of the largest
SETTINGS_SECONDS_MAX = 10.0  # a changed setting reaches the broker within one
SETTINGS_POLL_SECONDS = 0.05
LENT_SETTINGS = {
    "message.timestamp.type": "CreateTime",
    "message.timestamp.before.max.ms": str(2**63 - 1),
    "message.timestamp.after.max.ms": str(2**63 - 1),
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
}
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a backup is brought to, and what tells of it."""

    broker: Broker
    admin: TopicAdmin
    vault: Vault
    report: Report


async def restore(
    target: Target,
    manifest: Manifest,
    *,
    without: Sequence[str] = (),
    map_file: Path | None = None,
    drop_read_models: Callable[[], Awaitable[None]],
) -> int:
    """Bring every topic of a backup back, except those to leave out; returns the records."""
    names = _names(manifest, without)
    declared = {name: topic_of(name) for name in names} | {t.name: t for t in TOPICS}
    await _begin(target, manifest, sorted({*declared, *manifest.topics}))  # steps 1 and 2
    await _lend_settings(target, list(declared.values()))  # step 3
    offsets = OffsetMap()
    total = 0
    for name in names:  # steps 4 and 5
        for number, place in enumerate(manifest.topics[name]):
            offsets.begin(name, number, place.next)
            part = _Partition(target, manifest, name, number, offsets)
            total += await part.bring_back()
    await _restore_groups(target, manifest, offsets)  # step 6
    await _keep_map(target, manifest, offsets, map_file)
    await _settle(target, list(declared.values()))  # step 7
    await drop_read_models()
    await target.broker.end_restoring()
    return total


def _names(manifest: Manifest, without: Sequence[str]) -> list[str]:
    unknown = set(without) - set(manifest.topics)
    if unknown:
        raise Refused(
            f"--without {min(unknown)}: is not in the backup; "
            f"it holds {', '.join(sorted(manifest.topics))}"
        )
    chosen = [name for name in manifest.topics if name not in without]
    changelogs = [name for name in chosen if name.startswith(CHANGELOG)]
    for name in changelogs:
        if input_of(name) not in chosen:
            raise Refused(
                f"{name}: its input {input_of(name)} is not restored, so its position would "
                f"point nowhere; leave it out too, with --without {name}"
            )
    return [*(name for name in chosen if name not in changelogs), *changelogs]


async def _begin(target: Target, manifest: Manifest, names: Sequence[str]) -> None:
    broker = target.broker
    present = await broker.log.topics()
    await _check_partitions(target, manifest, present)
    text = manifest.key.encode()
    if RESTORING not in present:
        for name in [*names, *(name for name in present if name.startswith(CHANGELOG))]:
            if name in present and any((await broker.log.ends(name)).values()):
                raise Refused(
                    f"kafka at {broker.log.address}: topic {broker.log.wire_name(name)} holds "
                    f"records; a backup is restored into an empty broker only: start one with an "
                    f"empty data directory, or give it another GENOFLOW_TOPIC_PREFIX"
                )
        await broker.begin_restoring()
    marks = [record async for record in broker.log.read_topic(RESTORING)]
    if not marks:
        await broker.log.append_raw(RESTORING, 0, [Raw(b"backup", text, (), 0)])
    elif marks[0].value != text:
        raise Refused(
            f"kafka at {broker.log.address}: holds a part of {(marks[0].value or b'').decode()}; "
            f"finish that restore with --manifest, or begin again with an empty data directory"
        )


async def _check_partitions(target: Target, manifest: Manifest, present: Sequence[str]) -> None:
    for name, places in manifest.topics.items():
        count = len(places)
        if count != target.admin.partitions:
            raise TopicMismatch(
                f"{manifest.key}: {name} has {count} partitions and the settings say "
                f"{target.admin.partitions}; set GENOFLOW_PARTITIONS={count}"
            )
        if name in present and (found := await target.broker.log.partitions(name)) != count:
            raise TopicMismatch(
                f"kafka at {target.broker.log.address}: topic {name} has {found} partitions and "
                f"the backup {count}; begin again with an empty data directory"
            )


async def _lend_settings(target: Target, topics: Sequence[Topic]) -> None:
    """Create what is missing, and let every topic take the times that it is given."""
    present = await target.broker.log.topics()
    missing = [topic for topic in topics if topic.name not in present]
    if missing:
        await target.admin.apply(missing, LENT_SETTINGS)
    lent = [topic for topic in topics if topic.name in present]
    for topic in lent:
        await target.admin.set_config(topic.name, declared_settings(topic) | LENT_SETTINGS)
    for topic in lent:
        await _until_set(target, topic, LENT_SETTINGS)


async def _until_set(target: Target, topic: Topic, wanted: dict[str, str]) -> None:
    deadline = time.monotonic() + SETTINGS_SECONDS_MAX
    while not wanted.items() <= (await target.admin.settings_of(topic.name)).items():
        if time.monotonic() > deadline:
            raise TopicMismatch(
                f"topic {topic.name}: does not take its settings within {SETTINGS_SECONDS_MAX} s; "
                f"run `genoflow restore` again, which goes on here"
            )
        await asyncio.sleep(SETTINGS_POLL_SECONDS)


class _Partition:
    """One partition on its way back."""

    def __init__(
        self, target: Target, manifest: Manifest, topic: str, number: int, offsets: OffsetMap
    ) -> None:
        self._target = target
        self._place = manifest.topics[topic][number]
        self._topic = topic
        self._number = number
        self._offsets = offsets
        self._input = input_of(topic) if topic.startswith(CHANGELOG) else None
        self._waiting: list[Raw] = []
        self._bytes = 0
        self._appended = 0

    async def bring_back(self) -> int:
        """Append what is missing, read everything back, and return the number of records."""
        there, digest_there = await self._digest_there()
        digest = hashlib.sha256()
        count = 0
        self._appended = there
        async with aclosing(self._sealed()) as records:
            async for record in records:
                if count == there:
                    self._compare(there, digest_there, digest.hexdigest())
                digest.update(encoded(record))
                count += 1
                if count > there:
                    await self._append(record)
        await self._flush()
        if count <= there:
            self._compare(there, digest_there, digest.hexdigest())
        else:
            found, digest_found = await self._digest_there()
            if (found, digest_found) != (count, digest.hexdigest()):
                raise self._different(found, count)
            self._target.report(f"restored {self._topic}[{self._number}]: {count:,} records")
        return count

    async def _sealed(self) -> AsyncGenerator[LogRecord, None]:
        """The records as they will stand here: with new offsets and translated positions."""
        for segment in self._place.segments:
            found = await asyncio.to_thread(self._open, segment)
            for record in found:
                new = self._offsets.add(self._topic, self._number, record.offset)
                yield self._translated(record)._replace(offset=new)

    def _open(self, segment: Segment) -> list[LogRecord]:
        return list(records_of(self._target.vault, self._topic, self._number, segment))

    def _translated(self, record: LogRecord) -> LogRecord:
        if self._input is None or record.key is None or record.value is None:
            return record
        name, topic, number = f"changelog {record.position}", self._input, self._number
        if record.key != POSITION_KEY:
            key, value = translated(
                record.key,
                record.value,
                lambda old: self._offsets.translate(topic, number, old, name),
            )
            return record._replace(key=key, value=value)
        position = position_of(record.value)
        if self._offsets.beyond(self._input, self._number, position):
            raise DamagedFile(
                f"{name}: its position {position} lies behind all that the backup holds of "
                f"{self._input}[{self._number}]; leave it out with --without {self._topic}, and "
                f"its state is built anew"
            )
        new = self._offsets.translate(self._input, self._number, position, name)
        return record._replace(value=position_record(new)[1])

    async def _digest_there(self) -> tuple[int, str]:
        log = self._target.broker.log
        start = (await log.starts(self._topic))[self._topic, self._number]
        end = (await log.ends(self._topic))[self._topic, self._number]
        digest = hashlib.sha256()
        count = 0
        records = self._target.broker.records(self._topic, self._number, start, end)
        async with aclosing(records):
            async for record in records:
                digest.update(encoded(record))
                count += 1
        return count, digest.hexdigest()

    def _compare(self, there: int, digest_there: str, digest: str) -> None:
        if digest_there != digest:
            raise self._different(there, self._place.records)

    def _different(self, found: int, sealed: int) -> Stop:
        return Stop(
            f"{self._topic}[{self._number}]: the {found:,} records that stand there are not those "
            f"of the backup ({sealed:,}); something else writes to this broker: stop it, and begin "
            f"again with an empty data directory"
        )

    async def _append(self, record: LogRecord) -> None:
        self._waiting.append(record.raw)
        self._bytes += len(record.value or b"")
        if len(self._waiting) >= APPEND_RECORDS_MAX or self._bytes >= APPEND_BYTES_MAX:
            await self._flush()

    async def _flush(self) -> None:
        if not self._waiting:
            return
        log = self._target.broker.log
        offsets = await log.append_raw(self._topic, self._number, self._waiting)
        self._appended += len(offsets)
        if offsets[-1] != self._appended - 1:
            raise self._different(offsets[-1] + 1, self._appended)
        self._waiting, self._bytes = [], 0


async def _restore_groups(target: Target, manifest: Manifest, offsets: OffsetMap) -> None:
    for group, of_group in manifest.groups.items():
        translated = {
            topic: {
                number: offsets.translate(topic, number, offset, f"group {group}")
                for number, offset in of_topic.items()
                if offsets.knows(topic, number)
            }
            for topic, of_topic in of_group.items()
        }
        if any(translated.values()):
            await target.broker.set_group(group, translated)
            target.report(f"restored the place of the reader {group}")


async def _keep_map(
    target: Target, manifest: Manifest, offsets: OffsetMap, map_file: Path | None
) -> None:
    cluster = await target.broker.cluster_id()
    data = offsets.to_json(manifest, cluster)
    if map_file is None:
        prefix = target.broker.prefix
        key = f"backup/{manifest.cluster}/restored/{prefix}{cluster}.json"
        await asyncio.to_thread(target.vault.put, key, data)
        target.report(f"old and new offsets: s3://{target.vault.bucket}/{key}")
        return
    try:
        map_file.write_bytes(data)
    except OSError as error:
        raise Refused(
            f"{map_file}: {error.strerror or error}; name a file that can be written, and run "
            f"`genoflow restore` again, which goes on here"
        ) from error
    target.report(f"old and new offsets: {map_file}")


async def _settle(target: Target, topics: Sequence[Topic]) -> None:
    for topic in topics:
        await target.admin.set_config(topic.name, declared_settings(topic))
    for topic in topics:
        await _until_set(target, topic, declared_settings(topic))
