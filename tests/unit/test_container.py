"""Container files: deterministic, self-describing, and honest about damage."""

from __future__ import annotations

import io
import json
import random
import zlib
from pathlib import Path
from typing import Any

import avro.datafile
import avro.io
import fastavro
import pytest

from genoflow.events.errors import DamagedFile
from genoflow.events.log.container import (
    BLOCK_BYTES,
    META_DIGEST,
    META_EDITIONS,
    META_FORMAT,
    META_RECORDS,
    ContainerReader,
    ContainerWriter,
    LogRecord,
    sync_marker_of,
)
from genoflow.events.registry import Registry, released


def rows(count: int, seed: int = 1) -> list[LogRecord]:
    """Records of every shape that a log can hold, the same for the same seed."""
    random_ = random.Random(seed)
    edition = released().editions[0].id
    shapes = (
        None,
        b"",
        random_.randbytes(300),
        b"\x00" + edition.to_bytes(4, "big") + random_.randbytes(40),
        b"\x00\xff\xff\xff\xf0 of nobody's schema",
    )
    headers: tuple[tuple[tuple[str, bytes | None], ...], ...] = (
        (),
        (("a", b"1"), ("a", b"2"), ("ü", b"")),
        (("null", None),),
    )
    return [
        LogRecord(
            "gf.sample.v1",
            n % 4,
            n,
            1_700_000_000_000 + n,
            random_.choice((None, b"", b"S1", b"\xff\x00")),
            random_.choice(shapes),
            random_.choice(headers),
        )
        for n in range(count)
    ]


def written(records: list[LogRecord], registry: Registry | None = None) -> bytes:
    """The file of these records."""
    sink = io.BytesIO()
    with ContainerWriter(registry or released()) as writer:
        for record in records:
            writer.add(record)
        writer.finish(sink)
    return sink.getvalue()


def read(data: bytes) -> list[LogRecord]:
    return list(ContainerReader(io.BytesIO(data), "file.avro"))


@pytest.mark.parametrize("count", [0, 1, 2, 3_000])
def test_what_was_written_is_read(count: int) -> None:
    assert read(written(rows(count))) == rows(count)


def test_a_record_of_the_largest_size_is_kept() -> None:
    large = LogRecord("t", 0, 2**62, 2**50, b"k", random.Random(1).randbytes(1_048_576), ())
    assert read(written([*rows(5), large, *rows(5)])) == [*rows(5), large, *rows(5)]


def test_the_same_records_give_the_same_bytes_and_others_give_others() -> None:
    assert written(rows(500)) == written(rows(500))
    assert written(rows(500)) != written(rows(500, seed=2))


def test_other_avro_libraries_read_it(tmp_path: Path) -> None:
    path = tmp_path / "file.avro"
    path.write_bytes(written(rows(700)))
    with path.open("rb") as file:
        theirs: list[Any] = list(fastavro.reader(file))
    with avro.datafile.DataFileReader(path.open("rb"), avro.io.DatumReader()) as reader:
        apaches: list[Any] = list(reader)
    for found in (theirs, apaches):
        assert [(row["topic"], row["offset"], row["value"]) for row in found] == [
            (row.topic, row.offset, row.value) for row in rows(700)
        ]
        assert [[tuple(h.values()) for h in row["headers"]] for row in found] == [
            list(row.headers) for row in rows(700)
        ]


def test_the_file_explains_the_schemas_that_it_needs_and_no_others() -> None:
    reader = ContainerReader(io.BytesIO(written(rows(100))), "file.avro")
    assert [edition.text for edition in reader.editions] == [released().editions[0].text]
    assert fastavro.parse_schema(json.loads(reader.editions[0].text))


@pytest.fixture(scope="module")
def sound() -> bytes:
    return written(rows(1_500))


def test_a_file_cut_anywhere_is_refused(sound: bytes) -> None:
    ends = {0, 1, 4, 100, len(sound) - 1, len(sound) - 16, len(sound) - 17}
    ends |= set(random.Random(3).sample(range(len(sound)), 60))
    for end in sorted(ends):
        with pytest.raises(DamagedFile, match=r"^file.avro: .*; "):
            read(sound[:end])


def test_a_file_cut_between_two_blocks_is_refused() -> None:
    # Every record is a block of its own, so that the cut leaves whole blocks behind.
    large = [row._replace(value=bytes(BLOCK_BYTES)) for row in rows(3)]
    data = written(large)
    sync = data[-16:]
    end = data.rindex(sync, 0, len(data) - 16) + 16
    with pytest.raises(DamagedFile, match="ends after 2 of 3 records"):
        read(data[:end])


def test_a_flipped_bit_anywhere_is_refused(sound: bytes) -> None:
    for place in random.Random(4).sample(range(len(sound)), 150):
        damaged = bytearray(sound)
        damaged[place] ^= 1 << (place % 8)
        with pytest.raises(DamagedFile, match=r"^file.avro: "):
            read(bytes(damaged))


def test_bytes_behind_the_last_block_are_refused(sound: bytes) -> None:
    with pytest.raises(DamagedFile, match="ends in the middle of block"):
        read(sound + b"\x02")


def with_metadata(**changes: bytes) -> bytes:
    """A file that another program wrote, with this metadata."""
    metadata = {
        META_FORMAT: b"1", META_RECORDS: b"0", META_DIGEST: b"0", META_EDITIONS: b"[]",
    }  # fmt: skip
    metadata |= {f"genoflow.{name}": value for name, value in changes.items()}
    texts = {name: value.decode() for name, value in metadata.items() if value}
    sync = bytes(16)
    while True:
        sink = io.BytesIO()
        fastavro.writer(sink, "string", [], codec="deflate", metadata=texts, sync_marker=sync)
        found = fastavro.reader(io.BytesIO(sink.getvalue())).metadata
        wanted = sync_marker_of({name: text.encode() for name, text in found.items()})
        if sync == wanted:
            return sink.getvalue()
        sync = wanted


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"format": b"2"}, "has format version 2 and this release reads 1"),
        ({"format": b""}, "is an Avro file, but not one of log records"),
        ({"records": b"many"}, "its metadata cannot be read"),
        ({"editions": b"[{}]"}, "its metadata cannot be read"),
        ({"sha256": b"0"}, "its 0 records are not those that were written"),
    ],
)
def test_metadata_of_another_kind_is_refused(changes: dict[str, bytes], fact: str) -> None:
    with pytest.raises(DamagedFile, match=fact):
        read(with_metadata(**changes))


def test_no_avro_file_is_refused() -> None:
    for data in (b"", b"PK\x03\x04 a zip", b"Obj\x01", random.Random(5).randbytes(500)):
        with pytest.raises(DamagedFile, match="does not begin as an Avro container"):
            read(data)


def test_a_block_that_inflates_without_end_is_refused(sound: bytes) -> None:
    reader = ContainerReader(io.BytesIO(sound), "file.avro")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(100_000_000)) + packer.flush()
    size = len(bomb) << 1
    number = bytearray()
    while size > 0x7F:
        number.append((size & 0x7F) | 0x80)
        size >>= 7
    number.append(size)
    head = sound[: sound.index(reader._sync) + 16]
    with pytest.raises(DamagedFile, match="cannot be inflated to its end"):
        read(head + b"\x02" + bytes(number) + bomb + reader._sync)
