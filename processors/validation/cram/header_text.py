"""The SAM header in a CRAM file: where it stands, and what of it the containers need."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from genoflow.processors.validation.cram.rules import HEADER_TEXT
from genoflow.processors.validation.findings import Broken, Where

LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Sequence:
    """A reference sequence, as @SQ has it."""

    name: str
    length: int
    md5: str | None


@dataclass(frozen=True, slots=True)
class Header:
    """What the containers are compared with."""

    text: bytes
    sequences: tuple[Sequence, ...]


def header_text(data: bytes, where: Where) -> bytes:
    """The text behind its length; Broken where that is longer than what there is."""
    if len(data) < LENGTH_BYTES:
        raise Broken(HEADER_TEXT, "the block of its SAM header has no length", where)
    (length,) = struct.unpack_from("<i", data)
    if length < 0 or length > len(data) - LENGTH_BYTES:
        said = f"its SAM header says {length} bytes, and its block has {len(data) - LENGTH_BYTES}"
        raise Broken(HEADER_TEXT, said, where)
    return data[LENGTH_BYTES : LENGTH_BYTES + length].rstrip(b"\0")


def parse_header(text: bytes) -> Header:
    """Its sequences; what is wrong with the text itself is for the rules of SAM."""
    sequences: list[Sequence] = []
    for line in text.decode("utf-8", "replace").split("\n"):
        kind, *rest = line.split("\t")
        fields = {field[:2]: field[3:] for field in rest if field[2:3] == ":"}
        if kind == "@SQ":
            length = fields.get("LN", "")
            sequences.append(
                Sequence(
                    fields.get("SN", ""),
                    int(length)
                    if length.isascii() and length.isdigit() and len(length) < 12
                    else 0,
                    fields.get("M5"),
                )
            )
    return Header(text, tuple(sequences))
