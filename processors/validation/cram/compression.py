"""The compression header of a container: what was preserved, and how each series is encoded."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from genoflow.processors.validation.cram.cursor import Fields, Short
from genoflow.processors.validation.cram.rules import (
    COMPRESSION_HEADER,
    CONTENT_ID_LOW,
    DATA_SERIES,
    ENCODING,
    ENCODING_OLD,
    ENCODING_TYPE,
    PRESERVATION,
    SUBSTITUTIONS,
    TAG_DICTIONARY,
    TAG_WITHOUT_ENCODING,
)
from genoflow.processors.validation.findings import Broken, Findings, Where

BOOLEANS = (b"RN", b"AP", b"RR")
MATRIX_BYTES = 5
INTEGER, BYTE, BYTES = "integer", "byte", "byte array"
SERIES: dict[bytes, str] = {
    **dict.fromkeys(b"BF CF RI RL AP RG MF NS NP TS NF TL FN FP DL RS PD HC MQ".split(), INTEGER),
    **dict.fromkeys(b"FC BS BA QS".split(), BYTE),
    **dict.fromkeys(b"RN BB QQ IN SC".split(), BYTES),
}
# Of CRAM 1.0 and without values; the old test marks are written by no program any more.
LEGACY_SERIES = (b"TC", b"TN")
NULL, EXTERNAL, GOLOMB, HUFFMAN, ARRAY_LENGTH, ARRAY_STOP, BETA, SUBEXP, GOLOMB_RICE, GAMMA = range(
    10
)
NAMES = (
    "NULL", "EXTERNAL", "GOLOMB", "HUFFMAN", "BYTE_ARRAY_LEN", "BYTE_ARRAY_STOP", "BETA",
    "SUBEXP", "GOLOMB_RICE", "GAMMA",
)  # fmt: skip
NUMBERS_OF = {GOLOMB: 2, BETA: 2, SUBEXP: 2, GOLOMB_RICE: 2, GAMMA: 1}  # their parameters
CAN_ENCODE = {
    INTEGER: (NULL, EXTERNAL, GOLOMB, HUFFMAN, BETA, SUBEXP, GOLOMB_RICE, GAMMA),
    BYTE: (NULL, EXTERNAL, HUFFMAN, BETA),
    BYTES: (NULL, ARRAY_LENGTH, ARRAY_STOP),
}
NESTED_MAX = 4  # a byte array of lengths and values nests once
CODE_BITS_MAX = 31  # of a Huffman code, in 32 bits with a sign
TAG = re.compile(rb"[A-Za-z][A-Za-z0-9][AcCsSiIfZHB]")


@dataclass(slots=True)
class Compression:
    """What a slice needs to know of its container's compression header."""

    reference_required: bool = True
    external_ids: set[int] = field(default_factory=set)


class _Maps:
    def __init__(self, findings: Findings, where: Where) -> None:
        self._findings = findings
        self._where = where
        self.found = Compression()
        self._tags: set[bytes] = set()
        self._encoded: set[bytes] = set()

    def read(self, data: bytes) -> None:
        fields = Fields(data)
        self._map(fields, self._preservation, "preservation map", (b"SM", b"TD"))
        self._map(fields, self._series, "data series map")
        self._map(fields, self._tag, "tag map")
        if fields.left:
            said = f"{fields.left} bytes follow the maps of its compression header"
            self._findings.add(COMPRESSION_HEADER, said, self._where)
        for tag in sorted(self._tags - self._encoded):
            said = f"its tag {tag.decode('latin-1')} has no encoding"
            self._findings.add(TAG_WITHOUT_ENCODING, said, self._where)

    def _map(
        self,
        fields: Fields,
        entry: Callable[[Fields, set[bytes]], None],
        name: str,
        due: tuple[bytes, ...] = (),
    ) -> None:
        inside = fields.part(fields.number())
        count, seen = inside.number(), set[bytes]()
        if count < 0 or count > inside.left:
            raise Short(f"its {name} says {count} entries in {inside.left} bytes")
        for _ in range(count):
            entry(inside, seen)
        if inside.left:
            raise Short(f"its {name} has {inside.left} bytes more than its {count} entries")
        # A container without records, such as the one that ends a file, has empty maps.
        for key in due if count else ():
            if key not in seen:
                said = f"its {name} has no {key.decode()}"
                self._findings.add(PRESERVATION, said, self._where)

    def _preservation(self, fields: Fields, seen: set[bytes]) -> None:
        key = fields.take(2)
        shown = key.decode("latin-1")
        if key in seen:
            self._findings.add(PRESERVATION, f"its key {shown} stands there twice", self._where)
        seen.add(key)
        if key == b"SM":
            self._substitutions(fields.take(MATRIX_BYTES))
        elif key == b"TD":
            self._dictionary(fields.take(fields.number()))
        else:
            value = fields.take(1)[0]
            if key not in BOOLEANS:
                said = f"its preservation map has a key {shown}"
                self._findings.add(PRESERVATION, said, self._where)
            elif value > 1:
                said = f"its {shown} is {value}, and neither 0 nor 1"
                self._findings.add(PRESERVATION, said, self._where)
            if key == b"RR":
                self.found.reference_required = value != 0

    def _substitutions(self, matrix: bytes) -> None:
        for base, row in zip("ACGTN", matrix, strict=True):
            codes = {row >> 6, row >> 4 & 3, row >> 2 & 3, row & 3}
            if len(codes) < 4:
                said = f"the row of {base} in its substitution matrix is 0x{row:02x}"
                self._findings.add(SUBSTITUTIONS, said, self._where)

    def _dictionary(self, data: bytes) -> None:
        if data and not data.endswith(b"\0"):
            said = "its tag dictionary does not end with a zero byte"
            self._findings.add(TAG_DICTIONARY, said, self._where)
        for tags in data.split(b"\0"):
            for at in range(0, len(tags), 3):
                tag = tags[at : at + 3]
                self._tags.add(tag)
                if not TAG.fullmatch(tag):
                    said = f"its tag dictionary holds {tag.decode('latin-1')!r}"
                    self._findings.add(TAG_DICTIONARY, said, self._where)

    def _series(self, fields: Fields, seen: set[bytes]) -> None:
        key = fields.take(2)
        shown = key.decode("latin-1")
        if key in seen:
            said = f"its data series {shown} stands there twice"
            self._findings.add(DATA_SERIES, said, self._where)
        seen.add(key)
        if key not in SERIES and key not in LEGACY_SERIES:
            self._findings.add(DATA_SERIES, f"its data series {shown} is unknown", self._where)
        self._encoding(fields, SERIES.get(key), shown)

    def _tag(self, fields: Fields, _seen: set[bytes]) -> None:
        number = fields.number()
        key = (number & 0xFFFFFF).to_bytes(3)
        shown = key.decode("latin-1")
        if key in self._encoded or number >> 24 or not TAG.fullmatch(key):
            said = f"its tag map has {shown!r} twice, or it is no tag"
            self._findings.add(TAG_DICTIONARY, said, self._where)
        self._encoded.add(key)
        self._encoding(fields, BYTES, shown)

    def _encoding(self, fields: Fields, kind: str | None, of: str, depth: int = 0) -> None:
        codec, size = fields.number(), fields.number()
        if not 0 <= codec <= GAMMA or depth > NESTED_MAX:
            raise Broken(ENCODING, f"the encoding of {of} is number {codec}", self._where)
        try:
            inside = fields.part(size)
            self._parameters(codec, inside, of, depth)
        except Short as error:
            said = f"the {NAMES[codec]} encoding of {of} cannot be read: {error}"
            raise Broken(ENCODING, said, self._where) from error
        if inside.left:
            said = f"the {NAMES[codec]} encoding of {of} is followed by {inside.left} bytes"
            raise Broken(ENCODING, said, self._where)
        if kind is not None and codec not in CAN_ENCODE[kind]:
            said = f"the encoding of {of}, of type {kind}, is {NAMES[codec]}"
            self._findings.add(ENCODING_TYPE, said, self._where)
        if codec in (GOLOMB, GOLOMB_RICE):
            self._findings.add(ENCODING_OLD, f"the encoding of {of} is {NAMES[codec]}", self._where)

    def _parameters(self, codec: int, inside: Fields, of: str, depth: int) -> None:
        if codec == EXTERNAL:
            self._external(inside.number(), of)
        elif codec == ARRAY_STOP:
            inside.take(1)
            self._external(inside.number(), of)
        elif codec == ARRAY_LENGTH:
            self._encoding(inside, INTEGER, f"the lengths of {of}", depth + 1)
            self._encoding(inside, BYTE, f"the values of {of}", depth + 1)
        elif codec == HUFFMAN:
            self._huffman(inside)
        else:
            for _ in range(NUMBERS_OF.get(codec, 0)):
                inside.number()

    def _external(self, content_id: int, of: str) -> None:
        self.found.external_ids.add(content_id)
        if content_id < 1:
            said = f"the encoding of {of} is in the block with the content id {content_id}"
            self._findings.add(CONTENT_ID_LOW, said, self._where)

    def _huffman(self, inside: Fields) -> None:
        symbols = _array(inside)
        lengths = _array(inside)
        if len(symbols) != len(lengths):
            raise Short(f"it has {len(symbols)} symbols and {len(lengths)} lengths")
        if not symbols:
            return  # old programs write this of a series without values
        if min(lengths) < (0 if len(symbols) == 1 else 1) or max(lengths) > CODE_BITS_MAX:
            raise Short(f"its codes are of {min(lengths)} to {max(lengths)} bits")
        if sum(1 << (CODE_BITS_MAX - length) for length in lengths) > 1 << CODE_BITS_MAX:
            raise Short("its lengths are of no code: no two codes may begin alike")
        if len(set(symbols)) < len(symbols):
            raise Short("it has a symbol twice")


def _array(fields: Fields) -> list[int]:
    count = fields.number()
    if count < 0 or count > fields.left:
        raise Short(f"an array of {count} stands in {fields.left} bytes")
    return [fields.number() for _ in range(count)]


def read_compression(data: bytes, findings: Findings, where: Where) -> Compression:
    """What the header says; Broken where it cannot be read."""
    maps = _Maps(findings, where)
    try:
        maps.read(data)
    except Short as error:
        said = f"its compression header cannot be read: {error}"
        raise Broken(COMPRESSION_HEADER, said, where) from error
    return maps.found
