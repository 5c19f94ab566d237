"""Batches to columns and to rows for COPY: the twin and the extension, equal to the last byte."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.local import doctor
from genoflow.events.catalogue import EVENTS
from genoflow.events.codec import Codec
from genoflow.events.event import Event
from genoflow.events.registry import Edition, read_editions, released
from genoflow.native import batch
from genoflow.native.copy_fields import END, SIGNATURE, copy_stream
from genoflow.native.program import COPY_KINDS, Node, Program, copy_program, program
from tests.avro_values import Values, decimal_text, numbered, wire
from tests.examples import example

EDITIONS = read_editions()
SEEDS = 20  # of each schema: enough for every branch of a nullable and every edge of a number

# Every kind that a program knows, among them those that no released schema uses yet.
EVERY_KIND: Any = {
    "type": "record", "name": "Every", "namespace": "tests", "fields": [
        {"name": "t", "type": "string"},
        {"name": "b", "type": "bytes"},
        {"name": "i", "type": "int"},
        {"name": "l", "type": "long"},
        {"name": "d", "type": "double"},
        {"name": "o", "type": "boolean"},
        {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["RED", "GREEN", "BLUE"]}},
        {"name": "n", "type": ["null", "E"]},
        {"name": "u", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "m", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "c", "type": {
            "type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 6}},
        {"name": "q", "type": {"type": "record", "name": "R", "fields": [
            {"name": "x", "type": "long"}, {"name": "y", "type": ["null", "double"]}]}},
        {"name": "r", "type": ["null", "R"]},
        {"name": "a", "type": {"type": "array", "items": "R"}},
        {"name": "aa", "type": {"type": "array", "items": {"type": "array", "items": "E"}}},
    ],
}  # fmt: skip


def nodes(root: Node) -> Iterator[tuple[str, Node]]:
    """Every path of a program, with the node of its value."""
    value = root.parts[0] if root.kind == "nullable" else root
    yield root.place, value
    if value.kind == "record":
        for part in value.parts:
            yield from nodes(part)


def everything(schema: Any) -> Program:
    """Every path of the schema as a column, the whole event among them."""
    return program(schema, [path for path, _ in nodes(program(schema, [""]).root)])


def every_copy(schema: Any) -> Program:
    """Every path of the schema, as every type that Postgres can keep it in."""
    return copy_program(
        schema,
        [
            (path, copy)
            for path, node in nodes(program(schema, [""]).root)
            for copy, kinds in COPY_KINDS.items()
            if node.kind in kinds and (copy, node.kind) not in {("uuid", "string"), ("int", "long")}
        ],
    )


def both_read(values: list[bytes], programs: dict[int, Program]) -> batch.ColumnBatch:
    """What the twin reads, which is what the extension reads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "_rust", None)
        read = batch.read_columns(values, programs)
    assert repr(batch.read_columns(values, programs)) == repr(read)
    return read


def both_copy(values: list[bytes], programs: dict[int, Program]) -> batch.RowBatch:
    """What the twin makes for COPY, which is what the extension makes."""
    heads = numbered(range(len(values)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "_rust", None)
        made = batch.copy_rows(values, programs, heads)
    assert repr(batch.copy_rows(values, programs, heads)) == repr(made)
    return made


def test_an_extension_that_was_built_is_used() -> None:
    room = Path(str(batch.__file__)).parent
    assert any(room.glob("_rust*.so")) == batch.COMPILED


@pytest.mark.parametrize(
    ("compiled", "level", "words"), [(True, "ok", "Rust reads"), (False, "warn", "install Rust")]
)
def test_doctor_says_which_of_the_two_is_in_use(
    compiled: bool, level: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "COMPILED", compiled)
    found = doctor._native()
    assert (found.level, words in found.text) == (level, True)


def plain(schema: Any, value: Any, named: dict[str, Any]) -> Any:
    """A generated value as a column has it: only decimals differ, which are texts there."""
    if isinstance(schema, list):
        return None if value is None else plain(schema[1], value, named)
    schema = named.get(schema, schema) if isinstance(schema, str) else schema
    if not isinstance(schema, dict):
        return value
    if schema["type"] == "record":
        named[schema["name"]] = named[f"{schema.get('namespace')}.{schema['name']}"] = schema
        return {
            one["name"]: plain(one["type"], value[one["name"]], named) for one in schema["fields"]
        }
    if schema["type"] == "array":
        return [plain(schema["items"], one, named) for one in value]
    if schema.get("logicalType") == "decimal":
        return decimal_text(value, schema["scale"])
    return value


def at(value: Any, path: str) -> Any:
    """What stands at a path of a value."""
    for name in path.split(".") if path else ():
        value = None if value is None else value[name]
    return value


def check_schema(schema: Any, schema_id: int) -> None:
    made = Values(f"{schema['name']}/{schema_id}")
    given = [made.of(schema) for _ in range(SEEDS)]
    values = [wire(schema_id, schema, one) for one in given]
    one = everything(schema)
    found, others, faults = both_read(values, {schema_id: one})
    assert (others, faults, found[schema_id][0]) == ({}, [], list(range(SEEDS)))
    for path, column in zip(one.columns, found[schema_id][1], strict=True):
        expected = [at(plain(schema, value, {}), path) for value in given]
        assert repr(column) == repr(expected), path
    found_rows, _, faults = both_copy(values, {schema_id: every_copy(schema)})
    assert (faults, found_rows[schema_id][0]) == ([], list(range(SEEDS)))


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda one: f"{one.type}.v{one.version}")
def test_both_read_every_released_schema_as_it_was_written(edition: Edition) -> None:
    check_schema(json.loads(edition.text), edition.id)


def test_both_read_every_kind_as_it_was_written() -> None:
    for schema_id in range(20):
        check_schema(EVERY_KIND, schema_id)


def fields_of(body: bytes) -> list[list[bytes | None]]:
    """The rows of a body, field by field."""
    rows, place = [], 0
    while place < len(body):
        [count] = struct.unpack_from(">H", body, place)
        place += 2
        row: list[bytes | None] = []
        for _ in range(count):
            [size] = struct.unpack_from(">i", body, place)
            place += 4 + max(size, 0)
            row.append(None if size < 0 else body[place - size : place])
        rows.append(row)
    return rows


@pytest.mark.parametrize("model", EVENTS, ids=lambda model: model.__name__)
def test_an_event_in_jsonb_is_what_its_model_says_in_json(model: type[Event]) -> None:
    edition = released().current(model.type())
    events = [example(model, seed) for seed in range(SEEDS)]
    values = [Codec(released()).encode(event)[0] for event in events]
    columns = (("", "jsonb"), ("", "jsonb rest"), ("envelope.event_id", "uuid"))
    one = copy_program(json.loads(edition.text), columns)
    found, _, faults = both_copy(values, {edition.id: one})
    rows = fields_of(found[edition.id][1])
    assert faults == []
    for number, (event, row) in enumerate(zip(events, rows, strict=True)):
        offset, body, rest, event_id = row
        assert offset is not None
        assert body is not None
        assert rest is not None
        said = {"envelope": event.envelope.model_dump(mode="json"), **event.model_dump(mode="json")}
        assert (rest[:1], json.loads(rest[1:])) == (b"\x01", event.model_dump(mode="json"))
        assert (int.from_bytes(offset, "big"), event_id) == (number, event.envelope.event_id.bytes)
        assert (body[:1], json.loads(body[1:])) == (b"\x01", said)
        assert list(json.loads(body[1:])) == list(said)


def test_types_that_interleave_are_sorted_by_schema_and_keep_their_places() -> None:
    codec, models = Codec(released()), list(EVENTS[:10])
    values = [codec.encode(example(model, seed))[0] for seed in range(5) for model in models]
    known = {released().current(model.type()).id: model for model in models[1:]}
    programs = {one: everything(json.loads(released().by_id(one).text)) for one in known}
    found, others, faults = both_read([*values, b"", b"\1\0\0\0\1"], programs)
    unasked = released().current(models[0].type()).id
    assert others == {unasked: [0, 10, 20, 30, 40]}
    assert [fault[0] for fault in faults] == [50, 51]
    for schema_id, model in known.items():
        assert found[schema_id][0] == [models.index(model) + 10 * seed for seed in range(5)]


Change = Callable[[random.Random, bytearray], bytearray]


def _cut(source: random.Random, octets: bytearray) -> bytearray:
    return octets[: source.randrange(len(octets))]


def _changed(source: random.Random, octets: bytearray) -> bytearray:
    for _ in range(source.randint(1, 3)):
        octets[source.randrange(5, len(octets))] = source.choice((0, 1, 3, 127, 128, 255))
    return octets


def _inserted(source: random.Random, octets: bytearray) -> bytearray:
    place = source.randrange(5, len(octets))
    return octets[:place] + source.choice((b"\xff" * 11, b"\x80", b"\x01")) + octets[place:]


@pytest.mark.parametrize("damage", [_cut, _changed, _inserted])
def test_both_find_the_same_fault_at_the_same_place(damage: Change) -> None:
    source = random.Random(damage.__name__)
    schemas = {edition.id: json.loads(edition.text) for edition in EDITIONS} | {0: EVERY_KIND}
    made = Values(damage.__name__)
    whole = [wire(number, one, made.of(one)) for number, one in schemas.items() for _ in range(5)]
    values = [bytes(damage(source, bytearray(octets))) for octets in whole for _ in range(5)]
    columns = {number: everything(schema) for number, schema in schemas.items()}
    _, _, faults = both_read(values, columns)
    assert len(faults) > len(values) / 3
    assert len({fault[3].rstrip("-0123456789") for fault in faults}) > 3
    both_copy(values, {number: every_copy(schema) for number, schema in schemas.items()})


def one_field(kind: Any) -> Any:
    return {
        "type": "record",
        "name": "T",
        "namespace": "t",
        "fields": [{"name": "f", "type": kind}],
    }


ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 1}
MALFORMED: list[tuple[str, Any, bytes, str]] = [
    ("cut number", "long", b"\x80", "byte 5: f is a number that does not end"),
    ("no number", "long", b"", "byte 5: f is a number that does not end"),
    ("overlong number", "long", b"\x80" * 10 + b"\1", "byte 5: f is a number of more than 64 bits"),
    ("65 bits", "long", b"\xff" * 9 + b"\2", "byte 5: f is a number of more than 64 bits"),
    ("33 bits", "int", b"\x80\x80\x80\x80\x20", "byte 5: f is a number of more than 32 bits"),
    ("cut text", "string", b"\x06ab", "byte 5: f takes 3 bytes, and 2 are left"),
    ("negative length", "string", b"\x01", "byte 5: f has a negative length, -1"),
    ("huge length", "bytes", b"\xfe" + b"\xff" * 8 + b"\1",
     f"byte 5: f takes {2**63 - 1} bytes, and 0 are left"),
    ("bad text", "string", b"\x06a\xffb", "byte 7: f is no UTF-8"),
    ("surrogate", "string", b"\x08a\xed\xa0\x80", "byte 7: f is no UTF-8"),
    ("bad symbol", ENUM, b"\x04", "byte 5: f has no symbol 2, of 2"),
    ("negative symbol", ENUM, b"\x01", "byte 5: f has no symbol -1, of 2"),
    ("bad branch", ["null", "long"], b"\x04", "byte 5: f has no branch 2"),
    ("bad truth", "boolean", b"\x02", "byte 5: f is no truth value, 2"),
    ("no truth", "boolean", b"", "byte 5: f takes 1 bytes, and 0 are left"),
    ("cut double", "double", b"1234567", "byte 5: f takes 8 bytes, and 7 are left"),
    ("negative count", {"type": "array", "items": "long"}, b"\x01\x02\x00\x00",
     "byte 5: f has a negative count, -1"),
    ("huge count", {"type": "array", "items": "long"}, b"\x08\x00\x00\x00",
     "byte 5: f has 4 items, and 3 bytes are left"),
    ("bad item", {"type": "array", "items": "string"}, b"\x02\x02\xff\x00",
     "byte 7: f[] is no UTF-8"),
    ("cut list", {"type": "array", "items": "long"}, b"\x02\x02",
     "byte 7: f is a number that does not end"),
    ("large decimal", DECIMAL, b"\x04\x03\xe8", "byte 5: f has more than 3 digits"),
    ("long decimal", DECIMAL, b"\x22" + bytes(17), "byte 5: f has more than 3 digits"),
    ("more", "long", b"\x02\x02\x02", "byte 6: the event is followed by 2 bytes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "octets", "sentence"), [case[1:] for case in MALFORMED],
    ids=[case[0] for case in MALFORMED],
)  # fmt: skip
def test_malformed_bytes_are_named_with_their_place(
    kind: Any, octets: bytes, sentence: str
) -> None:
    good = wire(7, one_field("long"), {"f": 1})
    programs = {7: program(one_field("long"), ["f"]), 8: program(one_field(kind), ["f"])}
    bad = b"\0\0\0\0\x08" + octets
    found, _, faults = both_read([good, bad, good], programs)
    assert [fault.sentence() for fault in faults] == [sentence]
    assert (found[7], found[8]) == (([0, 2], [[1, 1]]), ([], [[]]))
    both_copy([good, bad], {8: copy_program(one_field(kind), [("f", "jsonb")])})


ID = {"type": "string", "logicalType": "uuid"}
UNKEPT: list[tuple[str, Any, Any, str, str]] = [
    ("nul in text", "string", "a\0b", "text", "f holds U+0000, which Postgres cannot keep"),
    ("nul in jsonb", "string", "a\0b", "jsonb", "f holds U+0000, which Postgres cannot keep"),
    ("wide int", "long", 2**31, "int", "f is a number of more than 32 bits"),
    ("no id", "string", "12345678-1234-1234-1234-12345678901g", "uuid", "f is no id"),
    ("spaced id", "string", "12345678-1234-1234-1234-1234567890 1", "uuid", "f is no id"),
    ("short id", "string", "12345678-1234-1234-1234-12345678901", "uuid", "f is no id"),
    ("not finite", "double", float("inf"), "jsonb",
     "f is not finite, and JSON has no such number"),
    ("no number", "double", float("nan"), "jsonb",
     "f is not finite, and JSON has no such number"),
    ("early moment", {"type": "long", "logicalType": "timestamp-micros"}, -(2**63), "timestamptz",
     "f is outside of the years 1 to 9999"),
    ("late moment as a column", {"type": "long", "logicalType": "timestamp-micros"},
     253_402_300_800_000_000, "timestamptz", "f is outside of the years 1 to 9999"),
    ("large letters in an id", ID, "12345678-1234-1234-1234-12345678901A", "jsonb",
     "f is no id in small letters"),
    ("no id in jsonb", ID, "12345678-1234-1234-1234-12345678901g", "jsonb",
     "f is no id in small letters"),
    ("late moment", {"type": "long", "logicalType": "timestamp-micros"}, 253_402_300_800_000_000,
     "jsonb", "f is outside of the years 1 to 9999"),
    ("late day", {"type": "int", "logicalType": "date"}, 2_932_897, "jsonb",
     "f is outside of the years 1 to 9999"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "copy", "fact"), [case[1:] for case in UNKEPT],
    ids=[case[0] for case in UNKEPT],
)  # fmt: skip
def test_what_postgres_cannot_keep_is_a_fault_and_no_broken_stream(
    kind: Any, value: Any, copy: str, fact: str
) -> None:
    schema = one_field(kind)
    made = both_copy([wire(7, schema, {"f": value})], {7: copy_program(schema, [("f", copy)])})
    assert [one.sentence() for one in made.faults] == [f"byte 5: {fact}"]
    assert made.found == {7: ([], b"")}


def test_what_no_column_asks_for_is_passed_over_by_its_lengths() -> None:
    schema = {**EVERY_KIND, "fields": [*EVERY_KIND["fields"], {"name": "z", "type": "long"}]}
    value = {**Values("z").of(EVERY_KIND), "t": "abc", "z": 42}
    octets = wire(1, schema, value).replace(b"\x06abc", b"\x06\xff\xff\xff")
    found, _, faults = both_read([octets], {1: program(schema, ["z"])})
    assert (found[1][1], faults) == ([[42]], [])
    _, _, faults = both_read([octets], {1: program(schema, ["t"])})
    assert faults == [(0, 6, "t", "is no UTF-8")]


UNFIT: list[tuple[str, Any, list[tuple[str, str]], str]] = [
    ("no such field", one_field("long"), [("g", "bigint")], r"no field g outside of lists.*has f"),
    ("in a list", one_field({"type": "array", "items": "long"}), [("f[]", "bigint")], "no field"),
    ("wrong type", one_field("long"), [("f", "text")], "text cannot hold it; take bigint or int"),
    ("no such type", one_field("long"), [("f", "money")], "money cannot hold it"),
    ("no columns", one_field("long"), [], "0 columns"),
    ("union", one_field(["long", "string"]), [("f", "jsonb")], "only null and one type"),
    ("map", one_field({"type": "map", "values": "long"}), [("f", "jsonb")], "teach native/"),
    ("unknown logical type", one_field({"type": "long", "logicalType": "timestamp-millis"}),
     [("f", "bigint")], "teach native/"),
    ("empty record", {"type": "record", "name": "T", "fields": []}, [("", "jsonb")], "no bytes"),
    ("itself", one_field(["null", "t.T"]), [("f", "jsonb")], "do not hold themselves"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "columns", "message"), [case[1:] for case in UNFIT], ids=[case[0] for case in UNFIT]
)
def test_a_program_that_cannot_be_made_says_why(
    schema: Any, columns: list[tuple[str, str]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        copy_program(schema, columns)


def test_a_head_stands_before_each_row() -> None:
    one = {1: copy_program(one_field("long"), [("f", "int")])}
    values = [wire(1, one_field("long"), {"f": number}) for number in (5, 6)]
    rows = batch.copy_rows(values, one, numbered([70, 80]))
    eight, four = struct.Struct(">q").pack, struct.Struct(">i").pack
    expected = [[eight(70), four(5)], [eight(80), four(6)]]
    assert fields_of(rows.found[1].body) == expected
    assert copy_stream([rows.found[1].body]) == SIGNATURE + rows.found[1].body + END


@pytest.mark.parametrize("engine", [batch.COMPILED, False], ids=["as installed", "the twin"])
def test_heads_that_are_not_the_records_are_refused(
    engine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not engine:
        monkeypatch.setattr(batch, "_rust", None)
    one = {1: copy_program(one_field("long"), [("f", "int")])}
    value = wire(1, one_field("long"), {"f": 5})
    with pytest.raises(ValueError, match="1 heads are given for 2 records"):
        batch.copy_rows([value, value], one, numbered([70]))
