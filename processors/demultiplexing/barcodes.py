"""Barcodes as the instrument reads them: cycles, directions, and what no row of a sheet claims."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.read_cycles import ReadCycles
from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.events.unknown_barcode import UnknownBarcode
from genoflow.processors.demultiplexing.adapter import NotDone
from genoflow.processors.demultiplexing.manifest import UNKNOWN_BARCODES_MAX

REVERSED = "reverse complement"
# In a sound run 1 to 5 % of the reads are claimed by no row, and few of them match by chance.
REVERSED_FRACTION_MIN = 0.1
_COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
_SEGMENT = re.compile(r"([YIUN])(\d+|\*)")
# OverrideCycles says Y, I, U, N; a read structure T, B, M, S.
_LETTERS = {"Y": "T", "I": "B", "U": "M", "N": "S"}


@dataclass(frozen=True, slots=True)
class Segment:
    """Cycles in a row that mean the same: T reads, B barcode, M molecular barcode, S skipped."""

    cycles: int
    letter: str


def reverse_complement(bases: str) -> str:
    """The other strand, read in its own direction."""
    return bases.translate(_COMPLEMENT)[::-1]


def reads_i5_reversed(reads: Sequence[ReadCycles]) -> bool:
    """Whether the instrument reads i5 as the reverse complement of the adapter's."""
    indexes = [read for read in reads if read.is_index]
    return len(indexes) > 1 and indexes[1].is_reverse_complemented


def i5_as_read(request: DemultiplexRequested, index2: str) -> str:
    """I5 as it stands in the base calls, from how the sheet spells it."""
    spelled_reversed = request.i5_orientation == REVERSED
    same = spelled_reversed == reads_i5_reversed(request.reads)
    return index2 if same else reverse_complement(index2)


def i5_forward(request: DemultiplexRequested, index2: str) -> str:
    """I5 as the adapter has it, from how the sheet spells it."""
    return reverse_complement(index2) if request.i5_orientation == REVERSED else index2


def lanes_of(request: DemultiplexRequested) -> dict[int, list[SampleSheetRow]]:
    """The rows of each lane that the sheet has rows for."""
    lanes: dict[int, list[SampleSheetRow]] = {}
    for row in sorted(request.rows, key=lambda row: row.lane):
        lanes.setdefault(row.lane, []).append(row)
    return lanes


def segments(request: DemultiplexRequested, rows: Sequence[SampleSheetRow]) -> list[Segment]:
    """What each cycle of a lane means; NotDone where its rows contradict each other or the run."""
    plans = {row.override_cycles or request.override_cycles for row in rows}
    if len(plans) > 1:
        raise NotDone(
            "tool failed",
            f"lane {rows[0].lane}: its rows have different OverrideCycles, and this adapter takes "
            f"one for a lane; give them the same, or choose the adapter bclconvert",
        )
    plan = plans.pop()
    indexes = iter((_length(rows, "index1"), _length(rows, "index2")))
    found: list[Segment] = []
    parts: Sequence[str | None] = plan.split(";") if plan else [None] * len(request.reads)
    if len(parts) != len(request.reads):
        raise NotDone(
            "tool failed",
            f"OverrideCycles {plan} has {len(parts)} reads and the run {len(request.reads)}; "
            f"correct it in the sheet",
        )
    for read, part in zip(request.reads, parts, strict=True):
        wanted = next(indexes, 0) if read.is_index else None
        found += _of_read(read, part, wanted)
    return found


def _length(rows: Sequence[SampleSheetRow], name: str) -> int:
    lengths = {len(getattr(row, name) or "") for row in rows}
    if len(lengths) > 1:
        raise NotDone(
            "tool failed",
            f"lane {rows[0].lane}: its rows have {name} of {sorted(lengths)} bases; give them one "
            f"length in the sheet",
        )
    return lengths.pop()


def _of_read(read: ReadCycles, part: str | None, wanted: int | None) -> list[Segment]:
    if part is None:
        if wanted is None:
            return [Segment(read.cycles, "T")]
        # An index that is shorter than its read lies in the first cycles.
        cut = [Segment(wanted, "B"), Segment(read.cycles - wanted, "S")]
        return [segment for segment in cut if segment.cycles > 0]
    pieces = _SEGMENT.findall(part)
    known = sum(int(cycles) for _, cycles in pieces if cycles != "*")
    found = [
        Segment(read.cycles - known if cycles == "*" else int(cycles), _LETTERS[letter])
        for letter, cycles in pieces
    ]
    barcode = sum(segment.cycles for segment in found if segment.letter == "B")
    whole = sum(segment.cycles for segment in found)
    if whole != read.cycles or (wanted and barcode != wanted):
        raise NotDone(
            "tool failed",
            f"OverrideCycles {part} means {whole} cycles with {barcode} of barcode; read "
            f"{read.number} has {read.cycles}, and the sheet's indexes {wanted or 0}; correct it",
        )
    if barcode and not wanted:  # nobody in this lane has this index
        return [Segment(one.cycles, "S" if one.letter == "B" else one.letter) for one in found]
    return [segment for segment in found if segment.cycles]


def structure(found: Iterable[Segment]) -> str:
    """Segments as Picard writes them, such as 20T8B8B20T."""
    return "".join(f"{segment.cycles}{segment.letter}" for segment in found)


Barcode = tuple[int, str, str | None]  # lane, i7, i5


def unknown_barcodes(
    counts: Mapping[Barcode, int], claimed: Mapping[Barcode, str], mismatches: tuple[int, int]
) -> tuple[UnknownBarcode, ...]:
    """The most frequent barcodes that no row claims, with whose they are once i5 is turned around.

    Both sides spell i5 alike; `claimed` names the sample of each barcode of the sheet.
    """
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0][0], str(item[0][1:])))
    turned = {
        (lane, i7, reverse_complement(i5)): sample
        for (lane, i7, i5), sample in claimed.items()
        if i5 is not None
    }
    return tuple(
        UnknownBarcode(
            lane=lane, index1=i7, index2=i5, reads=reads,
            reverse_complement_of=_whose((lane, i7, i5), turned, mismatches),
        )
        for (lane, i7, i5), reads in frequent[:UNKNOWN_BARCODES_MAX]
    )  # fmt: skip


def _whose(
    barcode: Barcode, turned: Mapping[tuple[int, str, str], str], mismatches: tuple[int, int]
) -> str | None:
    lane, i7, i5 = barcode
    if i5 is None:
        return None
    for (other_lane, other_i7, other_i5), sample in turned.items():
        if (
            lane == other_lane
            and distance(i7, other_i7) <= mismatches[0]
            and distance(i5, other_i5) <= mismatches[1]
        ):
            return sample
    return None


def distance(one: str, other: str) -> int:
    """In how many places two barcodes differ; one that is longer differs in what it has more."""
    return sum(a != b for a, b in zip(one, other, strict=False)) + abs(len(one) - len(other))


def looks_reversed(unknown: Iterable[UnknownBarcode], reads_total: int) -> bool:
    """Whether so many reads match once i5 is turned around that the sheet spells it wrongly."""
    turned = sum(one.reads for one in unknown if one.reverse_complement_of is not None)
    return turned > 0 and turned >= reads_total * REVERSED_FRACTION_MIN
