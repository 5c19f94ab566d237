"""The twin: what the extension does, in Python, for machines on which it could not be built.

It reads one record at a time by the tree of its program, and says exactly what it cannot read, in
the words of the extension. Only what is asked for is looked at: of the rest the lengths count.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from genoflow.native.copy_fields import DOUBLE, Broken, field
from genoflow.native.program import Node, Program

MAGIC = 0
PREFIX = struct.Struct(">bI")
# 64 bits in groups of seven are ten bytes, and the tenth holds the one bit that is left.
NUMBER_BYTES_MAX = 10
LAST_BYTE_MAX = 1
DECIMAL_BYTES_MAX = 16  # a number of 128 bits
NULL = b"\xff\xff\xff\xff"  # a length of -1

RawFault = tuple[int, int, str, str]  # record, byte, place, fact
# By schema id as the programs come; the records of other ids, by id; and what is broken.
RawColumns = tuple[
    list[tuple[int, tuple[list[int], list[list[Any]]]]], dict[int, list[int]], list[RawFault]
]
RawRows = tuple[list[tuple[int, tuple[list[int], bytes]]], dict[int, list[int]], list[RawFault]]
Found = Callable[[Node, int, Any], None]  # what is asked for: its node, where it begins, its value


class Reader:
    """A place in the bytes of one record."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def long(self, node: Node) -> int:
        """The number that begins here."""
        begin, data, at, rest, shift = self.at, self.data, self.at, 0, 0
        while at < len(data):
            byte = data[at]
            at += 1
            if at - begin == NUMBER_BYTES_MAX and byte > LAST_BYTE_MAX:
                raise Broken(begin, node.place, "is a number of more than 64 bits")
            rest |= (byte & 0x7F) << shift
            if byte < 0x80:
                self.at = at
                return (rest >> 1) ^ -(rest & 1)
            shift += 7
        raise Broken(begin, node.place, "is a number that does not end")

    def octets(self, node: Node) -> bytes:
        """The bytes behind their length."""
        begin, size = self.at, self.long(node)
        if size < 0:
            raise Broken(begin, node.place, f"has a negative length, {size}")
        return self._taken(begin, size, node)

    def _taken(self, begin: int, size: int, node: Node) -> bytes:
        left = len(self.data) - self.at
        if size > left:
            raise Broken(begin, node.place, f"takes {size} bytes, and {left} are left")
        self.at += size
        return self.data[self.at - size : self.at]

    def is_null(self, node: Node) -> bool:
        """Whether the branch that is chosen here is null."""
        begin, branch = self.at, self.long(node)
        if branch not in (0, 1):
            raise Broken(begin, node.place, f"has no branch {branch}")
        return branch == 0

    def count(self, node: Node) -> int:
        """How many items follow; each takes at least one byte."""
        begin, count = self.at, self.long(node)
        if count < 0:
            raise Broken(begin, node.place, f"has a negative count, {count}")
        left = len(self.data) - self.at
        if count > left:
            raise Broken(begin, node.place, f"has {count} items, and {left} bytes are left")
        return count

    def value(self, node: Node) -> Any:
        """The value of a node."""
        kind = node.kind
        if kind == "nullable":
            return None if self.is_null(node) else self.value(node.parts[0])
        if kind == "record":
            return {part.name: self.value(part) for part in node.parts}
        if kind == "array":
            items: list[Any] = []
            while count := self.count(node):
                items += [self.value(node.parts[0]) for _ in range(count)]
            return items
        return _SCALARS[kind](self, node)

    def skip(self, node: Node) -> None:
        """Pass over a node."""
        kind = node.kind
        if kind == "nullable":
            if not self.is_null(node):
                self.skip(node.parts[0])
        elif kind == "record":
            for part in node.parts:
                self.skip(part)
        elif kind == "array":
            while count := self.count(node):
                for _ in range(count):
                    self.skip(node.parts[0])
        elif kind in ("string", "uuid", "bytes", "decimal"):
            self.octets(node)
        elif kind == "double":
            self._taken(self.at, DOUBLE.size, node)
        elif kind == "boolean":
            self._taken(self.at, 1, node)
        else:
            self.long(node)

    def walk(self, node: Node, found: Found) -> None:
        """Pass over a node, and hand over (node, place, value) of what is asked for in it."""
        begin = self.at
        if node.slots:
            found(node, begin, self.value(node))
            if not node.inner:
                return
            self.at = begin  # its parts are asked for, too, and are read once more
        if not node.inner:
            self.skip(node)
        elif node.kind == "nullable":
            if not self.is_null(node):
                self.walk(node.parts[0], found)
        else:
            for part in node.parts:
                self.walk(part, found)

    # -- scalars

    def text(self, node: Node) -> str:
        """A text."""
        octets = self.octets(node)
        try:
            return octets.decode()
        except UnicodeDecodeError as error:
            begin = self.at - len(octets) + error.start
            raise Broken(begin, node.place, "is no UTF-8") from error

    def double(self, node: Node) -> float:
        """A number of eight bytes."""
        number: float = DOUBLE.unpack(self._taken(self.at, DOUBLE.size, node))[0]
        return number

    def boolean(self, node: Node) -> bool:
        """A truth value."""
        begin, byte = self.at, self._taken(self.at, 1, node)[0]
        if byte > 1:
            raise Broken(begin, node.place, f"is no truth value, {byte}")
        return byte == 1

    def int32(self, node: Node) -> int:
        """A number of 32 bits."""
        begin, number = self.at, self.long(node)
        if not -(2**31) <= number < 2**31:
            raise Broken(begin, node.place, "is a number of more than 32 bits")
        return number

    def enum(self, node: Node) -> str:
        """The symbol of an enum."""
        begin, index = self.at, self.long(node)
        if not 0 <= index < len(node.symbols):
            raise Broken(begin, node.place, f"has no symbol {index}, of {len(node.symbols)}")
        return node.symbols[index]

    def decimal(self, node: Node) -> str:
        """The text of a decimal."""
        begin, octets = self.at, self.octets(node)
        number = int.from_bytes(octets, "big", signed=True)
        if len(octets) > DECIMAL_BYTES_MAX or abs(number) >= 10**node.precision:
            raise Broken(begin, node.place, f"has more than {node.precision} digits")
        digits = str(abs(number)).rjust(node.scale + 1, "0")
        point = len(digits) - node.scale
        text = digits[:point] + ("." + digits[point:]) * (node.scale > 0)
        return "-" + text if number < 0 else text


_SCALARS: dict[str, Callable[[Reader, Node], Any]] = {
    "string": Reader.text,
    "uuid": Reader.text,
    "enum": Reader.enum,
    "bytes": Reader.octets,
    "int": Reader.int32,
    "date": Reader.int32,
    "long": Reader.long,
    "moment": Reader.long,
    "double": Reader.double,
    "boolean": Reader.boolean,
    "decimal": Reader.decimal,
}


class _Columns:
    """The columns of one program, as they grow."""

    def __init__(self, program: Program) -> None:
        self.root = program.root
        self.records: list[int] = []
        self.columns: list[list[Any]] = [[] for _ in program.columns]
        self._row: list[Any] = []

    def begin(self) -> None:
        self._row = [None] * len(self.columns)

    def found(self, node: Node, _: int, value: Any) -> None:
        for slot in node.slots:
            self._row[slot] = value

    def end(self, record: int) -> None:
        self.records.append(record)
        for column, value in zip(self.columns, self._row, strict=True):
            column.append(value)


class _Body:
    """The rows of one program, as they grow."""

    def __init__(self, program: Program, fields: int, heads: Sequence[bytes]) -> None:
        self.root = program.root
        self.records: list[int] = []
        self.octets = bytearray()
        self._copies = program.copies
        self._heads = heads if fields else None
        self._count = (fields + len(program.copies)).to_bytes(2, "big")
        self._fields: list[bytes] = []

    def begin(self) -> None:
        self._fields = [NULL] * len(self._copies)

    def found(self, node: Node, begin: int, value: Any) -> None:
        if value is None:
            return
        for slot in node.slots:
            octets = field(self._copies[slot], node, begin, value)
            self._fields[slot] = len(octets).to_bytes(4, "big") + octets

    def end(self, record: int) -> None:
        self.records.append(record)
        self.octets += self._count
        if self._heads is not None:
            self.octets += self._heads[record]
        self.octets += b"".join(self._fields)


def read_columns(values: Sequence[bytes], programs: Mapping[int, Program]) -> RawColumns:
    """As the extension's: columns by schema id, the records of other ids, and what is broken."""
    kept = {schema_id: _Columns(one) for schema_id, one in programs.items()}
    others, faults = _each(values, kept)
    return [(one, (made.records, made.columns)) for one, made in kept.items()], others, faults


def copy_rows(
    values: Sequence[bytes], programs: Mapping[int, Program], fields: int, heads: Sequence[bytes]
) -> RawRows:
    """As the extension's: rows of COPY's binary format by schema id."""
    kept = {schema_id: _Body(one, fields, heads) for schema_id, one in programs.items()}
    others, faults = _each(values, kept)
    return [(one, (made.records, bytes(made.octets))) for one, made in kept.items()], others, faults


def _each(
    values: Sequence[bytes], kept: Mapping[int, _Columns] | Mapping[int, _Body]
) -> tuple[dict[int, list[int]], list[RawFault]]:
    others: dict[int, list[int]] = {}
    faults: list[RawFault] = []
    for record, data in enumerate(values):
        if len(data) < PREFIX.size or data[0] != MAGIC:
            faults.append((record, 0, "", "is not in Confluent's wire format"))
            continue
        schema_id = PREFIX.unpack_from(data)[1]
        one = kept.get(schema_id)
        if one is None:
            others.setdefault(schema_id, []).append(record)
            continue
        try:
            one.begin()
            _read(one, data)
            one.end(record)
        except Broken as broken:
            faults.append((record, broken.at, broken.place, broken.fact))
    return dict(sorted(others.items())), faults


def _read(one: _Columns | _Body, data: bytes) -> None:
    reader = Reader(data, PREFIX.size)
    reader.walk(one.root, one.found)
    if reader.at != len(data):
        raise Broken(reader.at, "", f"is followed by {len(data) - reader.at} bytes")
