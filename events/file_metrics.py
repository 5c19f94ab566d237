"""What one pass over a file of reads or alignments measured."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Count, Fraction, Number, Part, Small


class FileMetrics(Part):
    """What was measured on the way through a file; a metric that does not apply to it is absent."""

    read_length_min: Small | None = Field(None, description="bases of the shortest read")
    read_length_max: Small | None = Field(None, description="bases of the longest read")
    gc_fraction: Fraction | None = Field(
        None, description="of the bases called, those that are G or C"
    )
    n_fraction: Fraction | None = Field(None, description="of all bases, those not called")
    q20_fraction: Fraction | None = Field(
        None, description="of all bases, those of quality 20 or more"
    )
    q30_fraction: Fraction | None = Field(
        None, description="of all bases, those of quality 30 or more"
    )
    quality_mean: Number | None = Field(None, description="mean Phred quality of a base")
    adapter_fraction: Fraction | None = Field(
        None, description="of the reads, those in which an adapter was seen"
    )
    poly_g_fraction: Fraction | None = Field(
        None, description="of the reads, those that end in a run of G"
    )
    duplicate_fraction: Fraction | None = Field(
        None, description="of the reads, an estimate of the repeated ones"
    )
    mapped_fraction: Fraction | None = Field(
        None, description="of the reads of an alignment, those that are placed"
    )
    variants: Count | None = Field(None, description="records of a VCF")
