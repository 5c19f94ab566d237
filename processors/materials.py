"""What a sample may enter as: the files that it then has, and what can be told of their reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from genoflow.events.measured import Measured
from genoflow.events.metric_names import READS_UNITS
from genoflow.events.metric_registry import ALIGNED, JUDGED
from genoflow.events.threshold import Threshold

# The material that a file of each role is, or belongs to. OTHER is of none.
MATERIAL_OF: Mapping[str, str] = {
    "R1": "FASTQ", "R2": "FASTQ", "I1": "FASTQ", "I2": "FASTQ", "BAM": "BAM", "BAI": "BAM",
    "CRAM": "CRAM", "CRAI": "CRAM", "VCF": "VCF", "TBI": "VCF",
}  # fmt: skip
# Reads lose their adapters and tails, or hide them, once they are aligned.
_OF_RAW_READS = frozenset({"adapter_fraction", "poly_g_fraction"})
# What validation cannot tell of a material, however it was made. It reads no bases of a CRAM, for
# which it would need the reference. Foreign reads are no matter of validation: where they cannot be
# told of a CRAM, a profile that requires them says so.
_OF_ALIGNMENTS = frozenset(one.name for one in JUDGED if {*one.of} <= {*ALIGNED})
CANNOT_TELL: Mapping[str, frozenset[str]] = {
    "FASTQ": _OF_ALIGNMENTS | {"variants"},
    "BAM": _OF_RAW_READS | {"variants"},
    "CRAM": _OF_RAW_READS | {"variants", "gc_fraction", "n_fraction"},
    "VCF": frozenset(READS_UNITS) - {"variants"},
}


def materials_of(roles: Iterable[str]) -> list[str]:
    """What these files are, each material once."""
    return sorted({MATERIAL_OF[role] for role in roles if role in MATERIAL_OF})


def split_by_material(
    thresholds: Sequence[Threshold], material: str, measured: Iterable[str]
) -> tuple[list[Threshold], list[Measured]]:
    """The thresholds that concern the material, and the other metrics, which nobody can judge."""
    beyond = CANNOT_TELL.get(material, frozenset()) - set(measured)
    fitting = [one for one in thresholds if one.metric not in beyond]
    others = [
        Measured(metric=one.metric, value=0.0, unit=one.unit, verdict="not judged")
        for one in thresholds
        if one.metric in beyond
    ]
    return fitting, others
