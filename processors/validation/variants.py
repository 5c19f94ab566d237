"""VCF and BCF: header and records by htslib."""

from __future__ import annotations

from typing import IO, Any

from genoflow.events.file_metrics import FileMetrics
from genoflow.processors.validation.alignments import UNREADABLE, compare_samples
from genoflow.processors.validation.builds import build_of, compare_builds, known_build
from genoflow.processors.validation.port import Expected, Fault, Measured


def read_variants(file: IO[bytes], form: str, expected: Expected) -> Measured:
    """Header and records of a whole file; none at all is legal, a sample may have no variant."""
    import pysam  # noqa: PLC0415 -- takes 0.2 s, and only the process that reads bytes needs it

    pysam.set_verbosity(0)
    try:
        opened = pysam.VariantFile(file, "r")
        reference = _compare(opened.header, expected)
    except UNREADABLE as error:
        raise Fault("unreadable", f"its {form} header cannot be read: {error}", 0) from error
    count = 0
    with opened:
        try:
            for _ in opened:
                count += 1
        except UNREADABLE as error:
            said = f"record {count + 1} cannot be read: {error}"
            raise Fault("malformed record", said, at_record=count + 1) from error
    return Measured(form, FileMetrics(variants=count), reference=reference)


def _compare(header: Any, expected: Expected) -> str | None:
    contigs = {name: contig.length or 0 for name, contig in header.contigs.items()}
    named: dict[str, None] = {}
    for record in header.records:
        if record.type == "CONTIG" and "assembly" in record:
            named[record["assembly"].strip('"')] = None
        elif record.key == "reference" and record.value:
            # A path on the machine of whoever made it: only a published name in it says anything.
            name = record.value.rpartition("/")[2]
            if known_build(name):
                named[name] = None
    found = build_of(contigs, named)
    compare_builds(found, expected.references)
    compare_samples(tuple(header.samples), expected, alone=False)
    return found
