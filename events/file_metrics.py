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
    depth_mean: Number | None = Field(
        None, description="reads over a base of the reference, mates that overlap counted once"
    )
    breadth_1x: Fraction | None = Field(None, description="of its bases, those read at least once")
    breadth_10x: Fraction | None = Field(None, description="of its bases, those 10 deep or more")
    breadth_20x: Fraction | None = Field(None, description="of its bases, those 20 deep or more")
    breadth_30x: Fraction | None = Field(None, description="of its bases, those 30 deep or more")
    breadth_100x: Fraction | None = Field(None, description="of its bases, those 100 deep or more")
    target_depth_mean: Number | None = Field(None, description="the depth of the targets")
    target_breadth_1x: Fraction | None = Field(None, description="the breadth of the targets at 1")
    target_breadth_10x: Fraction | None = Field(None, description="the same at 10 reads")
    target_breadth_20x: Fraction | None = Field(None, description="the same at 20 reads")
    target_breadth_30x: Fraction | None = Field(None, description="the same at 30 reads")
    target_breadth_100x: Fraction | None = Field(None, description="the same at 100 reads")
    x_ratio: Number | None = Field(None, description="the depth of chrX over that of the autosomes")
    y_ratio: Number | None = Field(None, description="the depth of chrY over that of the autosomes")
    variants: Count | None = Field(None, description="records of a VCF")
