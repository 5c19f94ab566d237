"""docs/metrics.md, written from the metric registry: `python -m tools.metrics_page`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from genoflow.events.metric_registry import METRICS, Metric, Tool
from genoflow.processors.contamination import QUALITY_MIN, SITES_MAX, WIDTH_MAX
from genoflow.processors.validation.sam.coverage import (
    NO_Y_MAX,
    ONE_X_MAX,
    TWO_X_MIN,
    X_BASES_MIN,
    Y_MIN,
)
from genoflow.processors.validation.sam.depth import CHANGES_MAX, MATES_MAX
from genoflow.processors.validation.targets import TARGETS_MAX

PAGE = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"
COLUMNS = ("name", "unit", "of what", "told of", "as", "how far", "null")
TITLES: Mapping[str, tuple[str, str]] = {
    "judged": (
        "What a sample is judged by",
        "In `Validated`, `QcMetricsRecorded` and thresholds. Of several files of a sample, depths "
        "and breadths are not told: nobody has added them up.",
    ),
    "contract": (
        "The names of the REST contract",
        "In `genoflow validate --json` and `GET /v1/qc/results/{id}`, null with the reason under "
        "`unknown`. `coverage_mean` of a round is `mean_coverage`, from the yield.",
    ),
    "commands": (
        "What has a command of its own",
        "By `genoflow qc contamination BAM --sites VCF`, as above. A round tells the same as "
        "`contamination`.",
    ),
    "runs": ("What a sequencing run is judged by", "In the thresholds of runs."),
    "results": (
        "What our pipelines tell of results",
        "A pipeline of a lab may tell others. `docs/profiles.md` says how they are judged.",
    ),
    "details": (
        "What a file tells besides",
        "In `genoflow validate --json` alone, under the names of the tools.",
    ),
}

INTRO = f"""# Metrics

<!-- written by tools/metrics_page.py from events/metric_registry.py: change that, then run it -->

One table of all metrics. What cannot be known is null, and a reason stands beside it.

## Coverage

Told of BAM, SAM and CRAM in the same pass in which they are validated, where their records stand in
the order of places. It is mosdepth's definition:

- reads with a flag of 1796 do not count: unmapped, secondary, failed, duplicate;
- a base counts where a read is aligned to it (`M`, `=`, `X`), not where it has a gap;
- where the mates of a proper pair overlap, each base counts once.

In one case mosdepth {{version}} itself departs from that: where both mates have a CIGAR of one
operation and one lies wholly within the other, it takes off too much behind the shorter one. Here
each base still counts once. Over files without that case every number is equal, by a test.

`genoflow validate --targets BED` tells the same of targets: together, each base once, and each line
of the file by itself. At most {TARGETS_MAX:,} lines are read. The memory does not grow with the
file: it holds where the depth changes between the record that is read and the end of the longest
before it, at most {CHANGES_MAX:,} places and {MATES_MAX:,} pairs. Beyond that coverage is null.

## Sex

`x_ratio` and `y_ratio` are the mean depths of chrX and chrY over that of the autosomes, in targets
where they are given. Then `sex` is `female` with chrX at {TWO_X_MIN} or more and chrY at
{NO_Y_MAX} or less, `male` with chrX at {ONE_X_MAX} or less and chrY at {Y_MIN} or more, and null in
all other cases, with the reason. A reference without chrY leaves it to chrX. Where two copies of
chrX would give less than {X_BASES_MIN:,} bases, it is null.

## Contamination

`genoflow qc contamination S7.bam --sites common.vcf.gz` tells the share of reads that are somebody
else's. The BAM has its index beside it; the sites are variants of one base on autosomes, with their
frequency in the population as AF, at most {SITES_MAX:,}. Bases and places of quality {QUALITY_MIN}
or more count, mates that overlap once. At each site sample and stranger have one of three
genotypes, as often as the frequency says; the share is the one under which the reads are the most
likely, as in verifyBamID. An interval of 95 % comes with it. Where that is wider than {WIDTH_MAX},
the share is null, and the interval stands. Over generated mixtures of 0, 3 and 10 % the estimate is
within 0.01.

The flow tells it as well: of each round of BAM files with their indexes, where the reference has a
panel of the kind `contamination-sites`, as `contamination` among the metrics of the round, to which
a profile can set a limit. Of several BAM files the reads are added up. What it needs, and what is
said where it is not known, stands in [alignments.md](alignments.md).
"""


def page() -> str:
    """The whole page."""
    lines = [INTRO.format(version=_version("mosdepth")), *_tools()]
    for name, metrics in METRICS.items():
        title, about = TITLES[name]
        lines += [f"## {title}", "", about, "", f"| {' | '.join(COLUMNS)} |"]
        lines += ["|---" * len(COLUMNS) + "|", *(_row(one) for one in metrics), ""]
    return "\n".join(lines).rstrip() + "\n"


def _all_tools() -> list[Tool]:
    named = (one.tool for metrics in METRICS.values() for one in metrics)
    return sorted({one for one in named if one is not None and one.version})


def _version(name: str) -> str:
    return next(one.version for one in _all_tools() if one.name == name)


def _tools() -> list[str]:
    rows = [f"| {one.name} | {one.version} | `{one.call}` |" for one in _all_tools()]
    about = "Tests compare with these. Where a number has no tool, none of them tells it."
    return ["## Tools", "", about, "", "| tool | version | call |", "|---|---|---|", *rows, ""]


def _row(one: Metric) -> str:
    cells = (
        f"`{one.name}`", one.unit, one.denominator or "a count", ", ".join(one.of),
        one.tool.name if one.tool else "", one.exact if one.tool else "", one.unknown,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
