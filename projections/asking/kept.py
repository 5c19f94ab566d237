"""The same answers from Postgres: events of a subject out of the audit trail, found by an index.

It reads over one connection, which holds one snapshot of all rows; now, or as they were.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Collection, Sequence

from genoflow.events import topics
from genoflow.events.codec import Codec
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.log.port import Vector
from genoflow.events.log.recorded import Recorded
from genoflow.events.run_requested import RunRequested
from genoflow.events.topics import Topic
from genoflow.projections import parked
from genoflow.projections.as_of import relation
from genoflow.projections.asking.source import Landed, Parked
from genoflow.projections.audit_trail import AUDIT_TRAIL, RECORD, recorded, subject_id
from genoflow.projections.files import FILES
from genoflow.projections.paging import LIMIT_MAX
from genoflow.projections.row import as_text
from genoflow.projections.store import Connection

# A case with 100 samples, 100 files and 10 events each; 100 MB of events of 1 kB are held at once.
ASKED_EVENTS_MAX = 100_000
PAGE_EVENTS = 5_000  # of a whole topic, 5 MB


class Kept:
    """A Source over the rows of one connection."""

    def __init__(self, connection: Connection, codec: Codec, at: Vector | None = None) -> None:
        self._connection = connection
        self._codec = codec
        self._at = at
        self._events = relation(AUDIT_TRAIL, at)

    async def events_of(self, topic: Topic, keys: Collection[str]) -> dict[str, list[Event]]:
        """All events of these subjects, each once; Refused beyond a limit."""
        stories = await self.records_of(topic, keys)
        return {key: [record.event for record in story] for key, story in stories.items()}

    async def records_of(self, topic: Topic, keys: Collection[str]) -> dict[str, list[Recorded]]:
        """The same as they stand on the log."""
        found: dict[str, list[Recorded]] = {key: [] for key in keys}
        if not keys:
            return found
        rows = await self._connection.fetch(
            f"select {RECORD} from {self._events} where log_topic = $1 "
            f"and subject_id = any($2::uuid[]) order by log_partition, log_offset limit $3",
            topic.name, list(map(subject_id, keys)), ASKED_EVENTS_MAX + 1,
        )  # fmt: skip
        if len(rows) > ASKED_EVENTS_MAX:
            raise Refused(
                f"{topic.name}: more than {ASKED_EVENTS_MAX:,} events are about what was asked; "
                f"follow it with `genoflow events tail --subject`"
            )
        named = {as_text(key): key for key in keys}
        for row in rows:
            found[named[row["subject"]]].append(recorded(row, self._codec))
        return found

    async def every(self, topic: Topic, *types: type[Event]) -> AsyncGenerator[Event, None]:
        """All events of a topic, or those of these types, a partition after the other."""
        behind = (-1, -1)
        chosen = "and type = any($5::text[])" if types else "and $5::text[] is null"
        while True:
            rows = await self._connection.fetch(
                f"select {RECORD} from {self._events} where log_topic = $1 "
                f"and (log_partition, log_offset) > ($2, $3) {chosen} "
                f"order by log_partition, log_offset limit $4",
                topic.name, *behind, PAGE_EVENTS, [one.type() for one in types] or None,
            )  # fmt: skip
            for row in rows:
                yield recorded(row, self._codec).event
            if len(rows) < PAGE_EVENTS:
                return
            behind = (rows[-1]["log_partition"], rows[-1]["log_offset"])

    async def requests_for(self, case_id: str) -> list[RunRequested]:
        """The runs that were asked for a case: an index on what is said leads to them."""
        rows = await self._connection.fetch(
            f"select {RECORD} from {self._events} where type = 'RunRequested' "
            f"and log_topic = $1 and payload @> $2::jsonb order by log_partition, log_offset",
            topics.RUN.name, json.dumps({"case_id": case_id}),
        )  # fmt: skip
        events = [recorded(row, self._codec).event for row in rows]
        return [one for one in events if isinstance(one, RunRequested)]

    async def landed_as(self, topic: Topic, name: str) -> list[Landed]:
        """The subjects for which files of this name landed: an index on their keys leads there."""
        place = "bucket || '/' || object_key"
        is_of = "=" if topic is topics.SEQUENCING_RUN else "<>"
        rows = await self._connection.fetch(
            f"select subject, min(landed_at) as at from {relation(FILES, self._at)} "
            f"where object_key = any($1::text[]) and landed_at is not null "
            f"and place {is_of} 'sequencing run' "
            f"and $2 in (object_key, {place}, {place} || '@' || version_id) group by subject",
            _keys_in(name), name,
        )  # fmt: skip
        return [Landed(row["at"], row["subject"]) for row in rows]

    async def parked(self, topic: Topic, key: str) -> list[Parked]:
        """What waits of a subject, in the order of the log."""
        rows = await parked.list_parkings(
            self._connection, state=parked.WAITS, input_topic=topic.name,
            subject_key=as_text(key), limit=LIMIT_MAX, at=self._at,
        )  # fmt: skip
        places = ("input_partition", "input_offset", "processor")
        return [
            Parked(row["parked_id"], row["processor"], row["cause"], row["taken_at"])
            for row in sorted(rows, key=lambda row: [row[name] for name in places])
        ]


def _keys_in(name: str) -> Sequence[str]:
    """What may be the key of the object that people call so: a version or a bucket may be named."""
    unversioned = name.rpartition("@")[0] or name
    return [name, name.partition("/")[2], unversioned.partition("/")[2]]
