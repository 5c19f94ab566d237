"""The codec: what stands on the wire, and that no bytes become an event that nobody wrote."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator

import pytest

from genoflow.events.catalogue import EVENTS
from genoflow.events.codec import (
    EVENT_BYTES_MAX,
    HEADER_CORRELATION,
    HEADER_ID,
    HEADER_SEAL,
    HEADER_TYPE,
    MAGIC,
    PREFIX,
    Codec,
    header,
)
from genoflow.events.errors import (
    GenoflowError,
    InvalidEvent,
    MalformedEvent,
    UnknownSchema,
)
from genoflow.events.event import Event
from genoflow.events.event_parked import EventParked
from genoflow.events.file_landed import FileLanded
from genoflow.events.qc_passed import QcPassed
from genoflow.events.registry import released
from genoflow.native import batch
from tests.examples import example

MUTATIONS = 10_000
SEED = 20_260_301


@pytest.fixture(scope="module", params=["as installed", "without the extension"])
def codec(request: pytest.FixtureRequest) -> Iterator[Codec]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "without the extension":
            patch.setattr(batch, "_rust", None)  # its functions are made at a type's first use
        yield Codec(released())


def seal_of(value: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(value))


def mutated(value: bytes, source: random.Random, ids: int) -> bytes:
    """The bytes after one to three faults that disks, networks and foreign writers make."""
    octets = bytearray(value)
    for _ in range(source.randint(1, 3)):
        place = source.randrange(len(octets)) if octets else 0
        fault = source.randrange(8)
        if fault == 0 and octets:
            octets[place] ^= 1 << source.randrange(8)
        elif fault == 1:
            del octets[place:]
        elif fault == 2:
            octets[place:place] = source.randbytes(source.randint(1, 9))
        elif fault == 3 and octets:  # the same number, written longer than Avro writes it
            octets[place : place + 1] = bytes([octets[place] | 0x80, 0x00])
        elif fault == 4 and len(octets) >= PREFIX.size:
            struct.pack_into(">I", octets, 1, source.randint(0, ids + 2))
        elif fault == 5 and octets:
            octets[place] = source.randrange(256)
        elif fault == 6:
            octets += source.randbytes(source.randint(1, 20))
        elif fault == 7 and octets:
            del octets[place : place + source.randint(1, 6)]
    return bytes(octets)


def mutations(codec: Codec) -> Iterator[tuple[int, bytes, bytes]]:
    """Number, what was written and what became of it, over all types in turn."""
    source = random.Random(SEED)
    written = [codec.encode(example(model, seed))[0] for model in EVENTS for seed in range(3)]
    for number in range(MUTATIONS):
        value = written[number % len(written)]
        yield number, value, mutated(value, source, len(EVENTS))


def decoded(codec: Codec, value: bytes, seal: bytes | None) -> Event | None:
    """The event, or None where the codec refuses; anything but its own errors is a defect."""
    try:
        return codec.decode(value, seal)
    except GenoflowError:
        return None


def test_no_mutation_without_a_seal_becomes_an_event_that_was_not_written(codec: Codec) -> None:
    refused = 0
    for number, _, value in mutations(codec):
        event = decoded(codec, value, None)
        refused += event is None
        if event is not None:
            assert codec.encode(event)[0] == value, f"mutation {number} of seed {SEED}"
    assert 5_000 < refused < MUTATIONS  # most break; a digit that became another one does not


def test_no_mutation_under_the_seal_of_what_was_written_becomes_an_event(codec: Codec) -> None:
    for number, written, value in mutations(codec):
        event = decoded(codec, value, seal_of(written))
        assert event is None or value == written, f"mutation {number} of seed {SEED}"


def test_no_mutation_under_a_seal_of_its_own_ends_the_process(codec: Codec) -> None:
    for _, _, value in mutations(codec):
        decoded(codec, value, seal_of(value))


@pytest.mark.parametrize("model", EVENTS, ids=lambda model: model.__name__)
def test_both_ways_of_decoding_give_what_was_written(codec: Codec, model: type[Event]) -> None:
    for seed in range(10):
        event = example(model, seed)
        value, headers = codec.encode(event)
        sealed = codec.decode(value, header(headers, HEADER_SEAL))
        checked = codec.decode(value)
        assert sealed == checked == event
        assert sealed.envelope == checked.envelope == event.envelope
        assert sealed.payload() == checked.payload() == event.payload()
        assert repr(sealed) == repr(checked) == repr(event)
        assert codec.encode(sealed) == codec.encode(checked) == (value, headers)


def test_an_event_that_was_decoded_is_as_frozen_as_one_that_was_built(codec: Codec) -> None:
    value, headers = codec.encode(example(QcPassed))
    event = codec.decode(value, header(headers, HEADER_SEAL))
    assert isinstance(event, QcPassed)
    with pytest.raises(ValueError, match="frozen"):
        event.sample_id = "other"  # type: ignore[misc]
    assert isinstance(event.measured, tuple)
    assert hash(event) == hash(example(QcPassed))


def test_the_value_is_confluents_format(codec: Codec) -> None:
    event = example(FileLanded)
    value, headers = codec.encode(event)
    edition = released().current("FileLanded")
    assert value[0] == MAGIC == 0
    assert int.from_bytes(value[1:5], "big") == edition.id
    assert codec.edition_of(value) is edition
    assert header(headers, HEADER_ID) == str(event.envelope.event_id).encode()
    assert header(headers, HEADER_TYPE) == b"genoflow.v1.FileLanded"
    assert header(headers, HEADER_CORRELATION) == str(event.envelope.correlation_id).encode()
    assert header(headers, HEADER_SEAL) == seal_of(value)
    assert header(headers, "none") is None


def test_an_event_that_is_too_long_is_refused(codec: Codec) -> None:
    rows = example(QcPassed)
    long = rows.model_copy(update={"read_set_ids": ("x" * 100,) * 10_000})
    with pytest.raises(InvalidEvent, match=rf"takes .* bytes and the limit is {EVENT_BYTES_MAX:,}"):
        codec.encode(long.enveloped(rows.envelope))


def test_the_longest_parked_event_fits(codec: Codec) -> None:
    parked = example(EventParked)
    header_of = {"header": "日" * 100, "value": b"\xff" * 1_024}
    fields = {
        **{name: getattr(parked, name) for name in EventParked.model_fields},
        "headers": (header_of,) * 32,
        "value": b"\x00" * 900_000,
        "error": "日" * 2_000,
    }
    value, _ = codec.encode(EventParked(**fields).enveloped(parked.envelope))
    assert len(value) < EVENT_BYTES_MAX


def test_an_envelope_of_another_type_is_refused(codec: Codec) -> None:
    event = example(QcPassed)
    other = event.envelope.model_copy(update={"type": "QcFailed"})
    value, _ = codec.encode(event.enveloped(other))
    with pytest.raises(MalformedEvent, match=r"QcPassed v1\.0: its envelope says QcFailed v1\.0"):
        codec.decode(value)


def test_an_envelope_of_another_version_is_refused(codec: Codec) -> None:
    event = example(QcPassed)
    other = event.envelope.model_copy(update={"schema_version": "7.0"})
    value, _ = codec.encode(event.enveloped(other))
    with pytest.raises(MalformedEvent, match=r"its envelope says QcPassed v7\.0"):
        codec.decode(value)


def test_an_envelope_about_another_subject_is_refused(codec: Codec) -> None:
    event = example(QcPassed)
    other = event.envelope.model_copy(update={"subject": "another"})
    value, _ = codec.encode(event.enveloped(other))
    with pytest.raises(MalformedEvent, match="subject"):
        codec.decode(value)


def test_an_event_without_an_envelope_is_refused(codec: Codec) -> None:
    event = example(QcPassed).model_copy()
    event._envelope = None
    with pytest.raises(InvalidEvent, match="has no envelope; derive it"):
        codec.encode(event)


@pytest.mark.parametrize("value", [b"", b"\x00", b"\x00\x00\x00\x00", b'{"a": 1}', b"\x01\0\0\0\1"])
def test_bytes_in_another_format_are_malformed(codec: Codec, value: bytes) -> None:
    with pytest.raises(MalformedEvent, match="not in Confluent's wire format"):
        codec.decode(value)


@pytest.mark.parametrize("schema_id", [0, 9_999, 2**32 - 1])
def test_an_unknown_id_stops(codec: Codec, schema_id: int) -> None:
    with pytest.raises(UnknownSchema, match=r"is unknown here .* deploy the schemas first"):
        codec.decode(PREFIX.pack(MAGIC, schema_id) + b"\x00" * 10)


@pytest.mark.parametrize("seal", [b"", b"\x00", b"\x00" * 4, b"\x00" * 5])
def test_a_broken_seal_is_refused(codec: Codec, seal: bytes) -> None:
    value, _ = codec.encode(example(QcPassed))
    with pytest.raises(MalformedEvent, match="the bytes are not those that were sealed"):
        codec.decode(value, seal)


def test_values_that_break_a_rule_are_refused_without_a_seal(codec: Codec) -> None:
    event = example(QcPassed)
    wrong = event.model_copy(update={"round": 0}).enveloped(event.envelope)
    value, _ = codec.encode(wrong)
    with pytest.raises(MalformedEvent, match=r"QcPassed v1\.0\.round: .*greater than or equal"):
        codec.decode(value)


def test_a_choice_that_is_newer_than_this_code_is_read(codec: Codec) -> None:
    event = example(FileLanded)
    value, _ = codec.encode(event.model_copy(update={"role": "R7"}).enveloped(event.envelope))
    read = codec.decode(value)
    assert isinstance(read, FileLanded)
    assert read.role == "R7"
