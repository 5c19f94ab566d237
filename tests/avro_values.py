"""Values for any Avro schema of ours, made from a seed, as an Avro library writes them raw."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import fastavro

from genoflow.native.batch import Heads

LETTERS = "abcXYZ019 .,-_/|'\"\\\n\t\r\b\f\x01\x7fäß→𝛼日"
LONGS = (0, -1, 63, 64, -65, 8_191, 8_192, 2**31, 2**53, 2**63 - 1, -(2**63))
DOUBLES = (0.0, -0.0, 1.0, -1.5, 0.1, 1e15, 1e16, 1.5e16, 1e-4, 1e-5, 1.25e-7, 5e-324, 1.7e308)
MOMENTS = (0, -1, 1, 1_772_323_200_000_000, 253_402_300_799_999_999, -62_135_596_800_000_000)
DAYS = (0, -1, 59, 11_016, 20_513, 2_932_896, -719_162)


class Values:
    """Makes values of one schema; a record is a dictionary, a logical type its plain one."""

    def __init__(self, seed: str) -> None:
        self.source = random.Random(seed)
        self._named: dict[str, Any] = {}

    def of(self, schema: Any, namespace: str = "") -> Any:
        """A value of this type."""
        if isinstance(schema, list):
            return None if self.source.random() < 0.3 else self.of(schema[1], namespace)
        if isinstance(schema, str) and schema in _PLAIN:
            return _PLAIN[schema](self)
        if isinstance(schema, str):
            schema = self._named[schema if "." in schema else f"{namespace}.{schema}"]
        if schema["type"] in ("record", "enum"):
            namespace = schema.get("namespace", namespace)
            self._named[f"{namespace}.{schema['name']}"] = schema
        if schema["type"] == "record":
            fields = schema["fields"]
            return {one["name"]: self.of(one["type"], namespace) for one in fields}
        if schema["type"] == "array":
            return [self.of(schema["items"], namespace) for _ in range(self.source.randrange(4))]
        if schema["type"] == "enum":
            return self.source.choice(schema["symbols"])
        logical = schema.get("logicalType")
        return _LOGICAL[logical](self) if logical else self.of(schema["type"], namespace)

    def text(self) -> str:
        """A text, now and then a long one."""
        size = self.source.choice((0, 1, 7, 30, 200))
        return "".join(self.source.choice(LETTERS) for _ in range(size))

    def number(self, edges: tuple[int, ...], bits: int) -> int:
        """One of the edges, or any number."""
        anything = self.source.getrandbits(bits) - (1 << (bits - 1))
        return self.source.choice((*edges, anything))


_PLAIN: dict[str, Any] = {
    "string": Values.text,
    "bytes": lambda made: made.source.randbytes(made.source.randrange(8)),
    "long": lambda made: made.number(LONGS, 64),
    "int": lambda made: made.number((0, -1, 2**31 - 1, -(2**31)), 32),
    "double": lambda made: made.source.choice((*DOUBLES, made.source.uniform(-1e9, 1e9))),
    "boolean": lambda made: made.source.random() < 0.5,
}
_LOGICAL: dict[str, Any] = {
    "uuid": lambda made: str(_id(made.source.getrandbits(128))),
    "timestamp-micros": lambda made: made.source.choice(
        (*MOMENTS, made.source.randrange(MOMENTS[-1], MOMENTS[-2]))
    ),
    "date": lambda made: made.source.choice((*DAYS, made.source.randrange(DAYS[-1], DAYS[-2]))),
    "decimal": lambda made: _octets(made.number((0, -1, 127, 128, -129), 59)),
}


def _id(number: int) -> str:
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _octets(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)


def decimal_text(octets: bytes, scale: int) -> str:
    """The text that stands for these bytes of a decimal."""
    return f"{Decimal(int.from_bytes(octets, 'big', signed=True)).scaleb(-scale):.{scale}f}"


def wire(schema_id: int, schema: Any, value: Any) -> bytes:
    """The record that an Avro library makes of it."""
    buffer = io.BytesIO()
    buffer.write(b"\0" + schema_id.to_bytes(4, "big"))
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(schema), value)
    return buffer.getvalue()


def numbered(numbers: Iterable[int]) -> Heads:
    """A number before each row, as a bigint of Postgres."""
    return Heads(1, [struct.pack(">iq", 8, number) for number in numbers])
