"""BCF: its records are decoded to lines of VCF, and held to the same rules."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator

from genoflow.processors.validation.findings import Broken, Findings, Where
from genoflow.processors.validation.inflate import Block, blocks_of
from genoflow.processors.validation.port import Expected, Measured
from genoflow.processors.validation.source import Source
from genoflow.processors.validation.text import Lines
from genoflow.processors.validation.vcf import rules_bcf as rules
from genoflow.processors.validation.vcf.meta import pairs_of
from genoflow.processors.validation.vcf.reader import VcfReader
from genoflow.processors.validation.vcf.typed import (
    FLOAT,
    FLOAT_MISSING,
    FORMATS,
    MISSING,
    SHORT_BYTES_MAX,
    TEXT,
    Cursor,
    Odd,
    Typed,
    short_text_of,
    text_of,
    texts_of,
)

MAGIC = b"BCF\x02"
HEADER_BYTES_MAX = 32 * 1024**2  # 300,000 contigs of 100 bytes each, held a few times
RECORD_BYTES_MAX = 16 * 1024**2  # as a line of VCF
SHARED_BYTES = 24  # of a record, before its typed values
BATCH_BYTES = 1024**2  # of lines at once, as the reader has them from a text
NAMED = ("FILTER", "INFO", "FORMAT")
STORED_AS = {"Integer": tuple(FORMATS), "Float": (FLOAT,), "Character": (TEXT,), "String": (TEXT,)}


def read_bcf(source: Source, compression: str, expected: Expected, findings: Findings) -> Measured:
    """All findings of a BCF; Broken where nothing behind it can be understood."""
    reader = VcfReader(expected, findings, has_lines=False)
    if compression != "bgzf":
        reader.tell(rules.NOT_BGZF, f"its compression is {compression}")
    stream = _Stream(blocks_of(source, compression))
    magic = stream.upto(5)
    if magic[:4] != MAGIC or magic[4:5] not in (b"\x01", b"\x02"):
        raise Broken(rules.MAGIC, f"it begins with {magic!r}", Where(byte=0))
    text = _header(stream, reader)
    reader.take(Lines(1, 0, text))
    _Records(stream, reader, _names(text, reader)).read()
    return dataclasses.replace(reader.finish(), format="BCF")


def _header(stream: _Stream, reader: VcfReader) -> bytes:
    length = stream.upto(4)
    size = int.from_bytes(length, "little")
    text = stream.upto(size) if len(length) == 4 and size <= HEADER_BYTES_MAX else b""
    if len(length) < 4 or len(text) < size:
        said = f"its header has {size} bytes by its length, and {len(text)} are there"
        raise Broken(rules.HEADER_CUT, said, Where(byte=0))
    if not text.endswith(b"\0"):
        reader.tell(rules.HEADER_END, "the text of its header does not end with a NUL")
    text = text.rstrip(b"\0")
    return text if text.endswith(b"\n") else text + b"\n"


class _Stream:
    """Bytes of the text, however they are cut into blocks."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        self._blocks = blocks
        self._held = b""
        self._at = 0
        self.stored_at = 0

    def upto(self, size_bytes: int) -> bytes:
        """So many bytes, fewer at the end alone."""
        parts = [self._held[self._at : self._at + size_bytes]]
        self._at += len(parts[0])
        missing = size_bytes - len(parts[0])
        while missing and (block := next(self._blocks, None)) is not None:
            self._held, self.stored_at = block.text, block.stored_at
            parts.append(self._held[:missing])
            self._at = len(parts[-1])
            missing -= self._at
        return b"".join(parts)


def _names(text: bytes, reader: VcfReader) -> tuple[dict[int, str], dict[int, str]]:
    """What the numbers of records stand for: contigs, and filters and keys."""
    contigs: dict[int, str] = {}
    strings: dict[int, str] = {0: "PASS"}
    numbers = {"PASS": 0}
    for line in text.decode("utf-8", "replace").split("\n"):
        kind, _, value = line[2:].partition("=")
        if not line.startswith("##") or kind not in (*NAMED, "contig") or value[:1] != "<":
            continue
        pairs = pairs_of(value[1:-1])
        found = {pair.key: pair.value for pair in pairs} if isinstance(pairs, list) else {}
        name, index = found.get("ID", ""), found.get("IDX")
        names = contigs if kind == "contig" else strings
        if index is not None and not (index.isdigit() and len(index) < 10):
            reader.tell(rules.DICTIONARY, f"{name!r} has the IDX {index!r}")
            index = None
        if kind != "contig" and name in numbers:
            number = numbers[name] if index is None else int(index)
        else:
            number = len(names) if index is None else int(index)
        if names.setdefault(number, name) != name:
            reader.tell(rules.DICTIONARY, f"{name!r} and {names[number]!r} have the IDX {number}")
        if kind != "contig":
            numbers[name] = number
    return contigs, strings


class _Records:
    """The records behind a header."""

    def __init__(
        self, stream: _Stream, reader: VcfReader, names: tuple[dict[int, str], dict[int, str]]
    ) -> None:
        self._stream = stream
        self._reader = reader
        self._contigs, self._strings = names
        self._samples = len(reader.header.samples)
        self._count = 0

    def read(self) -> None:
        """All of them, in batches of lines."""
        lines: list[bytes] = []
        size, first, stored_at = 0, 1, self._stream.stored_at
        while lengths := self._stream.upto(8):
            self._count += 1
            self._reader.tell.where = Where(record=self._count, byte=self._stream.stored_at)
            line = self._record(lengths)
            lines.append(line)
            size += len(line)
            if size >= BATCH_BYTES:
                self._reader.take(Lines(first, stored_at, b"".join(lines)))
                lines.clear()
                size, first, stored_at = 0, self._count + 1, self._stream.stored_at
        if lines:
            self._reader.take(Lines(first, stored_at, b"".join(lines)))

    def _record(self, lengths: bytes) -> bytes:
        where = self._reader.tell.where
        if len(lengths) < 8:
            raise Broken(rules.RECORD_CUT, "it ends within the lengths of a record", where)
        shared, individual = struct.unpack("<II", lengths)
        if shared < SHARED_BYTES or shared + individual > RECORD_BYTES_MAX:
            said = f"a record has parts of {shared} and {individual} bytes"
            raise Broken(rules.RECORD_LENGTH, said, where)
        parts = self._stream.upto(shared), self._stream.upto(individual)
        if len(parts[0]) + len(parts[1]) < shared + individual:
            raise Broken(rules.RECORD_CUT, f"it ends within record {self._count}", where)
        try:
            columns = self._columns(Cursor(parts[0]), Cursor(parts[1]))
        except Odd as odd:
            raise Broken(odd.rule, odd.message, where) from odd
        return ("\t".join(columns) + "\n").encode()

    def _columns(self, shared: Cursor, individual: Cursor) -> list[str]:
        chrom, start, length, quality, counts, of_samples = struct.unpack(
            "<iiiIII", shared.take(SHARED_BYTES)
        )
        infos, alleles = counts & 0xFFFF, counts >> 16
        samples, formats = of_samples & 0xFFFFFF, of_samples >> 24
        if chrom not in self._contigs:
            raise Odd(rules.CONTIG_INDEX, f"CHROM is {chrom} of {len(self._contigs)} contigs")
        if samples != self._samples:
            said = f"a record has {samples} samples, and the header {self._samples}"
            raise Odd(rules.SAMPLES, said)
        if not alleles:
            raise Odd(rules.ALLELES, "a record has no allele")
        identifier = self._text(shared.typed()) or "."
        bases = [self._text(shared.typed()) for _ in range(alleles)]
        filters = [self._name(number) for number in _numbers(shared.typed())]
        entries = [self._entry(shared) for _ in range(infos)]
        if not shared.is_at_end:
            raise Odd(rules.RECORD_LENGTH, "bytes are left behind INFO")
        self._reach(start + 1, length, bases, entries)
        qual = "." if quality == FLOAT_MISSING else f"{_float(quality):g}"
        columns = [
            self._contigs[chrom], str(start + 1), identifier, bases[0], ",".join(bases[1:]) or ".",
            qual, ";".join(filters) or ".", ";".join(entries) or ".",
        ]  # fmt: skip
        if self._reader.header.columns > 8:
            columns += self._individual(individual, formats)
        if not individual.is_at_end:
            raise Odd(rules.RECORD_LENGTH, "bytes are left behind the samples")
        return columns

    def _reach(self, position: int, length: int, bases: list[str], entries: list[str]) -> None:
        """The length on the reference, where versions agree on how it is computed."""
        ends = [entry[4:] for entry in entries if entry.startswith("END=")]
        due = len(bases[0])
        if ends and ends[0].isdigit():
            due = int(ends[0][:12]) - position + 1
        if self._reader.header.minor <= 3 and length != due and due > 0:
            said = f"the length on the reference is {length}, and {due} is due"
            self._reader.tell(rules.LENGTH_ON_REFERENCE, said)

    def _individual(self, part: Cursor, formats: int) -> list[str]:
        keys: list[str] = []
        rows: list[list[str]] = [[] for _ in range(self._samples)]
        for _ in range(formats):
            key = self._name(part.integer())
            value = part.typed(self._samples)
            keys.append(key)
            self._check_type(key, value, is_info=False)
            size = len(value.data) // self._samples if self._samples else 0
            for index, row in enumerate(rows):
                data = value.data[index * size : (index + 1) * size]
                row.append(self._of_sample(key, value.kind, value.size, data))
        return [":".join(keys) or ".", *(":".join(row) or "." for row in rows)]

    def _of_sample(self, key: str, kind: int, count: int, data: bytes) -> str:
        if kind in (MISSING, TEXT):
            return self._text(Typed(kind, count, data)) or "."
        if len(data) <= SHORT_BYTES_MAX:
            text, is_odd = short_text_of(kind, count, data, key == "GT")
        else:
            text, is_odd = text_of(Typed(kind, count, data), is_genotype=key == "GT")
        if is_odd:
            self._reader.tell(rules.END_OF_VECTOR, f"{key} has a value behind its end")
        return text

    def _entry(self, part: Cursor) -> str:
        key = self._name(part.integer())
        value = part.typed()
        known = self._reader.header.infos.get(key)
        if known is not None and known.type == "Flag":
            return key
        self._check_type(key, value, is_info=True)
        if value.kind in (MISSING, TEXT):
            return f"{key}={self._text(value) or '.'}"
        texts, is_odd = texts_of(value)
        if is_odd:
            self._reader.tell(rules.END_OF_VECTOR, f"{key} has a value behind its end")
        return f"{key}={','.join(texts) or '.'}"

    def _check_type(self, key: str, value: Typed, *, is_info: bool) -> None:
        header = self._reader.header
        known = (header.infos if is_info else header.formats).get(key)
        kind = "INFO" if is_info else "FORMAT"
        if known is None:
            raise Odd(rules.NAME_INDEX, f"{key!r} is not declared for {kind}")
        due = tuple(FORMATS) if key == "GT" else STORED_AS.get(known.type, ())
        if value.kind not in (MISSING, *due):
            said = f"{kind} {key} is declared as {known.type} and stored as type {value.kind}"
            self._reader.tell(rules.DECLARED_TYPE, said)

    def _name(self, number: int) -> str:
        if number not in self._strings:
            raise Odd(rules.NAME_INDEX, f"no name has the number {number}")
        return self._strings[number]

    def _text(self, value: Typed) -> str:
        if value.kind not in (MISSING, TEXT):
            raise Odd(rules.VALUE_TYPE, f"a value of type {value.kind} stands for text")
        data = value.data.rstrip(b"\0")
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self._reader.tell(rules.TEXT, f"a text is no UTF-8: {data[:60]!r}")
            text = data.decode("latin-1")
        if any(character in text for character in "\t\r\n\0"):
            self._reader.tell(rules.TEXT, f"a text has a tab or an end of a line: {data[:60]!r}")
            text = "".join("?" if character in "\t\r\n\0" else character for character in text)
        return text


def _numbers(value: Typed) -> list[int]:
    if value.kind == MISSING:
        return []
    if value.kind not in FORMATS:
        raise Odd(rules.VALUE_TYPE, f"FILTER is stored as type {value.kind}")
    texts, _ = texts_of(value)
    return [int(text) for text in texts if text != "."]


def _float(bits: int) -> float:
    return float(struct.unpack("<f", struct.pack("<I", bits))[0])
