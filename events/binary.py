"""Avro binary by straight code: one reader and one writer are made for each type, at first use.

An Avro library walks the schema anew for every value. Here the walk happens once, over the model,
and leaves a function without a branch that the schema does not need. It is a fast path and no
second truth: whatever it cannot take (one of NOT_MINE is raised, or bytes are left over), the
codec gives to the Avro library, whose answer counts. Tests hold both to the same bytes.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args, get_origin
from uuid import UUID, SafeUUID

from pydantic import BaseModel

from genoflow.events.avro import DECIMAL_PRECISION, DECIMAL_SCALE, bare, optional
from genoflow.events.envelope import Actor, Envelope, Producer
from genoflow.events.event import Event

# A model and its bytes: (magic and schema id, envelope, event) -> value
Write = Callable[[bytes, Envelope, Event], bytes]
# (value, place behind the prefix) -> the event in its envelope, and the place behind it
Read = Callable[[bytes, int], tuple[Event, int]]

# What the made functions raise on bytes and values that are not theirs.
NOT_MINE = (
    ValueError,
    IndexError,
    OverflowError,
    TypeError,
    KeyError,
    AttributeError,
    struct.error,
)

# A story of a run is some hundred events, and dozens run at once: 8,192 ids of 200 bytes are 2 MB.
IDS_KEPT_MAX = 8_192
# Lengths below it are looked up: nearly every text is shorter. 1,024 of 35 bytes are 36 kB.
LENGTHS_READY = 1_024
# One program writes thousands of events in a row: the last one of these is kept, with its bytes.
REPEATED = (Actor, Producer)
LONG_BITS = 64
UUID_CHARACTERS = 36
UUID_LENGTH = UUID_CHARACTERS << 1  # as Avro writes the length of a text: zigzag
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1).toordinal()
DOUBLE = struct.Struct("<d")


def write_long(number: int) -> bytes:
    """A number as Avro writes it: zigzag, then seven bits a byte."""
    rest = (number << 1) ^ (number >> (LONG_BITS - 1))
    if rest < 0x80:
        return _ONE_BYTE[rest]
    if rest >> LONG_BITS:
        raise OverflowError("takes more than 64 bits")
    out = bytearray()
    while rest > 0x7F:
        out.append((rest & 0x7F) | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_ONE_BYTE = tuple(bytes([number]) for number in range(0x80))
_LENGTHS = tuple(write_long(number) for number in range(LENGTHS_READY))


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at a place, and the place behind it."""
    rest = shift = 0
    while True:
        byte = data[at]
        at += 1
        rest |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (rest >> 1) ^ -(rest & 1), at
        shift += 7
        if shift >= LONG_BITS:
            raise ValueError("a number of more than 64 bits")


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """The same for a length, which cannot be negative."""
    number, at = read_long(data, at)
    if number < 0:
        raise ValueError("a negative length")
    return number, at


def uuid_text(value: UUID) -> bytes:
    """The text of an id; ids of a story come again and again."""
    return id_text(value.int)


@functools.lru_cache(maxsize=IDS_KEPT_MAX)
def id_text(number: int) -> bytes:
    """The same, by its number: an id computes its hash anew each time it is looked up."""
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}".encode()


@functools.lru_cache(maxsize=IDS_KEPT_MAX)
def read_uuid(text: bytes) -> UUID:
    """The id with this text: what UUID(text) makes, without its other notations."""
    digits = text.replace(b"-", b"")
    if len(text) != UUID_CHARACTERS or len(digits) != 32 or not digits.isalnum():
        raise ValueError("no id")
    value = UUID.__new__(UUID)
    object.__setattr__(value, "int", int(digits, 16))
    object.__setattr__(value, "is_safe", SafeUUID.unknown)
    return value


def write_moment(value: datetime) -> bytes:
    """Microseconds since 1970."""
    past = value - EPOCH
    return write_long((past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds)


def write_decimal(value: Decimal) -> bytes:
    """The unscaled number in two's complement, as short as it goes, behind its length."""
    sign, digits, exponent = value.as_tuple()
    if len(digits) > DECIMAL_PRECISION or not isinstance(exponent, int):
        raise ValueError("no decimal of ours")
    if exponent < -DECIMAL_SCALE:
        raise ValueError("finer than the scale")
    number = int("".join(map(str, digits))) * int(10 ** (exponent + DECIMAL_SCALE))
    size = (number.bit_length() + 8) // 8
    octets: bytes = (-number if sign else number).to_bytes(size, "big", signed=True)
    return write_long(len(octets)) + octets


def read_decimal(octets: bytes) -> Decimal:
    """The decimal with this unscaled number."""
    number = int.from_bytes(octets, "big", signed=True)
    if abs(number) >= 10**DECIMAL_PRECISION:
        raise ValueError("more digits than the schema has")
    return Decimal(number).scaleb(-DECIMAL_SCALE)


_NAMES: dict[str, Any] = {
    "write_long": write_long, "read_long": read_long, "read_length": read_length,
    "id_text": id_text, "read_uuid": read_uuid, "write_moment": write_moment,
    "write_decimal": write_decimal, "read_decimal": read_decimal, "lengths": _LENGTHS,
    "pack_double": DOUBLE.pack, "unpack_double": DOUBLE.unpack_from, "epoch": EPOCH,
    "timedelta": timedelta, "day": date.fromordinal,
    # The slots of a pydantic model, set past its frozen __setattr__.
    "new": object.__new__,
    "put_values": BaseModel.__dict__["__dict__"].__set__,
    "put_names": BaseModel.__dict__["__pydantic_fields_set__"].__set__,
    "put_extra": BaseModel.__dict__["__pydantic_extra__"].__set__,
    "put_private": BaseModel.__dict__["__pydantic_private__"].__set__,
}  # fmt: skip

# `data` and `at` are the bytes and the place in them, `{to}` is the variable that is read.
_READ_LENGTH = """\
size = data[at]
at += 1
if size & 129:
    size, at = read_length(data, at - 1)
else:
    size >>= 1
end = at + size"""
_READ: dict[Any, str] = {
    str: f"{_READ_LENGTH}\n{{to}} = data[at:end].decode()\nat = end",
    bytes: f"{_READ_LENGTH}\n{{to}} = data[at:end]\nat = end",
    Decimal: f"{_READ_LENGTH}\n{{to}} = read_decimal(data[at:end])\nat = end",
    UUID: f"""\
if data[at] != {UUID_LENGTH}:
    raise ValueError("no id")
end = at + {UUID_CHARACTERS + 1}
{{to}} = read_uuid(data[at + 1:end])
at = end""",
    int: "{to}, at = read_long(data, at)",
    datetime: "{to}, at = read_long(data, at)\n{to} = epoch + timedelta(0, 0, {to})",
    date: f"{{to}}, at = read_long(data, at)\n{{to}} = day({{to}} + {EPOCH_DAY})",
    float: "{to} = unpack_double(data, at)[0]\nat += 8",
    bool: "{to} = data[at] != 0\nat += 1",
}
# `out` is the growing value, `{of}` is what is written.
_WRITE_OCTETS = f"""\
size = len(octets)
out += lengths[size] if size < {LENGTHS_READY} else write_long(size)
out += octets"""
_WRITE: dict[Any, str] = {
    str: f"octets = {{of}}.encode()\n{_WRITE_OCTETS}",
    bytes: f"octets = {{of}}\n{_WRITE_OCTETS}",
    Decimal: "out += write_decimal({of})",
    UUID: f"out.append({UUID_LENGTH})\nout += id_text({{of}}.int)",
    int: "out += write_long({of})",
    datetime: "out += write_moment({of})",
    date: f"out += write_long({{of}}.toordinal() - {EPOCH_DAY})",
    float: "out += pack_double({of})",
    bool: "out.append(1 if {of} else 0)",
}


class _Maker:
    """Lines of a function, with the names that they use."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names = dict(_NAMES)
        self._depth = 1
        self._count = 0

    def put(self, text: str) -> None:
        self.lines += ["    " * self._depth + line for line in text.splitlines()]

    def fresh(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def bound(self, value: Any) -> str:
        name = f"k{len(self.names)}"
        self.names[name] = value
        return name

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        self.put(head)
        self._depth += 1
        yield
        self._depth -= 1

    def made(self, head: str, name: str) -> Any:
        text = "\n".join([head, *self.lines]) + "\n"
        found: dict[str, Any] = {}
        exec(compile(text, f"<avro {name}>", "exec"), self.names, found)
        return found[head.partition("(")[0].removeprefix("def ")]

    # -- reading

    def read(self, annotation: Any) -> str:
        annotation, to = bare(annotation), self.fresh()
        inner = optional(annotation)
        if inner is not None:
            self._read_optional(inner, to)
        elif get_origin(annotation) is tuple:
            self._read_items(get_args(annotation)[0], to)
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            self._read_part(annotation, to)
        else:
            self.put(_READ[annotation].format(to=to))
        return to

    def _read_part(self, model: type[BaseModel], to: str) -> None:
        if model not in REPEATED:
            self.read_record(model, to, "None")
            return
        # No value's bytes begin another's, so bytes that begin with the last ones are the last one.
        last, begin = self.bound([(b"", None)]), self.fresh()
        self.put(f"octets, {to} = {last}[0]")
        with self.block("if octets and data.startswith(octets, at):"):
            self.put("at += len(octets)")
        with self.block("else:"):
            self.put(f"{begin} = at")
            self.read_record(model, to, "None")
            with self.block("if at <= len(data):"):  # bytes that were cut off are no value's bytes
                self.put(f"{last}[0] = data[{begin}:at], {to}")

    def _read_optional(self, inner: Any, to: str) -> None:
        with self.block("if data[at] == 0:"):
            self.put(f"{to} = None\nat += 1")
        with self.block("elif data[at] == 2:"):
            self.put("at += 1")
            self.put(f"{to} = {self.read(inner)}")
        with self.block("else:"):
            self.put('raise ValueError("no such branch")')

    def _read_items(self, item: Any, to: str) -> None:
        items, left = self.fresh(), self.fresh()
        self.put(f"{items} = []\n{left}, at = read_length(data, at)")
        with self.block(f"while {left}:"):
            with self.block(f"for _ in range({left}):"):
                self.put(f"{items}.append({self.read(item)})")
            self.put(f"{left}, at = read_length(data, at)")
        self.put(f"{to} = tuple({items})")

    def read_record(self, model: type[BaseModel], to: str, private: str) -> None:
        read = {name: self.read(info.annotation) for name, info in model.model_fields.items()}
        values = ", ".join(f"{name!r}: {value}" for name, value in read.items())
        kind, names = self.bound(model), self.bound(set(model.model_fields))
        self.put(
            f"{to} = new({kind})\n"
            f"put_values({to}, {{{values}}})\n"
            f"put_names({to}, {names})\n"
            f"put_extra({to}, None)\n"
            f"put_private({to}, {private})"
        )

    # -- writing

    def write(self, annotation: Any, of: str) -> None:
        annotation = bare(annotation)
        inner = optional(annotation)
        if inner is not None:
            with self.block(f"if {of} is None:"):
                self.put("out.append(0)")
            with self.block("else:"):
                self.put("out.append(2)")
                self.write(inner, of)
        elif get_origin(annotation) is tuple:
            item = self.fresh()
            with self.block(f"if {of}:"):
                self.put(f"out += write_long(len({of}))")
                with self.block(f"for {item} in {of}:"):
                    self.write(get_args(annotation)[0], item)
            self.put("out.append(0)")
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            self._write_part(annotation, of)
        else:
            self.put(_WRITE[annotation].format(of=of))

    def _write_part(self, model: type[BaseModel], of: str) -> None:
        if model not in REPEATED:
            self.write_record(model, of)
            return
        last, begin = self.bound([(object(), b"")]), self.fresh()
        self.put(f"known, octets = {last}[0]")
        with self.block(f"if {of} is known:"):
            self.put("out += octets")
        with self.block("else:"):
            self.put(f"{begin} = len(out)")
            self.write_record(model, of)
            self.put(f"{last}[0] = {of}, bytes(out[{begin}:])")

    def write_record(self, model: type[BaseModel], of: str) -> None:
        values = self.fresh()
        self.put(f"{values} = {of}.__dict__")
        for name, info in model.model_fields.items():
            value = self.fresh()
            self.put(f"{value} = {values}[{name!r}]")
            self.write(info.annotation, value)


def writer(model: type[Event]) -> Write:
    """A function that writes the values of this model, envelope first."""
    maker = _Maker()
    maker.put("out = bytearray(prefix)")
    maker.write_record(Envelope, "envelope")
    maker.write_record(model, "event")
    maker.put("return bytes(out)")
    made: Write = maker.made("def write(prefix, envelope, event):", model.type())
    return made


def reader(model: type[Event]) -> Read:
    """A function that reads what `writer` wrote, trusting that it was validated before."""
    maker = _Maker()
    envelope = maker.read(Envelope)
    maker.read_record(model, "event", f"{{'_envelope': {envelope}}}")
    maker.put("return event, at")
    made: Read = maker.made("def read(data, at):", model.type())
    return made
