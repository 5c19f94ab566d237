"""Reading a backup back: every segment, to the last byte."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from typing import NamedTuple

from genoflow.deploy.backup.manifest import CHANGELOG, Manifest, Segment
from genoflow.deploy.backup.vault import Vault
from genoflow.events.codec import HEADER_SEAL, Codec, header
from genoflow.events.errors import DamagedFile, MalformedEvent, Refused, UnknownSchema
from genoflow.events.log.container import ContainerReader, LogRecord


class Verified(NamedTuple):
    """What a backup holds; all of it was read."""

    segments: int
    records: int
    size_bytes: int
    no_events: int  # bytes that stand on the log so and are no event of this release


def records_of(vault: Vault, topic: str, partition: int, segment: Segment) -> Iterator[LogRecord]:
    """The records of a segment, each where it must be; DamagedFile where one is not."""
    name = f"s3://{vault.bucket}/{segment.key}"
    reader = ContainerReader(io.BytesIO(vault.open(segment)), name)
    expected = segment.first
    for record in reader:
        if (record.topic, record.partition) != (topic, partition) or not (
            expected <= record.offset < segment.next
        ):
            raise DamagedFile(
                f"{name}: holds {record.position}, and {topic}[{partition}] from offset "
                f"{expected} to {segment.next - 1} was sealed; take another backup"
            )
        expected = record.offset + 1
        yield record
    if reader.records != segment.records:
        raise DamagedFile(
            f"{name}: holds {reader.records:,} records and {segment.records:,} were sealed; "
            f"take another backup"
        )


async def verify(vault: Vault, manifest: Manifest, codec: Codec) -> Verified:
    """Read every segment of a backup; DamagedFile names all that are not as they were sealed."""
    faults: list[str] = []
    segments = records = size = no_events = 0
    for topic, number, segment in manifest.segments():
        try:
            found = await asyncio.to_thread(_verify_one, vault, topic, number, segment, codec)
        except DamagedFile as error:
            faults.append(str(error))
            continue
        segments += 1
        records += segment.records
        size += segment.size_bytes
        no_events += found
    if faults:
        raise DamagedFile("\n".join(faults))
    return Verified(segments, records, size, no_events)


def _verify_one(vault: Vault, topic: str, number: int, segment: Segment, codec: Codec) -> int:
    no_events = 0
    for record in records_of(vault, topic, number, segment):
        if record.value is None or topic.startswith(CHANGELOG):
            continue
        try:
            codec.decode(record.value, header(record.headers, HEADER_SEAL))
        except (MalformedEvent, UnknownSchema):
            no_events += 1
    return no_events


async def newest(vault: Vault, prefix: str) -> Manifest:
    """The newest backup that holds a record, of whichever cluster; Refused where there is none."""
    keys = await asyncio.to_thread(vault.manifest_keys, prefix)
    candidates = []
    for of_cluster in keys.values():
        for key in reversed(of_cluster):
            manifest = await asyncio.to_thread(vault.manifest, key)
            # After a disaster a timetable may have sealed the empty broker: that is no backup.
            if manifest.records:
                candidates.append(manifest)
                break
    if not candidates:
        raise Refused(
            f"s3://{vault.bucket}: holds no backup"
            + (f" of the deployment {prefix}" if prefix else "")
            + "; take one with `genoflow backup`, or name the bucket in GENOFLOW_BACKUP_BUCKET"
        )
    return max(candidates, key=lambda manifest: manifest.taken_at)
