"""Records of the log as a file: an Avro object container that explains itself for ever.

    header   magic, metadata, sync marker: as the Avro specification says
    blocks   count, size, deflated records, sync marker

The metadata holds the format's version, the number of records, their digest, and the id and the
text of every schema that wrote one of them, so the file needs neither this program nor a registry
to be read. The same records give the same bytes: the sync marker is the hash of the metadata, which
seals that too, and no clock, host or release is written (deflate is deterministic for one build of
zlib).
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

import fastavro

from genoflow.events.codec import MAGIC, PREFIX, Headers
from genoflow.events.errors import DamagedFile, UnknownSchema
from genoflow.events.log.recorded import Position, Raw
from genoflow.events.registry import Edition, Registry

FORMAT_VERSION = "1"
META_FORMAT = "genoflow.format"
META_RECORDS = "genoflow.records"
META_DIGEST = "genoflow.sha256"
META_EDITIONS = "genoflow.editions"

# 64 KiB deflate well (a window is 32 KiB) and hold 180 events of 352 bytes.
BLOCK_BYTES = 65_536
# A record is at most 1 MiB and opens a block of less than 64 KiB; four times that is damage.
BLOCK_BYTES_MAX = 4_194_304
DEFLATE_LEVEL = 6
DEFLATE_WINDOW = -15  # raw deflate, as Avro has it
SYNC_BYTES = 16
VARINT_BYTES_MAX = 10  # 64 bits, seven in a byte
COPY_BYTES = 1_048_576

_HEADER: Any = fastavro.parse_schema(
    {
        "type": "record",
        "name": "org.apache.avro.file.Header",
        "fields": [
            {"name": "magic", "type": {"type": "fixed", "name": "Magic", "size": 4}},
            {"name": "meta", "type": {"type": "map", "values": "bytes"}},
            {"name": "sync", "type": {"type": "fixed", "name": "Sync", "size": SYNC_BYTES}},
        ],
    }
)
_AVRO = b"Obj\x01"
_SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "genoflow.LogRecord",
    "doc": "One record of the log: where and when it was first recorded, and its bytes.",
    "fields": [
        {"name": "topic", "type": "string"},
        {"name": "partition", "type": "int"},
        {"name": "offset", "type": "long"},
        {"name": "recorded_at_ms", "type": "long", "doc": "milliseconds since 1970, UTC"},
        {"name": "key", "type": ["null", "bytes"]},
        {"name": "value", "type": ["null", "bytes"], "doc": "Confluent's wire format"},
        {
            "name": "headers",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "genoflow.RecordHeader",
                    "fields": [
                        {"name": "name", "type": "string"},
                        {"name": "value", "type": ["null", "bytes"]},
                    ],
                },
            },
        },
    ],
}
_RECORD: Any = fastavro.parse_schema(_SCHEMA)
_UNREADABLE = (EOFError, ValueError, IndexError, OverflowError, TypeError, KeyError)


class LogRecord(NamedTuple):
    """A record with the place and the time at which it was first recorded."""

    topic: str
    partition: int
    offset: int
    recorded_at_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers  # a foreign writer may have put null for a value: it is kept

    @property
    def position(self) -> Position:
        """Where it first stood."""
        return Position(self.topic, self.partition, self.offset)

    @property
    def raw(self) -> Raw:
        """Its bytes, for those who append them elsewhere."""
        return Raw(self.key, self.value, self.headers, self.recorded_at_ms)


def encoded(record: LogRecord) -> bytes:
    """The Avro binary of one record, by which records are digested."""
    buffer = io.BytesIO()
    values = record._asdict()
    values["headers"] = [{"name": name, "value": value} for name, value in record.headers]
    fastavro.schemaless_writer(buffer, _RECORD, values)
    return buffer.getvalue()


def read_record(source: IO[bytes]) -> LogRecord | None:
    """The next record of a file of encoded ones, or None at its end."""
    head = source.read(1)
    if not head:
        return None
    source.seek(-1, io.SEEK_CUR)
    return _decoded(source)


def _decoded(buffer: IO[bytes]) -> LogRecord:
    values: Any = fastavro.schemaless_reader(buffer, _RECORD, None)
    headers = tuple((row["name"], row["value"]) for row in values.pop("headers"))
    return LogRecord(**values, headers=headers)


def sync_marker_of(meta: Mapping[str, bytes]) -> bytes:
    """The sync marker of a file with this metadata."""
    text = b"\0".join(name.encode() + b"\0" + meta[name] for name in sorted(meta))
    return hashlib.sha256(text).digest()[:SYNC_BYTES]


def schema_id_of(value: bytes | None) -> int | None:
    """The schema id in front of a value, or None where there is none."""
    if value is None or len(value) < PREFIX.size or value[0] != MAGIC:
        return None
    return int(PREFIX.unpack_from(value)[1])


class ContainerWriter:
    """Takes records one by one, keeps them in a temporary file, and writes the container whole."""

    def __init__(self, registry: Registry, beside: Path | None = None) -> None:
        self._registry = registry
        self._body = tempfile.TemporaryFile(dir=beside)  # noqa: SIM115 -- closed by __exit__
        self._blocks: list[tuple[int, int]] = []  # records and bytes of each full block
        self._open = [0, 0]
        self._digest = hashlib.sha256()
        self._schema_ids: set[int] = set()
        self.records = 0
        self.bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._body.close()

    def add(self, record: LogRecord) -> None:
        """Take one record."""
        row = encoded(record)
        self._body.write(row)
        self._digest.update(row)
        schema_id = schema_id_of(record.value)
        if schema_id is not None:
            self._schema_ids.add(schema_id)
        self.records += 1
        self.bytes += len(row)
        self._open[0] += 1
        self._open[1] += len(row)
        if self._open[1] >= BLOCK_BYTES:
            self._blocks.append((self._open[0], self._open[1]))
            self._open = [0, 0]

    def finish(self, sink: IO[bytes]) -> None:
        """Write the container; nothing can be added after it."""
        if self._open[0]:
            self._blocks.append((self._open[0], self._open[1]))
        meta = self._metadata()
        sync = sync_marker_of(meta)
        header = {"magic": _AVRO, "meta": meta, "sync": sync}
        fastavro.schemaless_writer(sink, _HEADER, header)
        self._body.seek(0)
        for count, size in self._blocks:
            packer = zlib.compressobj(DEFLATE_LEVEL, zlib.DEFLATED, DEFLATE_WINDOW)
            packed = packer.compress(self._body.read(size)) + packer.flush()
            sink.write(_varint(count) + _varint(len(packed)) + packed + sync)

    def _metadata(self) -> dict[str, bytes]:
        editions = [row for number in sorted(self._schema_ids) for row in self._edition(number)]
        return {
            "avro.codec": b"deflate",
            "avro.schema": json.dumps(_SCHEMA, separators=(",", ":")).encode(),
            META_FORMAT: FORMAT_VERSION.encode(),
            META_RECORDS: str(self.records).encode(),
            META_DIGEST: self._digest.hexdigest().encode(),
            META_EDITIONS: json.dumps(editions, separators=(",", ":")).encode(),
        }

    def _edition(self, schema_id: int) -> list[dict[str, Any]]:
        try:
            found = self._registry.by_id(schema_id)
        except UnknownSchema:
            return []  # foreign bytes are carried, and cannot be explained
        return [
            {"id": found.id, "type": found.type, "version": found.version, "schema": found.text}
        ]


class ContainerReader:
    """Reads a container block by block; DamagedFile names the place of what is wrong with it."""

    def __init__(self, source: IO[bytes], name: str) -> None:
        self._source = source
        self._name = name
        header = self._header()
        self._sync: bytes = header["sync"]
        meta: dict[str, bytes] = header["meta"]
        found = meta.get(META_FORMAT)
        if found is None:
            raise DamagedFile(
                f"{name}: is an Avro file, but not one of log records; give a file that "
                f"`genoflow events export` or `genoflow backup` wrote"
            )
        if found.decode("ascii", "replace") != FORMAT_VERSION:
            raise DamagedFile(
                f"{name}: has format version {found.decode('ascii', 'replace')} and this release "
                f"reads {FORMAT_VERSION}; read it with the release that wrote it"
            )
        if self._sync != sync_marker_of(meta):
            raise self._damaged("its metadata is not what was written")
        try:
            self.records = int(meta[META_RECORDS])
            self.digest = meta[META_DIGEST].decode("ascii")
            rows = json.loads(meta[META_EDITIONS])
            self.editions = tuple(
                Edition(row["id"], row["type"], row["version"], row["schema"]) for row in rows
            )
        except _UNREADABLE as error:
            raise self._damaged("its metadata cannot be read") from error

    def _header(self) -> Any:
        try:
            header: Any = fastavro.schemaless_reader(self._source, _HEADER, None)
        except _UNREADABLE as error:
            raise self._damaged("it does not begin as an Avro container") from error
        if header["magic"] != _AVRO:
            raise self._damaged("it does not begin as an Avro container")
        if header["meta"].get("avro.codec") != b"deflate":
            raise self._damaged("its blocks are not deflated")
        return header

    def _damaged(self, fact: str) -> DamagedFile:
        return DamagedFile(f"{self._name}: {fact}; take the file from another copy")

    def __iter__(self) -> Iterator[LogRecord]:
        digest = hashlib.sha256()
        seen = 0
        number = 0
        while (count := self._varint(number, optional=True)) is not None:
            body = self._block(number)
            digest.update(body)
            for record in self._records(body, count, number):
                yield record
                seen += 1
            number += 1
        if seen != self.records:
            raise self._damaged(
                f"it ends after {seen:,} of {self.records:,} records, so it was cut short"
            )
        if digest.hexdigest() != self.digest:
            raise self._damaged(f"its {seen:,} records are not those that were written")

    def _records(self, body: bytes, count: int, number: int) -> Iterable[LogRecord]:
        buffer = io.BytesIO(body)
        try:
            found = [_decoded(buffer) for _ in range(min(count, len(body)))]
        except _UNREADABLE as error:
            raise self._damaged(f"block {number} holds bytes that are no record") from error
        if count != len(found) or buffer.tell() != len(body):
            raise self._damaged(f"block {number} does not hold the {count:,} records it announces")
        return found

    def _block(self, number: int) -> bytes:
        size = self._varint(number) or 0
        if not 0 <= size <= BLOCK_BYTES_MAX:
            raise self._damaged(f"block {number} announces {size:,} bytes")
        packed = self._source.read(size)
        sync = self._source.read(SYNC_BYTES)
        if len(packed) + len(sync) != size + SYNC_BYTES:
            raise self._damaged(f"it ends in the middle of block {number}")
        if sync != self._sync:
            raise self._damaged(f"block {number} does not end with the file's sync marker")
        unpacker = zlib.decompressobj(DEFLATE_WINDOW)
        try:
            body = unpacker.decompress(packed, BLOCK_BYTES_MAX)
        except zlib.error as error:
            raise self._damaged(f"block {number} cannot be inflated ({error})") from error
        if not unpacker.eof or unpacker.unused_data:
            raise self._damaged(f"block {number} cannot be inflated to its end")
        return body

    def _varint(self, number: int, *, optional: bool = False) -> int | None:
        value = 0
        for index in range(VARINT_BYTES_MAX):
            byte = self._source.read(1)
            if not byte:
                if optional and index == 0:
                    return None
                raise self._damaged(f"it ends in the middle of block {number}")
            value |= (byte[0] & 0x7F) << (7 * index)
            if byte[0] < 0x80:
                return (value >> 1) ^ -(value & 1)
        raise self._damaged(f"block {number} begins with no number")


def _varint(number: int) -> bytes:
    value = (number << 1) ^ (number >> 63)
    out = bytearray()
    while value > 0x7F:
        out.append((value & 0x7F) | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
