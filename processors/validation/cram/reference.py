"""The reference that a lab has at hand, held against what the slices say of theirs."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from genoflow.processors.validation.cram.header_text import Sequence
from genoflow.processors.validation.cram.slice_rules import BEYOND, REFERENCE_DIFFERS
from genoflow.processors.validation.cram.slices import NO_MD5, SEVERAL, UNMAPPED, Slice
from genoflow.processors.validation.findings import Findings

PART_BYTES = 1024**2  # of a sequence at once
# htslib holds a whole sequence where a slice spans half of it, or where slices are of several.
# Those of this size and shorter fit beside everything else; of longer ones the bases stay unread.
WHOLE_BASES_MAX = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class Entry:
    """A sequence of a FASTA file, as a line of its index has it."""

    length: int
    offset: int
    line_bases: int
    line_bytes: int


class Reference:
    """A FASTA file and its index, read in parts."""

    def __init__(self, path: Path, entries: dict[str, Entry], for_htslib: Path) -> None:
        self._path = path
        self._entries = entries
        self.for_htslib = for_htslib  # the same file, with an index that nobody has to write

    def has(self, sequence: Sequence) -> bool:
        """Whether it has this sequence, by name and length."""
        entry = self._entries.get(sequence.name)
        return entry is not None and entry.length == sequence.length > 0

    def md5(self, name: str, start: int, span: int) -> bytes:
        """Of so many bases from this one, counted from 1; those beyond the end are left out."""
        entry = self._entries[name]
        begin, end = start - 1, min(start - 1 + span, entry.length)
        found = hashlib.md5(usedforsecurity=False)
        with self._path.open("rb") as file:
            file.seek(_offset(entry, begin))
            left = _offset(entry, end) - _offset(entry, begin)
            while left > 0 and (part := file.read(min(left, PART_BYTES))):
                left -= len(part)
                found.update(part.translate(None, b"\r\n \t").upper())
        return found.digest()


def _offset(entry: Entry, base: int) -> int:
    lines, rest = divmod(base, entry.line_bases)
    return entry.offset + lines * entry.line_bytes + rest


@contextmanager
def open_reference(path: Path) -> Iterator[Reference]:
    """The reference of this FASTA file, plain text; OSError or ValueError where it is none."""
    index = path.with_name(path.name + ".fai")
    entries = _read_index(index) if index.is_file() else _made_index(path)
    with tempfile.TemporaryDirectory() as folder:
        linked = Path(folder, "reference.fa")
        linked.symlink_to(path.resolve())
        own = linked.with_name("reference.fa.fai")
        if index.is_file():
            shutil.copyfile(index, own)
        else:
            own.write_text("".join(_line(name, entry) for name, entry in entries.items()))
        yield Reference(path, entries, linked)


def _line(name: str, entry: Entry) -> str:
    fields = (name, entry.length, entry.offset, entry.line_bases, entry.line_bytes)
    return "\t".join(str(field) for field in fields) + "\n"


def _read_index(index: Path) -> dict[str, Entry]:
    entries = {}
    for line in index.read_text("utf-8").splitlines():
        name, *numbers = line.split("\t")
        entry = Entry(*(int(number) for number in numbers[:4]))
        if not 0 < entry.line_bases <= entry.line_bytes or min(entry.length, entry.offset) < 0:
            raise ValueError(f"{index} has a line that is none of an index: {line[:100]}")
        entries[name] = entry
    return entries


def _made_index(path: Path) -> dict[str, Entry]:
    """The same by reading the whole file; ValueError where its lines are of different lengths."""
    entries: dict[str, Entry] = {}
    name, length, offset, bases, stored, short, at = "", 0, 0, 0, 0, False, 0
    with path.open("rb") as file:
        for line in file:
            at += len(line)
            text = line.rstrip(b"\r\n")
            if line.startswith(b">"):
                if name:
                    entries[name] = Entry(length, offset, bases or 1, stored or 1)
                name = (text[1:].split() or [b"?"])[0].decode("utf-8", "replace")
                length, offset, bases, stored, short = 0, at, 0, 0, False
                continue
            if not name or (short and text):
                raise ValueError(f"{path} is no FASTA with lines of one length")
            bases, stored = bases or len(text), stored or len(line)
            short = len(text) != bases
            length += len(text)
    if name:
        entries[name] = Entry(length, offset, bases or 1, stored or 1)
    return entries


class Restoring:
    """Which slices can be restored to bases with what is at hand, and which cannot."""

    def __init__(
        self, reference: Reference | None, sequences: tuple[Sequence, ...], findings: Findings
    ) -> None:
        self._reference = reference
        self._sequences = sequences
        self._findings = findings
        self.missing = 0  # slices whose reference is not at hand
        self.without_md5: dict[str, None] = {}  # sequences that slices are differences to
        whole = reference is not None and all(reference.has(one) for one in sequences)
        longest = max((one.length for one in sequences), default=0)
        self._any = whole and longest <= WHOLE_BASES_MAX

    def possible(self, found: Slice, *, required: bool) -> bool:
        """Whether its bases can be read, by htslib and without looking anywhere else."""
        if not found.records or found.reference == UNMAPPED or not required:
            return True
        if found.reference == SEVERAL:
            self.missing += not self._any
            return self._any
        if found.embedded >= 0:
            return True
        sequence = self._sequences[found.reference]
        if sequence.md5 is None:
            self.without_md5[sequence.name] = None
        if self._reference is None or not self._reference.has(sequence):
            self.missing += 1
            return False
        return self._agrees(found, sequence, self._reference)

    def _agrees(self, found: Slice, sequence: Sequence, reference: Reference) -> bool:
        if not 1 <= found.start <= sequence.length or found.span < 1:
            if found.start > sequence.length:
                said = f"its slice begins at {found.start} of {sequence.name}: {sequence.length}"
                self._findings.add(BEYOND, f"{said} bases", found.where)
            return False
        if found.md5 != NO_MD5:
            there = reference.md5(sequence.name, found.start, found.span)
            if there != found.md5:
                said = (
                    f"its slice of {found.span} bases from {found.start} of {sequence.name} was "
                    f"made with MD5 {found.md5.hex()}, and the reference at hand has {there.hex()}"
                )
                self._findings.add(REFERENCE_DIFFERS, said, found.where)
                return False
        return sequence.length <= WHOLE_BASES_MAX or found.span * 2 < sequence.length
