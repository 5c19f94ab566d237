"""Events to bytes and back: Confluent's wire format, so that others read it without our help.

    byte 0        0x00
    bytes 1 to 4  schema id, big endian
    the rest      Avro binary: the envelope, then the fields of the fact

Nothing is validated twice. The writer validated when it built the event, and it seals the bytes: a
CRC-32 in a header. A reader that finds the seal unbroken builds the model without checks. Bytes
without a seal come from a foreign hand and are taken only if they pass every rule of the model and
encode again to the very same bytes; a broken seal is refused.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import fastavro
from pydantic import ValidationError

from genoflow.events import binary, compiled
from genoflow.events.avro import from_avro, schema_of, to_avro
from genoflow.events.envelope import Envelope
from genoflow.events.errors import InvalidEvent, MalformedEvent, UnknownSchema
from genoflow.events.event import Event, explain
from genoflow.events.registry import Edition, Registry
from genoflow.events.schema_rules import without_words
from genoflow.events.types import READING

MAGIC = 0
PREFIX = struct.Struct(">bI")
SEAL = struct.Struct(">I")

# The broker's message.max.bytes is 1 MiB (1,048,576); headers and framing have the rest.
EVENT_BYTES_MAX = 1_000_000

PREPARED_MAX = 20_000  # ten full steps of a task; 400 bytes each are 8 MB

HEADER_ID = "ce_id"
HEADER_TYPE = "ce_type"
HEADER_SOURCE = "ce_source"
HEADER_CORRELATION = "ce_correlationid"
HEADER_SEAL = "gf_seal"

Headers = Sequence[tuple[str, bytes | None]]  # Kafka allows a header without a value
_SPECVERSION = ("ce_specversion", b"1.0")

# What fastavro raises on bytes that are not what the schema says; anything else is a defect.
_UNREADABLE = (EOFError, ValueError, IndexError, OverflowError, TypeError, KeyError, struct.error)


class _Writer(NamedTuple):
    """What is the same for every record of a type that this code writes."""

    prefix: bytes
    edition: Edition
    convert: Any
    write: binary.Write | None
    type_header: tuple[str, bytes]


class Codec:
    """Encodes and decodes by the editions of one registry."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._envelope = from_avro(Envelope)
        self._unwrap = to_avro(Envelope)
        self._writers: dict[str, _Writer] = {}
        self._readers: dict[bytes, tuple[Edition, binary.Read | None]] = {}
        # By identity, and holding the event: an id is not given to another one meanwhile.
        self._prepared: dict[int, tuple[Event, tuple[bytes, list[tuple[str, bytes]]]]] = {}

    def prepare(self, event: Event) -> int:
        """Encode now for the append that follows, and tell how many bytes it takes."""
        known = self._prepared.get(id(event))
        if known is not None:
            return len(known[1][0])
        wire = self.encode(event)
        if len(self._prepared) >= PREPARED_MAX:
            self._prepared.clear()  # what was prepared and never appended; encoding again is safe
        self._prepared[id(event)] = (event, wire)
        return len(wire[0])

    def encode(self, event: Event) -> tuple[bytes, list[tuple[str, bytes]]]:
        """The value and the headers of one record."""
        if self._prepared:
            prepared = self._prepared.pop(id(event), None)
            if prepared is not None:
                return prepared[1]
        writer = self._writers.get(event.type()) or self._writer(event.type())
        envelope = event.envelope
        value = self._written(writer, envelope, event)
        if len(value) > EVENT_BYTES_MAX:
            raise InvalidEvent(
                f"{event.type()} {event.key}: takes {len(value):,} bytes and the limit is "
                f"{EVENT_BYTES_MAX:,}; put large content into the object store and name it here"
            )
        return value, [
            _SPECVERSION,
            (HEADER_ID, binary.id_text(envelope.event_id.int)),
            writer.type_header,
            (HEADER_SOURCE, envelope.producer.service.encode()),
            (HEADER_CORRELATION, binary.id_text(envelope.correlation_id.int)),
            (HEADER_SEAL, SEAL.pack(zlib.crc32(value))),
        ]

    def _written(self, writer: _Writer, envelope: Envelope, event: Event) -> bytes:
        if writer.write is not None:
            try:
                return writer.write(writer.prefix, envelope, event)
            except binary.NOT_MINE:
                pass  # the Avro library takes it below, or says what is wrong with it
        buffer = io.BytesIO()
        buffer.write(writer.prefix)
        values = {**writer.convert(event), "envelope": self._unwrap(envelope)}
        fastavro.schemaless_writer(buffer, writer.edition.parsed, values)
        return buffer.getvalue()

    def _writer(self, event_type: str) -> _Writer:
        edition = self.registry.current(event_type)
        model = self.registry.model(event_type)
        writer = _Writer(
            PREFIX.pack(MAGIC, edition.id),
            edition,
            to_avro(model),
            _write(model) if is_of(model, edition) else None,
            (HEADER_TYPE, edition.subject.encode()),
        )
        self._writers[event_type] = writer
        return writer

    def _reader(self, value: bytes) -> tuple[Edition, binary.Read | None]:
        edition = self.edition_of(value)
        model = self.registry.models.get(edition.type)
        read = _read(model) if model and is_of(model, edition) else None
        self._readers[value[: PREFIX.size]] = edition, read
        return edition, read

    def decode(self, value: bytes, seal: bytes | None = None) -> Event:
        """The event in these bytes: trusted under an unbroken seal, checked to the bit without."""
        known = self._readers.get(value[: PREFIX.size])
        edition, read = known or self._reader(value)
        if seal is None:
            return self._decode_foreign(value, edition)
        if len(seal) != SEAL.size or SEAL.unpack(seal)[0] != zlib.crc32(value):
            raise MalformedEvent(
                f"{edition.type} v{edition.version}: the bytes are not those that were sealed "
                f"({len(value)} bytes); take them from a backup or another replica"
            )
        if read is not None:
            try:
                event, end = read(value, PREFIX.size)
            except binary.NOT_MINE:
                end = 0  # the Avro library takes it below, or says what is wrong with it
            if end == len(value):
                return event
        return self._build(self._values(value, edition), edition)

    def values(self, value: bytes) -> dict[str, Any]:
        """What Avro reads in these bytes, held against no rule: for a person who mends them."""
        return self._values(value, self.edition_of(value))

    def edition_of(self, value: bytes) -> Edition:
        """The edition that wrote these bytes."""
        if len(value) < PREFIX.size or value[0] != MAGIC:
            raise MalformedEvent(
                f"{len(value)} bytes that begin with {value[:5].hex() or 'nothing'}: not in "
                f"Confluent's wire format (0x00 and a schema id); write through a porch or the SDK"
            )
        return self.registry.by_id(PREFIX.unpack_from(value)[1])

    def _values(self, value: bytes, edition: Edition) -> dict[str, Any]:
        model = self.registry.models.get(edition.type)
        newest = model.about.version if model else edition.version
        reader = None
        if newest != edition.version and int(newest.split(".")[0]) == edition.major:
            reader = self.registry.current(edition.type).parsed
        values, end = self._read(value, edition, reader)
        if end != len(value):
            raise MalformedEvent(
                f"{edition.type} v{edition.version}: {len(value) - end} bytes follow "
                f"the event; find their writer by the record's headers"
            )
        return values  # type: ignore[no-any-return]

    def _build(self, values: dict[str, Any], edition: Edition) -> Event:
        model = self.registry.model(edition.type)
        newest = int(model.about.version.split(".")[0])
        envelope = self._envelope(values.pop("envelope"))
        if edition.major != newest:
            return self._upcast(values, edition, newest).enveloped(envelope)
        event: Event = from_avro(model)(values)
        object.__setattr__(event, "__pydantic_private__", {"_envelope": envelope})
        return event

    def _upcast(self, values: dict[str, Any], edition: Edition, newest: int) -> Event:
        if edition.major > newest:
            raise UnknownSchema(
                f"{edition.type} v{edition.version} is newer than this code (v{newest}); "
                f"deploy the readers first"
            )
        for major in range(edition.major, newest):
            upcast = self.registry.upcasters.get((edition.type, major))
            if upcast is None:
                raise UnknownSchema(
                    f"{edition.type} v{edition.version}: nothing leads from v{major} to "
                    f"v{major + 1}; write the upcaster in events/upcasters.py"
                )
            values = upcast(values)
        model = self.registry.model(edition.type)
        try:
            return model.model_validate(values, context={READING: True})
        except ValidationError as error:
            place = f"{edition.type} v{edition.version}, upcast to v{newest}"
            raise MalformedEvent(explain(place, error)) from error

    def _decode_foreign(self, value: bytes, edition: Edition) -> Event:
        place = f"{edition.type} v{edition.version}"
        raw, _ = self._read(value, edition, None)
        buffer = io.BytesIO()
        buffer.write(value[: PREFIX.size])
        try:
            fastavro.schemaless_writer(buffer, edition.parsed, raw)
        except _UNREADABLE as error:
            raise MalformedEvent(f"{place}: {error}; find their writer") from error
        if buffer.getvalue() != value:
            raise MalformedEvent(
                f"{place}: decodes, but not from the bytes that Avro would write; "
                f"send it again through an Avro library or the SDK"
            )
        try:
            return self._checked(self._values(value, edition), edition)
        except ValidationError as error:
            raise MalformedEvent(explain(place, error)) from error

    @staticmethod
    def _read(value: bytes, edition: Edition, reader: Any) -> tuple[Any, int]:
        """The values as the Avro library reads them, and the place behind them."""
        buffer = io.BytesIO(value)
        buffer.seek(PREFIX.size)
        try:
            return fastavro.schemaless_reader(buffer, edition.parsed, reader), buffer.tell()
        except _UNREADABLE as error:
            raise MalformedEvent(
                f"{edition.type} v{edition.version}: {len(value)} bytes that are no such event "
                f"({type(error).__name__}: {error}); find their writer by the record's headers"
            ) from error

    def _checked(self, values: dict[str, Any], edition: Edition) -> Event:
        context = {READING: True}
        envelope = Envelope.model_validate(values.pop("envelope"), context=context)
        if (envelope.type, envelope.schema_version) != (edition.type, edition.version):
            raise MalformedEvent(
                f"{edition.type} v{edition.version}: its envelope says {envelope.type} "
                f"v{envelope.schema_version}; write through a porch or the SDK"
            )
        model = self.registry.model(edition.type)
        newest = int(model.about.version.split(".")[0])
        if edition.major != newest:
            event = self._upcast(values, edition, newest)
        else:
            event = model.model_validate(values, context=context)
        if envelope.subject != event.key:
            raise MalformedEvent(
                f"{edition.type} v{edition.version}: its envelope's subject is "
                f"{envelope.subject!r} and its key is {event.key!r}; "
                f"write through a porch or the SDK"
            )
        return event.enveloped(envelope)


def header(headers: Headers, name: str) -> bytes | None:
    """One header of a record, or None."""
    for key, value in headers:
        if key == name:
            return value
    return None


def _write(model: type[Event]) -> binary.Write:
    return compiled.writer(model) or binary.writer(model)


def _read(model: type[Event]) -> binary.Read:
    return compiled.reader(model) or binary.reader(model)


def is_of(model: type[Event], edition: Edition) -> bool:
    """Whether the edition is this very model, but for its words, which may be mended later."""
    same: bool = without_words(schema_of(model)) == without_words(json.loads(edition.text))
    return same
