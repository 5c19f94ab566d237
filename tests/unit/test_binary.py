"""The made readers and writers: the same bytes and values as the Avro library, or none."""

from __future__ import annotations

import io
import json
import random
import struct
import zlib
from decimal import Decimal
from typing import Any
from uuid import UUID

import fastavro
import pytest

from genoflow.events import binary
from genoflow.events.avro import from_avro, to_avro
from genoflow.events.catalogue import EVENTS
from genoflow.events.codec import PREFIX, Codec
from genoflow.events.envelope import Envelope
from genoflow.events.errors import MalformedEvent
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.registry import Edition, Registry, released
from genoflow.events.task_completed import TaskCompleted
from tests.examples import example

LONG_EDGES = (0, 1, 63, 64, 127, 128, 8_191, 8_192, 2**31, 2**53, 2**62, 2**63 - 1)
DECIMALS = ("0", "0.000001", "1.280000", "127", "128", "-0.000128", "-129", "999999999999.999999")


def by_the_library(event: Event) -> bytes:
    """The bytes that the Avro library writes for the released schema."""
    buffer = io.BytesIO()
    values = {**to_avro(type(event))(event), "envelope": to_avro(Envelope)(event.envelope)}
    fastavro.schemaless_writer(buffer, released().current(event.type()).parsed, values)
    return buffer.getvalue()


def primitive(schema: Any, value: Any) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, schema, value)
    return buffer.getvalue()


@pytest.mark.parametrize("model", EVENTS, ids=lambda model: model.__name__)
def test_both_write_the_same_bytes_and_read_the_same_event(model: type[Event]) -> None:
    write, read = binary.writer(model), binary.reader(model)
    for seed in range(20):
        event = example(model, seed)
        value = write(b"12345", event.envelope, event)
        assert value == b"12345" + by_the_library(event)
        found, end = read(value, 5)
        assert (found, end) == (event, len(value))
        assert found.envelope == event.envelope
        schema = released().current(model.type()).parsed
        values: Any = fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None)
        assert found.envelope == from_avro(Envelope)(values.pop("envelope"))
        assert found.__dict__ == from_avro(model)(values).__dict__


@pytest.mark.parametrize("number", [*LONG_EDGES, *(-number - 1 for number in LONG_EDGES)])
def test_numbers_are_written_as_the_library_does(number: int) -> None:
    octets = binary.write_long(number)
    assert octets == primitive("long", number)
    assert binary.read_long(b"x" + octets + b"y", 1) == (number, 1 + len(octets))


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**70, -(2**70)])
def test_numbers_of_more_than_64_bits_are_refused(number: int) -> None:
    with pytest.raises(OverflowError):
        binary.write_long(number)


def test_numbers_that_do_not_end_are_refused() -> None:
    with pytest.raises(ValueError, match="64 bits"):
        binary.read_long(b"\xff" * 20, 0)
    with pytest.raises(ValueError, match="negative"):
        binary.read_length(binary.write_long(-1), 0)


@pytest.mark.parametrize("text", DECIMALS)
def test_decimals_are_written_as_the_library_does(text: str) -> None:
    schema = {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 6}
    octets = binary.write_decimal(Decimal(text))
    assert octets == primitive(schema, Decimal(text))
    assert binary.read_decimal(octets[1:]) == Decimal(text)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "0.0000001", "1234567890123456789"])
def test_decimals_beyond_the_schema_are_refused(text: str) -> None:
    with pytest.raises(binary.NOT_MINE):
        binary.write_decimal(Decimal(text))


def test_an_id_is_read_as_it_was_written_and_in_no_other_notation() -> None:
    source = random.Random(1)
    for _ in range(100):
        value = UUID(int=source.getrandbits(128))
        assert binary.uuid_text(value) == str(value).encode()
        assert binary.read_uuid(str(value).encode()) == value
    for text in (b"", b"-" * 36, b"{" + b"0" * 34 + b"}", b"1_" * 16 + b"----", b"0" * 36):
        with pytest.raises(ValueError, match="no id"):
            binary.read_uuid(text)


@pytest.mark.parametrize(
    "wrong", [{"size_bytes": 2**63}, {"bucket": 7}, {"bucket": "\ud800"}, {"size_bytes": "7"}]
)
def test_what_the_writer_does_not_take_is_the_librarys_to_refuse(wrong: dict[str, Any]) -> None:
    event = example(FileLanded)
    broken = event.model_copy(update=wrong)
    with pytest.raises(binary.NOT_MINE):
        binary.writer(FileLanded)(b"", event.envelope, broken)
    with pytest.raises((ValueError, TypeError, OverflowError, AttributeError)) as library:
        by_the_library(broken.enveloped(event.envelope))
    with pytest.raises(type(library.value)):
        Codec(released()).encode(broken.enveloped(event.envelope))


@pytest.mark.parametrize("model", [FileLanded, TaskCompleted])
def test_bytes_that_were_cut_off_leave_no_trace_in_the_next_event(model: type[Event]) -> None:
    codec = Codec(released())
    event = example(model, 1)
    whole = codec.encode(event)[0]
    for size in range(PREFIX.size, len(whole)):
        cut = whole[:size]
        with pytest.raises(MalformedEvent):
            codec.decode(cut, struct.pack(">I", zlib.crc32(cut)))
        found = codec.decode(whole, struct.pack(">I", zlib.crc32(whole)))
        assert found == event
        assert found.envelope == event.envelope


def test_words_that_were_mended_after_a_release_cost_no_speed() -> None:
    reworded = json.loads(released().current("FileLanded").text)
    reworded["doc"] = "other words"
    reworded["fields"][1]["doc"] = "other words"
    edition = Edition(1, "FileLanded", FileLanded.about.version, json.dumps(reworded))
    codec = Codec(Registry([edition], [FileLanded]))
    event = example(FileLanded, 1)
    value, headers = codec.encode(event)
    assert codec._writers["FileLanded"].write is not None
    assert codec.decode(value, dict(headers)["gf_seal"]) == event
    assert codec._readers[value[: PREFIX.size]][1] is not None
