"""What is drawn of a file: from the figures of one pass over it to plots, without any markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Metrics = Mapping[str, Any]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot: lines over a scale, bars over a scale or over names, or the bands of quartiles."""

    id: str
    title: str
    about: str  # one sentence on how it is read
    x: str
    y: str
    kind: Literal["lines", "bars", "bands"]
    series: Mapping[str, Sequence[Point]]
    labels: Sequence[str] = ()  # of the places 0, 1, 2, where they are names
    y_min: float = 0.0
    y_max: float | None = None
    marks: Sequence[float] = ()  # values of y that are looked for, drawn across


@dataclass(frozen=True, slots=True)
class Missing:
    """A plot that is expected of a format and cannot be drawn."""

    id: str
    title: str
    why: str


Drawn = Plot | Missing
Draw = Callable[[Metrics], Plot | None]
BANDS = ("percentile_10", "lower_quartile", "median", "upper_quartile", "percentile_90", "mean")
BREADTH = re.compile(r"(?P<target>target_)?breadth_(?P<depth>[0-9]{1,6})x")
QUALITY_TOP = 40.0  # axes of qualities reach at least so far, so that files can be compared
QUALITY_MARKS = (20.0, 30.0)  # 1 wrong base in 100, and in 1,000


def _places(values: Sequence[float]) -> list[Point]:
    return [(float(place), float(value)) for place, value in enumerate(values, start=1)]


def _named(counts: Mapping[str, float]) -> tuple[tuple[str, ...], list[Point]]:
    points = [(float(at), float(count)) for at, count in enumerate(counts.values())]
    return tuple(counts), points


# -- reads


def _base_quality(metrics: Metrics) -> Plot | None:
    rows = metrics.get("per_base_quality") or {}
    if not rows.get("mean"):
        return None
    return Plot(
        "per_base_quality", "Quality by place",
        "Half of the bases lie in the dark band, eight in ten in the light one.",
        "place in the read", "Phred quality", "bands",
        {name: _places(rows[name]) for name in BANDS if name in rows},
        y_max=max(QUALITY_TOP, *rows.get("percentile_90", rows["mean"])), marks=QUALITY_MARKS,
    )  # fmt: skip


def _sequence_quality(metrics: Metrics) -> Plot | None:
    counts = metrics.get("per_sequence_quality_scores")
    if not counts:
        return None
    points = sorted((float(quality), float(count)) for quality, count in counts.items())
    return Plot(
        "per_sequence_quality", "Quality of whole reads",
        "How many reads have which mean quality; a second hill on the left is a bad subset.",
        "mean quality of a read", "reads", "bars", {"reads": points},
    )  # fmt: skip


def _base_content(metrics: Metrics) -> Plot | None:
    shares = metrics.get("per_base_sequence_content") or {}
    if not any(shares.values()):
        return None
    return Plot(
        "per_base_content", "Bases by place",
        "In a random library the four lines run level.",
        "place in the read", "percent of the bases called", "lines",
        {base: _places(values) for base, values in shares.items()}, y_max=100.0,
    )  # fmt: skip


def _n_content(metrics: Metrics) -> Plot | None:
    values = metrics.get("per_base_n_content")
    if not values:
        return None
    return Plot(
        "per_base_n", "Bases not called, by place", "A peak is a cycle that went wrong.",
        "place in the read", "percent N", "lines", {"N": _places(values)},
        y_max=max(5.0, *values),
    )  # fmt: skip


def _gc(metrics: Metrics) -> Plot | None:
    counts = metrics.get("per_sequence_gc_content")
    if not counts or not any(counts):
        return None
    points = [(float(percent), float(count)) for percent, count in enumerate(counts)]
    return Plot(
        "gc_content", "G and C of reads",
        "One hill is expected; a second one is another organism, a peak one sequence.",
        "percent G and C", "reads", "lines", {"reads": points},
    )  # fmt: skip


def _lengths(metrics: Metrics) -> Plot | None:
    groups = metrics.get("sequence_length_distribution")
    if not groups:
        return None
    return Plot(
        "lengths", "Lengths", "How many reads have which length.", "bases", "reads", "bars",
        {"reads": [((first + last) / 2, float(count)) for first, last, count in groups]},
    )  # fmt: skip


def _duplication(metrics: Metrics) -> Plot | None:
    levels = metrics.get("sequence_duplication_levels")
    if not levels or not any(levels["percentage_of_total"]):
        return None
    return Plot(
        "duplication", "Copies",
        "By FastQC's estimate from the first 100,000 kinds of reads.",
        "how often a sequence comes", "percent", "lines",
        {"of all reads": _places(levels["percentage_of_total"]),
         "of what is left without copies": _places(levels["percentage_of_deduplicated"])},
        labels=("", *levels["level"]), y_max=100.0,
    )  # fmt: skip


def _adapters(metrics: Metrics) -> Plot | None:
    found = {name: values for name, values in (metrics.get("adapter_content") or {}).items()
             if values}  # fmt: skip
    if not found:
        return None
    return Plot(
        "adapters", "Adapters", "In how many reads each one has begun up to a place.",
        "place in the read", "percent of reads", "lines",
        {name: _places(values) for name, values in found.items()},
        y_max=max(5.0, *(values[-1] for values in found.values())),
    )  # fmt: skip


# -- alignments


def _mapping(metrics: Metrics) -> Plot | None:
    names = {
        "reads": "sequences", "mapped": "reads mapped", "unmapped": "reads unmapped",
        "in proper pairs": "reads properly paired", "duplicates": "reads duplicated",
        "mapping quality 0": "reads MQ0", "secondary": "non-primary alignments",
        "supplementary": "supplementary alignments", "failed QC": "reads QC failed",
    }  # fmt: skip
    counts = {name: metrics[key] for name, key in names.items() if metrics.get(key) is not None}
    if not counts:
        return None
    labels, points = _named(counts)
    return Plot(
        "mapping", "Where reads came to lie", "Counted as `samtools stats` counts.",
        "", "alignments", "bars", {"alignments": points}, labels,
    )  # fmt: skip


def _mapping_quality(metrics: Metrics) -> Plot | None:
    counts = metrics.get("mapping quality histogram")
    if not counts:
        return None
    points = sorted((float(quality), float(count)) for quality, count in counts.items())
    return Plot(
        "mapping_quality", "Mapping quality", "How sure the aligner was of the place.",
        "mapping quality", "reads", "bars", {"reads": points},
    )  # fmt: skip


def _inserts(metrics: Metrics) -> Plot | None:
    groups = metrics.get("insert size distribution")
    if not groups:
        return None
    return Plot(
        "insert_sizes", "Insert sizes", "Of 99 % of the pairs; the longest ones are left out.",
        "bases", "pairs", "bars",
        {"pairs": [((first + last) / 2, float(count)) for first, last, count in groups]},
    )  # fmt: skip


def _breadth(metrics: Metrics) -> Plot | None:
    """Breadth by depth, whichever depths there are: names such as breadth_10x."""
    found: dict[str, dict[int, float]] = {}
    for name, value in metrics.items():
        named = BREADTH.fullmatch(name)
        if named is not None and isinstance(value, int | float):
            of = "targets" if named["target"] else "reference"
            found.setdefault(of, {})[int(named["depth"])] = 100.0 * value
    if not found:
        return None
    depths = sorted({depth for values in found.values() for depth in values})
    series = {
        of: [(float(at), values[depth]) for at, depth in enumerate(depths) if depth in values]
        for of, values in found.items()
    }
    return Plot(
        "coverage", "Breadth of coverage", "How much is covered at least so often.",
        "reads over a base, at least", "percent of the bases", "lines", series,
        [f"{depth}x" for depth in depths], y_max=100.0,
    )  # fmt: skip


def _depth(metrics: Metrics) -> Plot | None:
    depths = metrics.get("depth_by_sequence")
    if not depths:
        return None
    labels, points = _named(depths)
    return Plot(
        "depth", "Depth by sequence", "The mean over each sequence of the header, in its order.",
        "", "reads over a base", "bars", {"mean depth": points}, labels,
    )  # fmt: skip


# -- variants


def _variant_kinds(metrics: Metrics) -> Plot | None:
    names = {"SNPs": "snps", "indels": "indels", "MNPs": "mnps", "others": "others",
             "multiallelic": "multiallelic_sites", "no alternative": "no_alts"}  # fmt: skip
    counts = {name: metrics[key] for name, key in names.items() if key in metrics}
    if not counts:
        return None
    labels, points = _named(counts)
    return Plot(
        "variant_kinds", "Kinds of variants", "A record of several kinds counts for each.",
        "", "records", "bars", {"records": points}, labels,
    )  # fmt: skip


def _ti_tv(metrics: Metrics) -> Plot | None:
    if not (metrics.get("ts") or metrics.get("tv")):
        return None
    labels, points = _named({"transitions": metrics["ts"], "transversions": metrics["tv"]})
    ratio = metrics.get("ts_tv")
    said = "there are no transversions" if ratio is None else f"the ratio (Ti/Tv) is {ratio:.3f}"
    return Plot(
        "ti_tv", "Transitions and transversions",
        f"Of the SNPs, {said}; about 2.0 to 2.1 in whole genomes, 3.0 in exons.",
        "", "alleles", "bars", {"alleles": points}, labels,
    )  # fmt: skip


def _genotypes(metrics: Metrics) -> Plot | None:
    samples = metrics.get("samples")
    if not isinstance(samples, Mapping) or len(samples) != 1:
        return None
    [counts] = samples.values()
    names = {"hom_ref": "like the reference", "het": "heterozygous", "hom_alt": "homozygous",
             "missing": "missing"}  # fmt: skip
    labels, points = _named({said: counts.get(name, 0) for name, said in names.items()})
    return Plot(
        "genotypes", "Genotypes", "Of records with SNPs or without alternatives, and missing ones.",
        "", "records", "bars", {"records": points}, labels,
    )  # fmt: skip


# -- which are drawn

NO_READS = "the file holds no reads"
NO_PAIRS = "no pair of reads lies on one sequence"
NO_COVERAGE = "the depth of coverage was not measured of this file"
ALIGNED_PLACES = "places are counted of reads as they come from the instrument, in FASTQ"
Rows = tuple[tuple[str, str, Draw | None, str], ...]  # id, title, how it is drawn, why it is not
OF_READS: Rows = (
    ("per_base_quality", "Quality by place", _base_quality, NO_READS),
    ("per_sequence_quality", "Quality of whole reads", _sequence_quality, NO_READS),
    ("per_base_content", "Bases by place", _base_content, NO_READS),
    ("per_base_n", "Bases not called, by place", _n_content, NO_READS),
    ("gc_content", "G and C of reads", _gc, NO_READS),
    ("lengths", "Lengths", _lengths, NO_READS),
    ("duplication", "Copies", _duplication, NO_READS),
    ("adapters", "Adapters", _adapters, "its reads are shorter than an adapter"),
)  # fmt: skip
OF_ALIGNMENTS: Rows = (
    ("mapping", "Where reads came to lie", _mapping, "the figures of this format hold no flags"),
    ("mapping_quality", "Mapping quality", _mapping_quality, "no read of it is placed"),
    ("insert_sizes", "Insert sizes", _inserts, NO_PAIRS),
    ("coverage", "Breadth of coverage", _breadth, NO_COVERAGE),
    ("depth", "Depth by sequence", _depth, NO_COVERAGE),
    ("per_base_quality", "Quality by place", None, ALIGNED_PLACES),
)  # fmt: skip
OF_VARIANTS: Rows = (
    ("variant_kinds", "Kinds of variants", _variant_kinds, "it holds no records"),
    ("ti_tv", "Transitions and transversions", _ti_tv, "it holds no SNPs"),
    ("genotypes", "Genotypes", _genotypes, "drawn of files with one sample; see the table"),
)  # fmt: skip
ROWS: Mapping[str, Rows] = {
    "FASTQ": OF_READS, "SAM": OF_ALIGNMENTS, "BAM": OF_ALIGNMENTS, "CRAM": OF_ALIGNMENTS,
    "VCF": OF_VARIANTS, "BCF": OF_VARIANTS,
}  # fmt: skip


def drawn(form: str | None, metrics: Metrics) -> Iterator[Drawn]:
    """Every plot that is expected of the format, or why it is not there."""
    for name, title, draw, why in ROWS.get(form or "", ()):
        if not metrics:
            yield Missing(name, title, "the file could not be read to its end")
            continue
        plot = draw(metrics) if draw is not None else None
        yield plot if plot is not None else Missing(name, title, _reason(metrics, name) or why)


# Under which names the figures themselves say why there is no such plot.
SAID_OF: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    ("coverage", "depth"), ("breadth_1x", "depth_mean", "coverage_mean")
)


def _reason(metrics: Metrics, name: str) -> str | None:
    told = (reason_of(metrics, metric) for metric in SAID_OF.get(name, ()))
    return next((why for why in told if why), None)


def reason_of(metrics: Metrics, metric: str) -> str | None:
    """Why a metric is not there, where the figures say it."""
    unknown = metrics.get("unknown")
    if not isinstance(unknown, Mapping) or metric not in unknown:
        return None
    return str(unknown[metric])
