"""What a profile requires of a material that enters under an assay, and of results."""

from __future__ import annotations

from collections.abc import Mapping

from genoflow.events.metric_names import READS_UNITS
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.threshold import Threshold
from genoflow.processors.materials import CANNOT_TELL

CUSTOM = "custom"  # a lab's own, or that of the assay, with what the question says beside it
SHIPPED = ("standard", "strict")  # of the package: no question changes them
RESULTS = "results"
# At which stages a material is judged when it enters.
STAGES_OF: Mapping[str, tuple[str, ...]] = {
    "FASTQ": ("reads",),
    "BAM": ("reads", "alignment"),
    "CRAM": ("reads", "alignment"),
    "VCF": ("variants",),
}
# What is measured at a stage, with its unit.
UNITS_AT: Mapping[str, Mapping[str, str]] = {
    "reads": {k: v for k, v in READS_UNITS.items() if k not in CANNOT_TELL["FASTQ"]},
    "alignment": {k: v for k, v in READS_UNITS.items() if k not in CANNOT_TELL["BAM"]},
    "variants": {k: v for k, v in READS_UNITS.items() if k not in CANNOT_TELL["VCF"]},
}


def required_of(profile: QcProfilePublished, assay: str, material: str) -> tuple[Threshold, ...]:
    """What the profile requires of this material when it enters, under this assay."""
    stages = STAGES_OF.get(material, ())
    return _with(profile.reads_thresholds, profile, assay, stages)


def required_of_results(
    profile: QcProfilePublished, assay: str, material: str
) -> tuple[Threshold, ...]:
    """What the profile requires of the results of a run that began with this material."""
    # A run that begins with variants sees no reads, so nothing of them can be owed there.
    stages = () if material == "VCF" else (RESULTS,)
    return _with(profile.results_thresholds, profile, assay, stages)


def _with(
    general: tuple[Threshold, ...], profile: QcProfilePublished, assay: str, stages: tuple[str, ...]
) -> tuple[Threshold, ...]:
    if not profile.assay_thresholds:
        return general  # as it was before an assay could have its own
    found = {one.metric: one for one in general}
    for stage in stages:
        for part in profile.assay_thresholds:
            if (part.assay, part.stage) == (assay, stage):
                found |= {one.metric: one for one in part.thresholds}
    return tuple(found.values())
