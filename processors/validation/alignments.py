"""BAM and CRAM: the stored blocks by their checksums, header and records by htslib."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import IO, Any

from genoflow.events.file_metrics import FileMetrics
from genoflow.processors.validation.builds import build_of, compare_builds
from genoflow.processors.validation.port import Expected, Fault, Measured
from genoflow.processors.validation.sums import QUALITIES, Sums, share

BATCH_RECORDS = 10_000  # of 150 bases: 3 MB of letters at once
# SAM_FLAG and SAM_QUAL of htslib. Without the bases a CRAM needs no reference, so nothing is
# looked up over the network; they are not decoded, but their blocks are held to their checksums.
CRAM_FIELDS = 0x2 | 0x400
NOT_PRIMARY = 0x900  # secondary or supplementary: another line about a read that was counted
UNMAPPED = 0x4
DUPLICATE = 0x400
LETTERS = bytes(min(score + 33, 255) for score in range(256))  # as SAM writes scores
# What htslib and its wrapper raise of bytes that they cannot take.
UNREADABLE = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    NotImplementedError,
    AssertionError,
)


def read_alignments(file: IO[bytes], form: str, expected: Expected) -> Measured:
    """Header and records of a whole file; Fault where one is none, or not of what was ordered."""
    import pysam  # noqa: PLC0415 -- takes 0.2 s, and only the process that reads bytes needs it

    pysam.set_verbosity(0)  # what it has to say comes back as an error
    options = [f"required_fields={CRAM_FIELDS}"] if form == "CRAM" else None
    try:
        opened = pysam.AlignmentFile(file, "rb", check_sq=False, format_options=options)
        header = opened.header.to_dict()
        reference = _compare(header, expected)
    except UNREADABLE as error:
        raise Fault("unreadable", f"its {form} header cannot be read: {error}", 0) from error
    with opened:
        sums = _Alignments(with_bases=form == "BAM")
        records = _records(opened, sums)
        while batch := list(islice(records, BATCH_RECORDS)):
            begun = sums.records - len(batch) + 1
            try:
                sums.take(batch)
            except UNREADABLE as error:
                said = f"one of the records {begun} to {sums.records} cannot be read: {error}"
                raise Fault("malformed record", said, at_record=begun) from error
    if sums.records == 0:
        raise Fault("empty", "it holds no reads")
    return sums.measured(form, reference)


def _records(opened: Any, sums: _Alignments) -> Iterator[Any]:
    found = iter(opened.fetch(until_eof=True))
    while True:
        try:
            record = next(found, None)
        except UNREADABLE as error:
            number = sums.records + 1
            said = f"record {number} cannot be read: {error}"
            raise Fault("malformed record", said, at_record=number) from error
        if record is None:
            return
        sums.records += 1
        yield record


def _compare(header: dict[str, Any], expected: Expected) -> str | None:
    sequences: list[dict[str, Any]] = header.get("SQ", [])
    contigs = {str(sq.get("SN", "")): int(sq.get("LN", 0)) for sq in sequences}
    named = dict.fromkeys(str(sq["AS"]) for sq in sequences if "AS" in sq)
    found = build_of(contigs, named)
    compare_builds(found, expected.references)
    samples = dict.fromkeys(str(group["SM"]) for group in header.get("RG", []) if "SM" in group)
    compare_samples(tuple(samples), expected)
    return found


def compare_samples(named: tuple[str, ...], expected: Expected, *, alone: bool = True) -> None:
    """Fault where a header names samples, and this is not among them, or (`alone`) others are."""
    sample = expected.sample_id
    if sample is None or not named:
        return
    if sample not in named or (alone and len(named) > 1):
        few = ", ".join(name[:100] for name in named[:5])
        raise Fault("wrong sample", f"its header names {few}, and it was sent for {sample}")


class _Alignments:
    def __init__(self, *, with_bases: bool) -> None:
        self.records = 0
        self._with_bases = with_bases
        self._sums = Sums()
        self._mapped = self._duplicates = 0

    def take(self, records: list[Any]) -> None:
        """Count those that are the one line of their read."""
        primary = [record for record in records if not record.flag & NOT_PRIMARY]
        flags = [record.flag for record in primary]
        self._mapped += sum(not flag & UNMAPPED for flag in flags)
        self._duplicates += sum(bool(flag & DUPLICATE) for flag in flags)
        lengths = [record.query_length for record in primary]
        bases = ""
        if self._with_bases:
            bases = "".join([record.query_sequence or "" for record in primary])
        # Not as pysam's text: of a read of one base it changes the byte that Python shares.
        scores = b"".join([bytes(record.query_qualities or b"") for record in primary])
        qualities = scores.translate(LETTERS)
        if qualities.translate(None, QUALITIES):
            raise ValueError("a quality is above 93")
        self._sums.take(lengths, bases.encode("ascii"), qualities)

    def measured(self, form: str, reference: str | None) -> Measured:
        """The sums; repeated reads are those that a tool has marked, and unknown without a mark."""
        reads = self._sums.reads
        metrics = FileMetrics(
            **self._sums.metrics(),
            mapped_fraction=share(self._mapped, reads),
            duplicate_fraction=share(self._duplicates, reads) if self._duplicates else None,
        )
        return Measured(form, metrics, reads, self._sums.bases, reference=reference)
