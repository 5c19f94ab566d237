"""Which records somebody wants to see: the same choice for `tail` and for `export`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from genoflow.events.codec import HEADER_CORRELATION, HEADER_TYPE, header
from genoflow.events.log.origin import origin_of
from genoflow.events.log.recorded import EPOCH, Recorded


def milliseconds(time: datetime) -> int:
    """The time as the log counts it."""
    return (time - EPOCH) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Filter:
    """What is left empty does not restrict; times are those of the first recording."""

    types: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    correlation_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, record: Recorded) -> bool:
        """Whether a record is wanted; MalformedEvent where its bytes do not say.

        What costs least is asked first, and bytes are decoded only where no header answers.
        """
        return (
            self._in_time(record)
            and (not self.subjects or record.key in self.subjects)
            and (not self.types or _type_of(record) in self.types)
            and (self.correlation_id is None or _correlation_of(record) == self.correlation_id)
        )

    def _in_time(self, record: Recorded) -> bool:
        if self.since is None and self.until is None:
            return True
        time = origin_of(record).recorded_at_ms
        return (self.since is None or time >= milliseconds(self.since)) and (
            self.until is None or time < milliseconds(self.until)
        )


EVERYTHING = Filter()


def _type_of(record: Recorded) -> str:
    # A foreign writer's header may hold anything: only a name that is one counts.
    found = header(record.headers, HEADER_TYPE)
    if found:
        return found.rpartition(b".")[2].decode("utf-8", "replace")
    return record.type


def _correlation_of(record: Recorded) -> UUID | None:
    found = header(record.headers, HEADER_CORRELATION)
    if not found:
        return record.event.envelope.correlation_id
    try:
        return UUID(found.decode("ascii", "replace"))
    except ValueError:
        return None
