"""What a sample may enter as: the files that it then has, and what can be told of their reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from genoflow.processors.qc_metrics import READS_UNITS

# The material that a file of each role is, or belongs to. OTHER is of none.
MATERIAL_OF: Mapping[str, str] = {
    "R1": "FASTQ", "R2": "FASTQ", "I1": "FASTQ", "I2": "FASTQ", "BAM": "BAM", "BAI": "BAM",
    "CRAM": "CRAM", "CRAI": "CRAM", "VCF": "VCF", "TBI": "VCF",
}  # fmt: skip
# Reads lose their adapters and tails, or hide them, once they are aligned.
_OF_RAW_READS = frozenset({"adapter_fraction", "poly_g_fraction"})
# What validation cannot tell of a material, however it was made. It reads no bases of a CRAM, for
# which it would need the reference.
CANNOT_TELL: Mapping[str, frozenset[str]] = {
    "FASTQ": frozenset({"mapped_fraction", "variants"}),
    "BAM": _OF_RAW_READS | {"variants"},
    "CRAM": _OF_RAW_READS | {"variants", "gc_fraction", "n_fraction"},
    "VCF": frozenset(READS_UNITS) - {"variants"},
}


def materials_of(roles: Iterable[str]) -> list[str]:
    """What these files are, each material once."""
    return sorted({MATERIAL_OF[role] for role in roles if role in MATERIAL_OF})
