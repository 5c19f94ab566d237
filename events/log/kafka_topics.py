"""Topics on a broker: created as declared, compared with what was declared, never altered.

A partition count that changed under a name would scatter the history of a key, and a retention
that was shortened would lose it. So nothing here grows, shrinks, alters or deletes a topic.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Self

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from genoflow.events.errors import TopicMismatch
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_client import connect
from genoflow.events.log.partitioner import partition_of
from genoflow.events.topics import Retention, Topic

RECORD_BYTES_MAX = 1_048_588  # the broker's default: an event of 1,000,000 bytes and its framing
HOUR_MILLISECONDS = 3_600_000
# A changelog is compacted only in closed segments: small ones, so that a restore reads what was
# written since the last 16 MiB or the last hour, and each key about once before that.
CHANGELOG_SEGMENT_BYTES = 16_777_216
CHANGELOG_SEGMENT_MILLISECONDS = HOUR_MILLISECONDS
# The cleaner takes a log when a tenth of it is new, and a quiet one after six hours all the same.
CHANGELOG_DIRTY_RATIO = 0.1
CHANGELOG_DIRTY_MILLISECONDS_MAX = 6 * HOUR_MILLISECONDS
# A key that was forgotten leaves a tombstone for this long. A restore takes seconds, and one that
# began before the tombstone must still meet it.
CHANGELOG_TOMBSTONE_MILLISECONDS = HOUR_MILLISECONDS
STATUS_MILLISECONDS = 24 * HOUR_MILLISECONDS
STATUS_SEGMENT_MILLISECONDS = HOUR_MILLISECONDS  # what is deleted is whole segments
KNOWN_SECONDS_MAX = 60.0  # within one, unless a disk is busy: each partition has files of its own
KNOWN_PAUSE_SECONDS = 0.02
KEYS_PROBED_MAX = 100  # per partition: one wrong partitioner scatters the first hundred keys

_FOREVER = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(RECORD_BYTES_MAX),
}
_LATEST_PER_KEY = {
    "cleanup.policy": "compact",
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(RECORD_BYTES_MAX),
    "segment.bytes": str(CHANGELOG_SEGMENT_BYTES),
    "segment.ms": str(CHANGELOG_SEGMENT_MILLISECONDS),
    "min.cleanable.dirty.ratio": str(CHANGELOG_DIRTY_RATIO),
    "max.compaction.lag.ms": str(CHANGELOG_DIRTY_MILLISECONDS_MAX),
    "delete.retention.ms": str(CHANGELOG_TOMBSTONE_MILLISECONDS),
}
_ONE_DAY = {
    "cleanup.policy": "delete",
    "retention.ms": str(STATUS_MILLISECONDS),
    "segment.ms": str(STATUS_SEGMENT_MILLISECONDS),
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": str(RECORD_BYTES_MAX),
}
_SETTINGS = {
    Retention.FOREVER: _FOREVER,
    Retention.LATEST_PER_KEY: _LATEST_PER_KEY,
    Retention.ONE_DAY: _ONE_DAY,
}


def declared_settings(topic: Topic) -> dict[str, str]:
    """The settings that a topic of this retention has on the broker."""
    return dict(_SETTINGS[topic.retention])


@dataclass(frozen=True, slots=True)
class TopicState:
    """One declared topic beside what the broker has."""

    topic: Topic
    exists: bool
    partitions: int
    differences: tuple[str, ...]


class TopicAdmin:
    """The admin side of a log: one connection, used inside `async with`."""

    def __init__(self, log: KafkaLog, *, partitions: int, replicas: int = 1) -> None:
        self._log = log
        self.partitions = partitions
        self._replicas = replicas
        self._admin = AIOKafkaAdminClient(bootstrap_servers=log.address)

    async def __aenter__(self) -> Self:
        await connect(self._log.address, self._admin.start, self._admin.close)
        return self

    async def __aexit__(self, *_exit: object) -> None:
        await self._admin.close()

    async def apply(
        self, topics: Sequence[Topic], overrides: dict[str, str] | None = None
    ) -> list[Topic]:
        """Create what is missing and tell it; TopicMismatch where something else is there."""
        states = await self.check(topics, probe_keys=False)
        faults = [difference for state in states for difference in state.differences]
        if faults:
            raise TopicMismatch("\n".join(faults))
        missing = [state.topic for state in states if not state.exists]
        if missing:
            await self._create(missing, overrides or {})
        return missing

    async def _create(self, topics: Sequence[Topic], overrides: dict[str, str]) -> None:
        answer = await self._admin.create_topics(
            [
                NewTopic(
                    self._log.wire_name(topic.name),
                    self.partitions,
                    self._replicas,
                    topic_configs=declared_settings(topic) | overrides,
                )
                for topic in topics
            ]
        )
        faults = [
            f"kafka at {self._log.address}: topic {name} could not be created: "
            f"{for_code(code).__name__} {message or ''}".rstrip()
            for name, code, message in answer.topic_errors
            if code
        ]
        if faults:
            raise TopicMismatch("\n".join(faults))
        for topic in topics:
            await self._until_known(topic)

    async def _until_known(self, topic: Topic) -> None:
        """Wait for the broker's own view: until then the next question would say `missing`."""
        name = self._log.wire_name(topic.name)
        deadline = time.monotonic() + KNOWN_SECONDS_MAX
        while (await self._admin.describe_topics([name]))[0]["error_code"]:
            if time.monotonic() > deadline:
                raise TopicMismatch(
                    f"kafka at {self._log.address}: topic {name} was created and is not known "
                    f"within {KNOWN_SECONDS_MAX} s; the broker's log says why (may it open more "
                    "files?), then run `genoflow topics check`"
                )
            await asyncio.sleep(KNOWN_PAUSE_SECONDS)

    async def set_config(self, topic: str, settings: dict[str, str]) -> None:
        """Set a topic's settings as a whole: for a restore, which lends it its own timestamps."""
        name = self._log.wire_name(topic)
        await self._admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name, configs=settings)]
        )

    async def settings_of(self, topic: str) -> dict[str, str]:
        """The settings of a topic as the broker has them now."""
        name = self._log.wire_name(topic)
        return (await self._settings([name])).get(name, {})

    async def check(self, topics: Sequence[Topic], *, probe_keys: bool = True) -> list[TopicState]:
        """Each topic beside the broker's; no difference means that it is as declared."""
        names = {self._log.wire_name(topic.name): topic for topic in topics}
        metadata = {row["topic"]: row for row in await self._admin.describe_topics(list(names))}
        present = [name for name in names if not metadata[name]["error_code"]]
        settings = await self._settings(present)
        states = []
        for name, topic in names.items():
            if name not in settings:
                states.append(TopicState(topic, exists=False, partitions=0, differences=()))
                continue
            count = len(metadata[name]["partitions"])
            faults = self._differences(topic, name, count, settings[name])
            if probe_keys and not faults:
                faults = await self._misplaced_keys(topic)
            states.append(TopicState(topic, True, count, tuple(faults)))
        return states

    async def _settings(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        found: dict[str, dict[str, str]] = {}
        for answer in await self._admin.describe_configs(asked):
            for _code, _message, _kind, name, rows in answer.resources:
                found[name] = {row[0]: row[1] for row in rows}
        return found

    def _differences(
        self, topic: Topic, name: str, count: int, settings: dict[str, Any]
    ) -> list[str]:
        place = f"kafka at {self._log.address}: topic {name}"
        faults = []
        if count != self.partitions:
            faults.append(
                f"{place} has {count} partitions and {self.partitions} are declared; the count "
                f"never changes under a name: set GENOFLOW_PARTITIONS={count}, or copy into a new "
                f"generation of topics"
            )
        faults += [
            f"{place} has {setting}={settings.get(setting)} and {wanted} is declared; "
            f"set it with the broker's own tools after asking who changed it"
            for setting, wanted in declared_settings(topic).items()
            if settings.get(setting) != wanted
        ]
        return faults

    async def _misplaced_keys(self, topic: Topic) -> list[str]:
        starts, ends = await self._log.starts(topic.name), await self._log.ends(topic.name)
        stops = {place: min(ends[place], starts[place] + KEYS_PROBED_MAX) for place in ends}
        async with aclosing(self._log.read(starts, stops)) as records:
            async for record in records:
                belongs = partition_of(record.key_bytes or b"", self.partitions)
                if topic.retention is Retention.FOREVER and belongs != record.partition:
                    return [
                        f"{record.position}: key {record.key} belongs to partition {belongs}; its "
                        f"writer does not partition by murmur2 (confluent-kafka needs "
                        f"partitioner=murmur2_random)"
                    ]
        return []
