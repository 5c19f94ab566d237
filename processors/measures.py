"""What validation measured of files, added up: the metrics of all of them together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from genoflow.events.file_metrics import FileMetrics
from genoflow.events.metric_registry import JUDGED, MOSDEPTH
from genoflow.events.stored_version import Placed, name_of
from genoflow.events.types import Part
from genoflow.events.validated import Validated

METHOD_VERSION = "1"  # of the arithmetic below: raise it when a value would come out otherwise
# How deep the reads of one file lie. Two files cover the same bases, and nobody has added them up.
OF_ONE_FILE = tuple(one.name for one in JUDGED if one.tool is MOSDEPTH)
INDEX_ROLES = ("I1", "I2", "BAI", "CRAI", "TBI")  # barcodes and indexes: no reads of the sample
# Of which part of a file a fraction is, so that files of different sizes weigh what they hold.
BY_BASES = ("n_fraction", "q20_fraction", "q30_fraction", "quality_mean")
BY_READS = ("adapter_fraction", "poly_g_fraction", "duplicate_fraction", "mapped_fraction")


class Measures(Part):
    """What validation measured of one version of a file."""

    name: str
    reads: int | None
    bases: int | None
    metrics: FileMetrics


def file_name(one: Placed) -> str:
    """A version of a file, named."""
    return name_of(one)


def measures_of(event: Validated) -> Measures:
    """What this validation measured."""
    return Measures(
        name=file_name(event), reads=event.reads, bases=event.bases, metrics=event.metrics
    )


def values_of(union: Sequence[Measures], size_bases: int) -> dict[str, float]:
    """Every metric of these files together that can be computed; coverage by their yield."""
    values = _yield(union, size_bases) if _hold_reads(union) else {}
    shortest = [one.metrics.read_length_min for one in union]
    longest = [one.metrics.read_length_max for one in union]
    variants = [one.metrics.variants for one in union]
    found: dict[str, float | None] = {
        "read_length_min": min((n for n in shortest if n is not None), default=None),
        "read_length_max": max((n for n in longest if n is not None), default=None),
        "gc_fraction": _mean(union, "gc_fraction", _called_bases),
        **{name: _mean(union, name, lambda one: one.bases or 0) for name in BY_BASES},
        **{name: _mean(union, name, lambda one: one.reads or 0) for name in BY_READS},
        **_of_one_file(union),
        "variants": sum(n or 0 for n in variants) if any(n is not None for n in variants) else None,
    }
    return values | {name: float(value) for name, value in found.items() if value is not None}


def _hold_reads(union: Sequence[Measures]) -> bool:
    # Variants alone: that there are no reads among them says nothing of how many there were.
    only_variants = any(one.metrics.variants is not None for one in union)
    return not only_variants or any(one.reads is not None for one in union)


def _yield(union: Sequence[Measures], size_bases: int) -> dict[str, float]:
    values: dict[str, float] = {
        "reads": float(sum(one.reads or 0 for one in union)),
        "bases": float(sum(one.bases or 0 for one in union)),
    }
    if size_bases:
        # From the yield: duplicates, and reads beside the regions, are not taken off.
        values["mean_coverage"] = values["bases"] / size_bases
    return values


def _of_one_file(union: Sequence[Measures]) -> dict[str, float | None]:
    alone = union[0].metrics if len(union) == 1 else None
    return {name: getattr(alone, name, None) for name in OF_ONE_FILE}


def _called_bases(one: Measures) -> float:
    return (one.bases or 0) * (1.0 - (one.metrics.n_fraction or 0.0))


def _mean(
    union: Sequence[Measures], metric: str, weight_of: Callable[[Measures], float]
) -> float | None:
    pairs = [
        (value, weight_of(one))
        for one in union
        if (value := getattr(one.metrics, metric)) is not None
    ]
    whole = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / whole if whole else None
