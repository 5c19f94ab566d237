"""What is counted of the records of a file, as `samtools stats` counts it."""

from __future__ import annotations

from typing import Any

from genoflow.events.file_metrics import FileMetrics
from genoflow.processors.validation.reads.metrics import lengths_of
from genoflow.processors.validation.sam.record import (
    ALIGNED,
    DUPLICATE,
    FAILED,
    FIRST,
    INSERTED,
    LAST,
    MATE_REVERSE,
    MATE_UNMAPPED,
    PAIRED,
    PROPER,
    REVERSE,
    SECONDARY,
    SUPPLEMENTARY,
    UNMAPPED,
    Record,
)
from genoflow.processors.validation.sums import QUALITIES, share

INSERT_MAX = 8_001  # as the reference tool has it: longer inserts count as 8,000
SMALL_MAX = 1_000_000  # what an event can say of a length; a longer one stands in the details
BULK = 0.99  # of the pairs are in the mean; the rest are longer
Q20, Q30 = QUALITIES[:20], QUALITIES[:30]
COUNTED_AS = bytes.maketrans(b"cgn", b"CGN")

# The extension hands its counts back in this order.
COUNTERS = (
    "reads", "bases", "gc", "n", "qualities", "quality_sum", "q20", "q30", "mapped_reads",
    "duplicate_reads", "first", "last", "other", "first_bases", "last_bases", "paired", "failed",
    "unmapped", "single_mapped", "pair_mapped", "proper", "mq0", "duplicates", "duplicate_bases",
    "mismatches", "mapped_bases", "aligned_bases", "apart", "secondary", "supplementary",
    "longest", "longest_first", "longest_last", "shortest_plus_1", "length_max", "total_bases",
    "ordered_quality", "unscored_bases",
)  # fmt: skip
MAXIMA = frozenset({"longest", "longest_first", "longest_last", "length_max"})


def _small(bases: int) -> int | None:
    return bases if bases <= SMALL_MAX else None


class Totals:
    """The counts of some records; those of two readers of one file can be joined."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(COUNTERS, 0)
        self.inserts = [[0] * INSERT_MAX for _ in range(3)]  # inward, outward, other
        self.mapq = [0] * 256

    def take(self, record: Record) -> None:
        """Add one record."""
        if not record.flag & (SECONDARY | SUPPLEMENTARY):
            self._read(record)
        quality = sum(record.qual) - 33 * len(record.qual) if record.qual else 0
        self._statistics(record, quality)

    def join(self, counts: list[int], inserts: list[list[int]], mapq: list[int]) -> None:
        """Add what the extension counted."""
        for name, count in zip(COUNTERS, counts, strict=True):
            if name in MAXIMA:
                self.counts[name] = max(self.counts[name], count)
            elif name != "shortest_plus_1":
                self.counts[name] += count
            elif count:
                self._shortest(count - 1)
        for mine, theirs in zip(self.inserts, inserts, strict=True):
            mine[:] = [one + other for one, other in zip(mine, theirs, strict=True)]
        self.mapq = [one + other for one, other in zip(self.mapq, mapq, strict=True)]

    def _shortest(self, bases: int) -> None:
        known = self.counts["shortest_plus_1"]
        self.counts["shortest_plus_1"] = min(known or bases + 1, bases + 1)

    def _read(self, record: Record) -> None:
        counts, seq = self.counts, record.seq
        counts["reads"] += 1
        counts["bases"] += len(seq)
        upper = seq.translate(COUNTED_AS)
        counts["gc"] += upper.count(b"G") + upper.count(b"C")
        counts["n"] += upper.count(b"N")
        counts["mapped_reads"] += not record.flag & UNMAPPED
        counts["duplicate_reads"] += bool(record.flag & DUPLICATE)
        counts["length_max"] = max(counts["length_max"], len(seq))
        self._shortest(len(seq))
        if qual := record.qual:
            counts["qualities"] += len(qual)
            counts["quality_sum"] += sum(qual) - 33 * len(qual)
            counts["q20"] += len(qual.translate(None, Q20))
            counts["q30"] += len(qual.translate(None, Q30))

    def _statistics(self, record: Record, quality: int) -> None:
        counts, flag, bases = self.counts, record.flag, len(record.seq)
        if flag & SECONDARY:
            counts["secondary"] += 1
            return
        if not bases:
            return
        original = not flag & SUPPLEMENTARY
        longest = bases + sum(packed >> 4 for packed in record.cigar if packed & 15 == 5)
        counts["longest"] = max(counts["longest"], longest)
        ordinal = {FIRST: "first", LAST: "last"}.get(flag & (FIRST | LAST), "other")
        if not flag & PAIRED:
            ordinal = "first"
        if ordinal != "other":
            counts["longest_" + ordinal] = max(counts["longest_" + ordinal], longest)
        if original:
            counts[ordinal] += 1
            counts["total_bases"] += bases
            counts["unscored_bases"] += 0 if record.qual else bases
            if ordinal != "other":
                counts[ordinal + "_bases"] += bases
                counts["ordered_quality"] += quality
            counts["paired"] += bool(flag & PAIRED)
            counts["failed"] += bool(flag & FAILED)
        else:
            counts["supplementary"] += 1
        if flag & DUPLICATE:
            counts["duplicates"] += 1
            counts["duplicate_bases"] += bases
        if flag & UNMAPPED:
            counts["unmapped"] += original
            return
        self.mapq[record.mapq] += original
        self._mapped(record, original=original)

    def _mapped(self, record: Record, *, original: bool) -> None:
        counts, flag, bases = self.counts, record.flag, len(record.seq)
        if original:
            counts["mapped_bases"] += bases
            counts["mq0"] += record.mapq == 0
            if flag & PAIRED and not flag & MATE_UNMAPPED:
                counts["pair_mapped"] += 1
                counts["proper"] += bool(flag & PROPER)
                counts["apart"] += record.ref != record.next_ref
                self._insert(record)
            else:
                counts["single_mapped"] += 1
        number = record.tags[b"NM"].value if b"NM" in record.tags else 0
        counts["mismatches"] += number if isinstance(number, int) and number > 0 else 0
        counts["aligned_bases"] += sum(
            packed >> 4
            for packed in record.cigar
            if ALIGNED[packed & 15] or packed & 15 == INSERTED
        )

    def _insert(self, record: Record) -> None:
        size = min(abs(record.length), INSERT_MAX - 1)
        if not size and record.ref != record.next_ref:
            return
        flag = record.flag
        if bool(flag & REVERSE) == bool(flag & MATE_REVERSE):
            kind = 2
        else:
            ahead = record.next_pos - record.pos
            is_first, is_forward = bool(flag & FIRST), not flag & REVERSE
            before = (ahead if is_first else -ahead) > 0
            kind = 0 if before == (is_first == is_forward) else 1
        self.inserts[kind][size] += 1

    def metrics(self) -> FileMetrics:
        """What the events carry."""
        counts = self.counts
        shortest = counts["shortest_plus_1"]
        return FileMetrics(
            read_length_min=_small(shortest - 1) if shortest else None,
            read_length_max=_small(counts["length_max"]) if shortest else None,
            gc_fraction=share(counts["gc"], counts["bases"] - counts["n"]),
            n_fraction=share(counts["n"], counts["bases"]),
            q20_fraction=share(counts["q20"], counts["qualities"]),
            q30_fraction=share(counts["q30"], counts["qualities"]),
            quality_mean=share(counts["quality_sum"], counts["qualities"]),
            mapped_fraction=share(counts["mapped_reads"], counts["reads"]),
            duplicate_fraction=(
                share(counts["duplicate_reads"], counts["reads"])
                if counts["duplicate_reads"]
                else None
            ),
        )

    def details(self) -> dict[str, Any]:
        """The summary numbers under the names of `samtools stats`, and the lab's own."""
        counts = self.counts
        sequences = counts["first"] + counts["last"] + counts["other"]
        mean, deviation, kinds = self._inserts()
        return {
            "total_reads": counts["reads"],
            "gc_content": share(100 * counts["gc"], counts["bases"] - counts["n"]),
            "mean_quality": share(counts["quality_sum"], counts["qualities"]),
            "raw total sequences": sequences,
            "sequences": sequences,
            "1st fragments": counts["first"],
            "last fragments": counts["last"],
            "reads mapped": counts["pair_mapped"] + counts["single_mapped"],
            "reads mapped and paired": counts["pair_mapped"],
            "reads unmapped": counts["unmapped"],
            "reads properly paired": counts["proper"],
            "reads paired": counts["paired"],
            "average first fragment length": share(counts["first_bases"], counts["first"]),
            "average last fragment length": share(counts["last_bases"], counts["last"]),
            "reads duplicated": counts["duplicates"],
            "reads MQ0": counts["mq0"],
            "reads QC failed": counts["failed"],
            "non-primary alignments": counts["secondary"],
            "supplementary alignments": counts["supplementary"],
            "total length": counts["total_bases"],
            "total first fragment length": counts["first_bases"],
            "total last fragment length": counts["last_bases"],
            "bases mapped": counts["mapped_bases"],
            "bases mapped (cigar)": counts["aligned_bases"],
            "bases duplicated": counts["duplicate_bases"],
            "mismatches": counts["mismatches"],
            "error rate": share(counts["mismatches"], counts["aligned_bases"]),
            "average length": share(counts["total_bases"], sequences),
            "maximum length": counts["longest"],
            "maximum first fragment length": counts["longest_first"],
            "maximum last fragment length": counts["longest_last"],
            # Of reads that are neither first nor last the tool counts the bases alone.
            "average quality": share(
                counts["ordered_quality"], counts["total_bases"] - counts["unscored_bases"]
            ),
            "insert size average": mean,
            "insert size standard deviation": deviation,
            "insert size distribution": self._insert_sizes(),
            "inward oriented pairs": kinds[0],
            "outward oriented pairs": kinds[1],
            "pairs with other orientation": kinds[2],
            "pairs on different chromosomes": counts["apart"] // 2,
            "percentage of properly paired reads (%)": (
                100 * counts["proper"] / sequences if sequences else None
            ),
            "mapping quality histogram": {
                str(mapq): count for mapq, count in enumerate(self.mapq) if count
            },
        }

    def _insert_sizes(self) -> list[tuple[int, int, int]]:
        """From, to and count of the bulk; what is longer than the tool counts is no size."""
        sizes = [sum(n // 2 for n in counts) for counts in zip(*self.inserts, strict=True)]
        rest = BULK * sum(sizes)
        found: dict[int, int] = {}
        for size, count in enumerate(sizes):
            if count and size:
                found[size] = count
            rest -= count
            if rest < 0:
                break
        return lengths_of(found)

    def _inserts(self) -> tuple[float | None, float | None, list[int]]:
        """Mean and deviation of the bulk, and the pairs by how their reads lie."""
        halves = [[count // 2 for count in one] for one in self.inserts]  # each pair came twice
        kinds = [sum(one) for one in halves]
        sizes = [sum(counts) for counts in zip(*halves, strict=True)]
        pairs = sum(sizes)
        if not pairs:
            return None, None, kinds
        bulk = total = end = 0
        for size, count in enumerate(sizes):
            bulk += count
            total += size * count
            if count:
                end = size + 1
            if bulk / pairs > BULK:
                pairs, end = bulk, size + 1
                break
        mean = total / pairs
        variance = sum(sizes[size] * (size - mean) ** 2 for size in range(1, end)) / pairs
        return mean, variance**0.5, kinds
