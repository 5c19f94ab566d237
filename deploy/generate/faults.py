"""What can be wrong with what is sent: the name of a fault, what it is, how it is made.

Each fault is one function over right material. The cast is changed before it is sequenced, a sheet
before it is written, a folder after the instrument would have closed it, and reads after the
demultiplexer.
"""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genoflow.deploy.generate import mixups
from genoflow.deploy.generate.cast import Cast
from genoflow.deploy.generate.fastq import FastqFile, fastq_file
from genoflow.deploy.generate.genome import BASES, reverse_complement
from genoflow.deploy.generate.instruments import STATUS
from genoflow.deploy.generate.libraries import INDEX_PAIRS, Run, index_pairs
from genoflow.deploy.generate.packing import BLOCK_SIZE_AT, bgzf
from genoflow.deploy.generate.run_documents import TILE, completion_status
from genoflow.deploy.generate.run_folder import INTENSITIES, SHEET
from genoflow.deploy.generate.sheets import Sheet, SheetRow, i5_is_turned
from genoflow.events.errors import Refused

LATER_SECONDS = 60  # a change that is a minute younger than the marker is seen on any file system
NO_READS_ID = "SIM-NOREADS"
BUILD_SHIFT = 10_000  # bases: half of the shorter contig
GZIP_TIME = 4  # where a gzip header holds the time


@dataclass(frozen=True, slots=True)
class SheetFault:
    """A sheet that should be refused, or that leads astray."""

    about: str
    apply: Callable[[Sheet, Run], Sheet]


@dataclass(frozen=True, slots=True)
class FolderFault:
    """A run folder that is not what its marker says."""

    about: str
    apply: Callable[[Path, Run], None]


@dataclass(frozen=True, slots=True)
class ReadsFault:
    """A read set that should be rejected."""

    about: str
    apply: Callable[[tuple[FastqFile, ...]], tuple[FastqFile, ...]]


@dataclass(frozen=True, slots=True)
class TargetsFault:
    """A target set that does not fit the reference."""

    about: str
    apply: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class CastFault:
    """Reads that are not whose their label says: results of a case that should be held."""

    about: str
    apply: Callable[[Cast], Cast]


@dataclass(frozen=True, slots=True)
class OrdersFault:
    """An order that the reads contradict."""

    about: str
    apply: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


Fault = SheetFault | FolderFault | ReadsFault | TargetsFault | CastFault | OrdersFault


def _changed(sheet: Sheet, number: int, **values: str) -> Sheet:
    rows = list(sheet.rows)
    rows[number] = replace(rows[number], **values)  # type: ignore[arg-type]
    return replace(sheet, rows=tuple(rows))


def _two_of_a_lane(sheet: Sheet) -> tuple[int, SheetRow]:
    """The first row, and where the next one of the same lane stands."""
    first, *others = sheet.rows
    for number, row in enumerate(others, start=1):
        if row.lane == first.lane:
            return number, first
    raise Refused(f"lane {first.lane} holds one library; this fault needs two in one lane")


def _equal_indexes(sheet: Sheet, _run: Run) -> Sheet:
    number, first = _two_of_a_lane(sheet)
    return _changed(sheet, number, index1=first.index1, index2=first.index2)


def _colliding_indexes(sheet: Sheet, _run: Run) -> Sheet:
    number, first = _two_of_a_lane(sheet)
    last = next(base for base in BASES if base != first.index1[-1])
    return _changed(sheet, number, index1=first.index1[:-1] + last, index2=first.index2)


def _mixed_index_lengths(sheet: Sheet, _run: Run) -> Sheet:
    number, _ = _two_of_a_lane(sheet)
    row = sheet.rows[number]
    return _changed(sheet, number, index1=row.index1[:-2], index2=row.index2[:-2])


def _renamed(sheet: Sheet, sample_id: str) -> Sheet:
    old = sheet.rows[0].sample_id
    rows = (replace(r, sample_id=sample_id) if r.sample_id == old else r for r in sheet.rows)
    return replace(sheet, rows=tuple(rows))


def _reserved_id(sheet: Sheet, _run: Run) -> Sheet:
    return _renamed(sheet, "Undetermined")


def _illegal_id(sheet: Sheet, _run: Run) -> Sheet:
    return _renamed(sheet, "SIM 1/ä")


def _override_cycles(sheet: Sheet, run: Run) -> Sheet:
    index = f"I{run.index_bases}"
    return replace(sheet, override_cycles=f"Y{run.read_bases + 50};{index};{index};Y10")


def _i5_turned(sheet: Sheet, _run: Run) -> Sheet:
    rows = (replace(row, index2=reverse_complement(row.index2)) for row in sheet.rows)
    return replace(sheet, rows=tuple(rows))


def _no_reads(sheet: Sheet, run: Run) -> Sheet:
    used = {row.index1 for row in sheet.rows}
    table = index_pairs(run.seed, INDEX_PAIRS, run.index_bases)
    index1, index2 = next(pair for pair in table if pair[0] not in used)
    if i5_is_turned(run.instrument, sheet.version):
        index2 = reverse_complement(index2)
    row = SheetRow(
        run.lanes[0], NO_READS_ID, f"{NO_READS_ID}-lib1", index1, index2, sheet.rows[0].project
    )
    return replace(sheet, rows=(*sheet.rows, row))


def _twice_in_lane(sheet: Sheet, _run: Run) -> Sheet:
    return replace(sheet, rows=(*sheet.rows, sheet.rows[0]))


def _remove(folder: Path, name: str) -> None:
    (folder / name).unlink(missing_ok=True)


def _no_sheet(folder: Path, _run: Run) -> None:
    _remove(folder, SHEET)


def _no_marker(folder: Path, run: Run) -> None:
    _remove(folder, run.instrument.markers[-1])


def _bad_status(folder: Path, run: Run) -> None:
    if run.instrument.status is None:
        raise Refused(
            f"{run.instrument.model} writes no {STATUS}; choose another model for bad-status"
        )
    (folder / STATUS).write_bytes(completion_status(run, good=False))


def _base_calls(run: Run, cycle: int) -> str:
    lane = run.lanes[0]
    return f"{INTENSITIES}/BaseCalls/L{lane:03d}/C{cycle}.1/s_{lane}_{TILE}.bcl.gz"


def _file_missing(folder: Path, run: Run) -> None:
    _remove(folder, _base_calls(run, run.read_bases))


def _cut(folder: Path, run: Run) -> None:
    path = folder / _base_calls(run, 1)
    path.write_bytes(path.read_bytes()[:-20])


def _changed_later(folder: Path, run: Run) -> None:
    path = folder / _base_calls(run, 2)
    path.write_bytes((folder / _base_calls(run, 3)).read_bytes())
    closed = (folder / run.instrument.markers[-1]).stat().st_mtime
    os.utime(path, (closed + LATER_SECONDS, closed + LATER_SECONDS))


def _truncated(files: tuple[FastqFile, ...]) -> tuple[FastqFile, ...]:
    # The checksum is that of the stump: whoever truncated it sent it on in good faith.
    last = files[-1]
    stump = last.content[: len(last.content) * 3 // 4]
    return (*files[:-1], fastq_file(last.name, last.role, stump))


def _bad_block(files: tuple[FastqFile, ...]) -> tuple[FastqFile, ...]:
    last = files[-1]
    return (*files[:-1], fastq_file(last.name, last.role, with_bad_block(last.content)))


def with_bad_block(content: bytes) -> bytes:
    """A file of reads as BGZF, with one bit turned in the checksum of its first block."""
    damaged = bytearray(bgzf(_unpacked(content)))
    (last,) = struct.unpack_from("<H", damaged, BLOCK_SIZE_AT)  # of the block, counted from 0
    damaged[last - 7] ^= 1  # its last eight bytes are the checksum and the length
    return bytes(damaged)


def _wrong_checksum(files: tuple[FastqFile, ...]) -> tuple[FastqFile, ...]:
    # Another time in the header: whole and readable, and still not the file that was sent.
    last = files[-1]
    other = last.content[:GZIP_TIME] + b"\x01" + last.content[GZIP_TIME + 1 :]
    return (*files[:-1], replace(last, content=other))


def _mates_differ(files: tuple[FastqFile, ...]) -> tuple[FastqFile, ...]:
    last = files[-1]
    lines = _unpacked(last.content).splitlines(keepends=True)
    return (*files[:-1], fastq_file(last.name, last.role, bgzf(b"".join(lines[4:]))))


def _other_build(bed: bytes) -> bytes:
    # Another build is longer and names its contigs without "chr".
    rows = (line.split("\t") for line in bed.decode().splitlines())
    moved = (
        (
            name.removeprefix("chr"),
            str(int(start) + BUILD_SHIFT),
            str(int(end) + BUILD_SHIFT),
            *rest,
        )
        for name, start, end, *rest in rows
    )
    return "".join("\t".join(row) + "\n" for row in moved).encode()


def _unpacked(content: bytes) -> bytes:
    return gzip.decompress(content)


FAULTS: dict[str, Fault] = {
    "equal-indexes": SheetFault("two libraries of a lane have the same indexes", _equal_indexes),
    "colliding-indexes": SheetFault(
        "two libraries of a lane differ in one base, and one error is tolerated",
        _colliding_indexes,
    ),
    "mixed-index-lengths": SheetFault(
        "one library of a lane has shorter indexes than the others", _mixed_index_lengths
    ),
    "reserved-id": SheetFault("a sample is called Undetermined", _reserved_id),
    "illegal-id": SheetFault("a sample id holds a blank, a slash and an umlaut", _illegal_id),
    "override-cycles": SheetFault(
        "OverrideCycles asks for more cycles than RunInfo says", _override_cycles
    ),
    "i5-turned": SheetFault(
        "i5 is spelled in the other orientation: every read becomes undetermined", _i5_turned
    ),
    "no-reads": SheetFault(f"the sample {NO_READS_ID} is listed and has no reads", _no_reads),
    "twice-in-lane": SheetFault("a sample stands twice in one lane", _twice_in_lane),
    "no-sheet": FolderFault("there is no sheet", _no_sheet),
    "no-marker": FolderFault("the last marker is missing: the copy is not over", _no_marker),
    "bad-status": FolderFault("the instrument says that the run failed", _bad_status),
    "file-missing": FolderFault(
        "the marker is there, and a file of base calls is not", _file_missing
    ),
    "file-cut": FolderFault("a file of base calls is cut short", _cut),
    "changed-after-marker": FolderFault(
        "a file of base calls was replaced a minute after the last marker", _changed_later
    ),
    "truncated-fastq": ReadsFault("R2 ends in the middle of a gzip member", _truncated),
    "bad-bgzf-block": ReadsFault("a block of R2 is not what its checksum says", _bad_block),
    "wrong-checksum": ReadsFault("R2 is not what its checksum says", _wrong_checksum),
    "mates-differ": ReadsFault("R2 lacks the first read of R1", _mates_differ),
    "bed-of-another-build": TargetsFault(
        "the targets name other contigs, and some lie beyond their ends", _other_build
    ),
    "swapped-samples": CastFault(
        "SIM-A and SIM-E have each other's reads", mixups.swapped_samples
    ),
    "contaminated": CastFault(
        "a tenth of SIM-A's reads are those of SIM-B", mixups.contaminated_sample
    ),
    "unrelated-normal": CastFault(
        "SIM-E, the normal of SIM-D, is another person", mixups.unrelated_normal
    ),
    "wrong-sex": OrdersFault("the order of SIM-A says the other sex", mixups.wrong_sex),
}  # fmt: skip
