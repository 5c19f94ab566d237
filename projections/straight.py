"""Rows of the audit trail straight from the bytes of events: no event is built for them.

They are the rows that `AuditTrail.project` makes, to the byte. So a batch is taken as a whole or
not at all: every record is under an unbroken seal and of the edition that this release writes, and
nothing in it is to be replaced, refused or told apart. Any other batch goes the usual way, which
sets aside what is wrong with it; that costs time and nothing else.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache

from genoflow.events.codec import HEADER_ID, HEADER_SEAL, SEAL, Codec, header, is_of
from genoflow.events.log.recorded import Recorded
from genoflow.native import batch
from genoflow.native.copy_fields import END, POSTGRES_EPOCH_MICROSECONDS, SIGNATURE
from genoflow.native.program import Program, copy_program
from genoflow.projections.audit_trail import SUBJECTS_KEPT_MAX, subject_id
from genoflow.projections.landing import NotReady, Ready
from genoflow.projections.row import as_text

# What the log says of a record: each field with its length before it, as COPY has it.
SAME_LENGTHS = struct.Struct("> i16s iq ii iq i4s i")
HEAD = (
    "event_id", "log_offset", "log_partition", "recorded_at", "seal", "value", "log_topic",
    "subject_id", "subject",
)  # fmt: skip
# What its bytes say: columns, paths in the event, types of COPY.
BODY = (
    ("type", "envelope.type", "text"),
    ("occurred_at", "envelope.occurred_at", "timestamptz"),
    ("correlation_id", "envelope.correlation_id", "uuid"),
    ("causation_id", "envelope.causation_id", "uuid"),
    ("actor_kind", "envelope.actor.kind", "text"),
    ("actor_id", "envelope.actor.id", "text"),
    ("producer", "envelope.producer.service", "text"),
    ("producer_version", "envelope.producer.version", "text"),
    ("payload", "", "jsonb rest"),
)
COLUMNS = (*HEAD, *(name for name, _, _ in BODY))
# 10 µs each: Postgres, which takes 20 for one, has work while the next ones are made.
RECORDS_AT_ONCE = 200
ID_CHARACTERS = 36
ID_LENGTH = (16).to_bytes(4, "big")
MOMENT_END_MS = 2_932_897 * 86_400 * 1_000  # the year 10000, which no datetime has
REPLACED = b"\\u0000"  # what `json_of` replaces, even where somebody wrote these six letters


class Straight:
    """Makes such rows by the newest editions that a codec knows."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec

    def ready(self, records: Sequence[Recorded]) -> Ready:
        """The rows of these records, made while Postgres writes those before them."""
        return Ready(COLUMNS, self._pieces(records))

    async def _pieces(self, records: Sequence[Recorded]) -> AsyncIterator[bytes]:
        yield SIGNATURE
        for first in range(0, len(records), RECORDS_AT_ONCE):
            yield self.rows(records[first : first + RECORDS_AT_ONCE])
        yield END

    def rows(self, records: Sequence[Recorded]) -> bytes:
        """The rows of these records, without the head and the end of a stream; or NotReady."""
        heads = [head_of(record) for record in records]
        values = [record.value or b"" for record in records]
        made = batch.copy_rows(values, programs(self._codec), batch.Heads(len(HEAD), heads))
        if made.faults or made.others:
            raise NotReady
        return b"".join(rows.body for rows in made.found.values())


@lru_cache(maxsize=4)  # a process has one codec; each is read through once, in some 50 ms
def programs(codec: Codec) -> dict[int, Program]:
    """What is read of the newest edition of every type, where it is the model of this release."""
    found = {}
    for event_type, model in codec.registry.models.items():
        edition = codec.registry.current(event_type)
        if is_of(model, edition):
            columns = [(path, kind) for _, path, kind in BODY]
            found[edition.id] = copy_program(json.loads(edition.text), columns)
    return found


def head_of(record: Recorded) -> bytes:
    """The fields of HEAD; NotReady where the record has to be looked at as an event."""
    value, seal = record.value, header(record.headers, HEADER_SEAL)
    event_id = _id(header(record.headers, HEADER_ID))
    if value is None or seal is None or event_id is None:
        raise NotReady
    if (
        len(seal) != SEAL.size
        or SEAL.unpack(seal)[0] != zlib.crc32(value)
        or REPLACED in value
        or not 0 <= record.timestamp_ms < MOMENT_END_MS
    ):
        raise NotReady
    moment = record.timestamp_ms * 1_000 - POSTGRES_EPOCH_MICROSECONDS
    lengths = SAME_LENGTHS.pack(
        16, event_id, 8, record.offset, 4, record.partition, 8, moment, 4, seal, len(value)
    )
    return b"".join((lengths, value, _text(record.topic), _subject(record.key)))


def _id(text: bytes | None) -> bytes | None:
    # Stricter than UUID, which takes other texts for the same id: those go the usual way.
    if text is None or len(text) != ID_CHARACTERS:
        return None
    digits = text.replace(b"-", b"")
    try:
        octets = bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return None
    return octets if len(digits) == 2 * len(octets) == 32 else None


@lru_cache(maxsize=64)  # topics
def _text(text: str) -> bytes:
    octets = text.encode()
    return len(octets).to_bytes(4, "big") + octets


@lru_cache(maxsize=SUBJECTS_KEPT_MAX)
def _subject(key: str) -> bytes:
    octets = as_text(key).encode()
    return b"".join((ID_LENGTH, subject_id(key).bytes, len(octets).to_bytes(4, "big"), octets))
