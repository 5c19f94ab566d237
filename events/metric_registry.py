"""Every metric: its unit, of what it is a part, and the tool whose number it is.

docs/metrics.md is written from this table, and a test looks up in it whatever is told of a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Tool(NamedTuple):
    """A program that tells the same number, and how it is called for it."""

    name: str
    version: str
    call: str


FASTQC = Tool("FastQC", "0.11.9", "fastqc --extract --nogroup FILE")
SAMTOOLS = Tool("samtools", "1.24", "samtools stats FILE")
MOSDEPTH = Tool("mosdepth", "0.3.3", "mosdepth --thresholds 1,10,20,30,100 --by BED OUT FILE")
BCFTOOLS = Tool("bcftools", "1.24", "bcftools stats -s - FILE")
MPILEUP = Tool("bcftools mpileup", "1.24", "bcftools mpileup -B -q 20 -Q 20 -a AD -f FASTA FILE")
PIPELINE = Tool("genoflow/germline", "", "")
PANEL, TRIO, RNASEQ = (Tool(f"genoflow/{name}", "", "") for name in ("panel", "trio", "rnaseq"))

ALIGNED = ("BAM", "CRAM")
OF_READS = ("FASTQ", "BAM", "CRAM")
CALLED = ("VCF", "BCF")
RUN, RESULTS = ("run",), ("results",)  # of a sequencing run, and of what a pipeline made


class Metric(NamedTuple):
    """One number that is told of a file, of reads, of a run or of results."""

    name: str
    unit: str
    denominator: str  # of what it is a part, or over what it is a mean; a count has none
    of: tuple[str, ...]
    tool: Tool | None = None  # none: no tool of those that are compared with tells it
    exact: str = "equal"  # how far it may be from that of the tool
    unknown: str = "is not told of what these files hold"  # why it may be null


NOT_ALIGNED = "is told of alignments in the order of their places"
NO_TARGETS = "is told of such alignments where targets were given"
NO_CHROMOSOMES = "is told of such alignments with autosomes, chrX and chrY by these names"
NO_VARIANTS = "is told of variants"
NO_PANEL = "is told of a BAM with its index where the reference has a panel of common variants"
NO_RESULTS = "is told of the results of a run"
OF_MIXTURES = "equal counts; the share within 0.01 of a mixture of 0, 3 or 10 %"
ROUNDED = "equal where the tool prints so many digits"
BASES, READS, REFERENCE = "bases", "reads", "bases of the reference"
TARGET_BASES = "bases of the targets, each once"

# What files of a sample are judged by.
JUDGED: tuple[Metric, ...] = (
    Metric("reads", "reads", "", OF_READS, SAMTOOLS),
    Metric("bases", "bases", "", OF_READS, SAMTOOLS),
    Metric("mean_coverage", "x", "bases of the genome or the targets", OF_READS,
           unknown="is told where an order names the genome or the targets"),
    Metric("read_length_min", "bases", "", OF_READS, FASTQC),
    Metric("read_length_max", "bases", "", OF_READS, FASTQC),
    Metric("gc_fraction", "fraction", "bases that are called", OF_READS, FASTQC, ROUNDED),
    Metric("n_fraction", "fraction", BASES, OF_READS, FASTQC, ROUNDED),
    Metric("q20_fraction", "fraction", "bases with a quality", OF_READS),
    Metric("q30_fraction", "fraction", "bases with a quality", OF_READS),
    Metric("quality_mean", "base quality", "bases with a quality", OF_READS, SAMTOOLS, ROUNDED),
    Metric("adapter_fraction", "fraction", READS, ("FASTQ",), FASTQC, ROUNDED),
    Metric("poly_g_fraction", "fraction", READS, ("FASTQ",)),
    Metric("duplicate_fraction", "fraction", READS, OF_READS, FASTQC,
           "equal for FASTQ; of alignments the reads that are marked"),
    Metric("mapped_fraction", "fraction", READS, ALIGNED, SAMTOOLS,
           unknown="is told of alignments"),
    Metric("depth_mean", "x", REFERENCE, ALIGNED, MOSDEPTH, unknown=NOT_ALIGNED),
    *(Metric(f"breadth_{n}x", "fraction", REFERENCE, ALIGNED, MOSDEPTH, unknown=NOT_ALIGNED)
      for n in (1, 10, 20, 30, 100)),
    Metric("target_depth_mean", "x", TARGET_BASES, ALIGNED, MOSDEPTH, unknown=NO_TARGETS),
    *(Metric(f"target_breadth_{n}x", "fraction", TARGET_BASES, ALIGNED, MOSDEPTH,
             unknown=NO_TARGETS) for n in (1, 10, 20, 30, 100)),
    Metric("x_ratio", "ratio", "depth of the autosomes", ALIGNED, MOSDEPTH, unknown=NO_CHROMOSOMES),
    Metric("y_ratio", "ratio", "depth of the autosomes", ALIGNED, MOSDEPTH, unknown=NO_CHROMOSOMES),
    Metric("contamination", "fraction", READS, ("BAM",), MPILEUP, OF_MIXTURES, NO_PANEL),
    Metric("variants", "variants", "", CALLED, BCFTOOLS, unknown=NO_VARIANTS),
)  # fmt: skip
# What a sequencing run is judged by.
OF_RUNS: tuple[Metric, ...] = (
    Metric("reads_total", "reads", "", RUN),
    Metric("bases_total", "bases", "", RUN),
    Metric("undetermined_fraction", "fraction", READS, RUN),
    Metric("q30_fraction", "fraction", BASES, RUN),
    Metric("perfect_index_fraction", "fraction", "reads of a sample", RUN),
    Metric("samples_without_reads", "samples", "", RUN),
)
# What our pipelines tell of results; another pipeline may tell others.
OF_RESULTS: tuple[Metric, ...] = (
    Metric("mean_coverage", "x", REFERENCE, RESULTS, PIPELINE),
    Metric("breadth_10x", "fraction", REFERENCE, RESULTS, PIPELINE),
    Metric("mapped_fraction", "fraction", READS, RESULTS, PIPELINE),
    Metric("duplicate_fraction", "fraction", READS, RESULTS, PIPELINE),
    Metric("sex", "ratio", "depth of the autosomes", RESULTS, PIPELINE),
    Metric("contamination", "fraction", READS, RESULTS, PIPELINE, unknown=NO_RESULTS),
    Metric("relatedness", "fraction", "places where both are homozygous", RESULTS, PIPELINE),
    Metric("concordance", "fraction", "places where one is homozygous", RESULTS, PIPELINE),
    Metric("quality_mean", "base quality", "bases with a quality", RESULTS, PIPELINE),
    Metric("mismatch_fraction", "fraction", "bases mapped (cigar)", RESULTS, PIPELINE),
    Metric("insert_size_mean", "bases", "the shortest 99 % of the pairs", RESULTS, PIPELINE),
    Metric("on_target_fraction", "fraction", "bases mapped", RESULTS, PANEL),
    Metric("targets_covered_fraction", "fraction", "targets", RESULTS, PANEL),
    Metric("variants", "variants", "", RESULTS, PIPELINE),
    Metric("somatic_variants", "variants", "", RESULTS, PIPELINE),
    Metric("mendelian_errors", "variants", "", RESULTS, TRIO),
    Metric("mendelian_error_fraction", "fraction", "variants", RESULTS, TRIO),
    Metric("de_novo_variants", "variants", "", RESULTS, TRIO),
    Metric("ti_tv", "ratio", "transversions", RESULTS, PIPELINE),
    Metric("assigned_fraction", "fraction", "fragments", RESULTS, RNASEQ),
    Metric("genes_detected", "genes", "", RESULTS, RNASEQ),
)
# The names of the REST contract, in its units.
OF_CONTRACT: tuple[Metric, ...] = (
    Metric("total_reads", "reads", "", OF_READS, FASTQC),
    Metric("gc_content", "percent", "bases that are called", OF_READS, FASTQC, ROUNDED),
    Metric("mean_quality", "base quality", "bases with a quality", OF_READS, SAMTOOLS, ROUNDED),
    Metric("contamination_rate", "fraction", READS, RESULTS, PIPELINE, unknown=NO_PANEL),
    Metric("coverage_mean", "x", REFERENCE, ALIGNED, MOSDEPTH, unknown=NOT_ALIGNED),
    Metric("total_variants", "variants", "", CALLED, BCFTOOLS, unknown=NO_VARIANTS),
    Metric("novel_variants", "variants", "", CALLED, unknown=NO_VARIANTS),
)
# What has a command of its own: it needs an index, and a panel of common variants.
OF_COMMANDS: tuple[Metric, ...] = (
    Metric("contamination_rate", "fraction", READS, ("BAM",), MPILEUP, OF_MIXTURES,
           "its interval of 95 % is wider than 0.05"),
)  # fmt: skip
_FASTQ_ALONE: tuple[tuple[str, str, str], ...] = (
    ("total_bases", "bases", ""),
    ("q20_rate", "fraction", BASES),
    ("q30_rate", "fraction", BASES),
    ("sequence_length_distribution", "reads", ""),
    ("positions_counted", "places", ""),
    ("per_base_quality", "base quality", "reads that have this place"),
    ("per_sequence_quality_scores", "reads", ""),
    ("per_base_sequence_content", "percent", "bases called at this place"),
    ("per_sequence_gc_content", "reads", ""),
    ("per_base_n_content", "percent", "bases at this place"),
    ("adapter_content", "percent", READS),
    ("overrepresented_sequences", "percent", READS),
    ("sequence_duplication_levels", "percent", "reads, and kinds of them"),
    ("total_deduplicated_percentage", "percent", READS),
)
_OF_STATS: tuple[tuple[str, str, str], ...] = (
    *((name, "reads", "") for name in (
        "raw total sequences", "sequences", "1st fragments", "last fragments", "reads mapped",
        "reads mapped and paired", "reads unmapped", "reads properly paired", "reads paired",
        "reads duplicated", "reads MQ0", "reads QC failed", "non-primary alignments",
        "supplementary alignments",
    )),
    *((name, "bases", "") for name in (
        "total length", "total first fragment length", "total last fragment length",
        "bases mapped", "bases mapped (cigar)", "bases duplicated", "mismatches",
        "maximum length", "maximum first fragment length", "maximum last fragment length",
    )),
    *((name, "bases", "reads") for name in (
        "average length", "average first fragment length", "average last fragment length",
    )),
    ("error rate", "fraction", "bases mapped (cigar)"),
    ("average quality", "base quality", "bases with a quality"),
    ("insert size average", "bases", "the shortest 99 % of the pairs"),
    ("insert size standard deviation", "bases", "the same pairs"),
    *((name, "pairs", "") for name in (
        "inward oriented pairs", "outward oriented pairs", "pairs with other orientation",
        "pairs on different chromosomes", "insert size distribution",
    )),
    ("percentage of properly paired reads (%)", "percent", "sequences"),
    ("mapping quality histogram", "reads", ""),
)  # fmt: skip
_OF_VARIANTS: tuple[tuple[str, str, str], ...] = (
    *((name, "variants", "") for name in (
        "records", "no_alts", "snps", "mnps", "indels", "others", "multiallelic_sites",
        "multiallelic_snp_sites",
    )),
    ("ts", "alleles", ""),
    ("tv", "alleles", ""),
    ("ts_tv", "ratio", "transversions"),
    ("het_hom", "ratio", "homozygous for the variant"),
    ("samples", "genotypes", ""),
)  # fmt: skip
# What `genoflow validate --json` tells besides.
DETAILS: tuple[Metric, ...] = (
    *(Metric(*one, ("FASTQ",), FASTQC, ROUNDED) for one in _FASTQ_ALONE),
    *(Metric(*one, ("BAM",), SAMTOOLS, ROUNDED) for one in _OF_STATS),
    Metric("depth_by_sequence", "x", "bases of the sequence", ALIGNED, MOSDEPTH),
    Metric("targets", "x", "bases of the region", ALIGNED, MOSDEPTH),
    Metric("sex", "female, male", "", ALIGNED, unknown=NO_CHROMOSOMES),
    *(Metric(name, name, "", ("CRAM",)) for name in ("records", "containers", "slices")),
    *(Metric(*one, CALLED, BCFTOOLS, ROUNDED) for one in _OF_VARIANTS),
)
METRICS: Mapping[str, tuple[Metric, ...]] = {
    "judged": JUDGED,
    "contract": OF_CONTRACT,
    "commands": OF_COMMANDS,
    "runs": OF_RUNS,
    "results": OF_RESULTS,
    "details": DETAILS,
}


def units_of(metrics: tuple[Metric, ...]) -> dict[str, str]:
    """By name, in the order of the table."""
    return {one.name: one.unit for one in metrics}


def why_unknown(name: str) -> str:
    """Why a metric of the contract, or one that files are judged by, may be null."""
    found = [one for table in (OF_CONTRACT, JUDGED, OF_RESULTS) for one in table]
    default = Metric._field_defaults["unknown"]
    return next((one.unknown for one in found if one.name == name), str(default))
