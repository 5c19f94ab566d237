"""A record as it stands on the log: routed by its headers, decoded only where it is asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from genoflow.events.codec import (
    HEADER_CORRELATION,
    HEADER_ID,
    HEADER_SEAL,
    HEADER_TYPE,
    Codec,
    Headers,
    header,
)
from genoflow.events.event import Event

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HEADER_RECORDED_AT = "gf_recorded_at"  # of an imported record: when it was first recorded
HEADER_POSITION = "gf_position"  # of an imported record: where it stood first


class Position(NamedTuple):
    """A place on the log."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"


class Raw(NamedTuple):
    """The bytes of one record, for those who move records and do not read them."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int


class Recorded:
    """One record of the log; the event inside is decoded on the first look and kept."""

    __slots__ = (
        "_codec", "_event", "_key", "headers", "key_bytes", "offset", "partition",
        "timestamp_ms", "topic", "value",
    )  # fmt: skip

    def __init__(
        self,
        topic: str,
        partition: int,
        offset: int,
        timestamp_ms: int,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        codec: Codec,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp_ms = timestamp_ms
        self.key_bytes = key
        self.value = value
        self.headers = headers
        self._codec = codec
        self._event: Event | None = None
        self._key: str | None = None

    @property
    def position(self) -> Position:
        """Where it stands."""
        return Position(self.topic, self.partition, self.offset)

    @property
    def recorded_at(self) -> datetime:
        """When the log took it; never earlier than the record before it."""
        return EPOCH + timedelta(milliseconds=self.timestamp_ms)

    @property
    def key(self) -> str:
        """The subject it is ordered by."""
        if self._key is None:
            self._key = (self.key_bytes or b"").decode("utf-8", "replace")
        return self._key

    @property
    def event(self) -> Event:
        """The event; MalformedEvent or UnknownSchema where the bytes are none."""
        if self._event is None:
            seal = header(self.headers, HEADER_SEAL)
            self._event = self._codec.decode(self.value or b"", seal)
        return self._event

    @property
    def event_id(self) -> str:
        """The id, from the header where there is one."""
        found = header(self.headers, HEADER_ID)
        return found.decode() if found else str(self.event.envelope.event_id)

    @property
    def type(self) -> str:
        """The name of the type, from the header where there is one."""
        found = header(self.headers, HEADER_TYPE)
        if found is None:
            return self._codec.edition_of(self.value or b"").type
        return found.rpartition(b".")[2].decode()

    @property
    def correlation_id(self) -> UUID:
        """The story that it belongs to."""
        found = header(self.headers, HEADER_CORRELATION)
        return UUID(found.decode()) if found else self.event.envelope.correlation_id

    @property
    def raw(self) -> Raw:
        """Its bytes, as they stand."""
        return Raw(self.key_bytes, self.value, self.headers, self.timestamp_ms)

    def __repr__(self) -> str:
        return f"<{self.position} {self.key}>"
