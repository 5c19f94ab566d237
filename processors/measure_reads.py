"""What validation measured of each file becomes the metrics of the union that is asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.file_metrics import FileMetrics
from genoflow.events.file_rejected import FileRejected
from genoflow.events.measurement import Measurement
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_requested import QcRequested
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.types import Part
from genoflow.events.validated import Validated
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor
from genoflow.processors.qc_metrics import READS_UNITS
from genoflow.processors.repeated import Remembering, is_repeated, with_this

METHOD_VERSION = "1"  # of the arithmetic below: raise it when a value would come out otherwise
READ_SETS_APART_MAX = 300  # each with 3 values: 900 of the 1,000 that an event holds
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


class Files(Remembering):
    """The files of one sample, and the read sets that count no more."""

    files: tuple[Measures, ...] = ()
    gone: tuple[str, ...] = ()


def _name(one: Validated | FileRejected | ReadSetFile) -> str:
    return f"{one.bucket}/{one.object_key}@{one.version_id}"


def evolve(state: Files, event: Event) -> Files:
    """Keep what was measured of each file."""
    if is_repeated(state, event):
        return state
    change: dict[str, object] = {"seen": with_this(state, event)}
    if isinstance(event, Validated | FileRejected):
        kept = tuple(one for one in state.files if one.name != _name(event))
        change["files"] = (*kept, _measures(event)) if isinstance(event, Validated) else kept
    elif isinstance(event, ReadSetInvalidated):
        change["gone"] = tuple(dict.fromkeys((*state.gone, event.read_set_id)))
    return state.model_copy(update=change)


def _measures(event: Validated) -> Measures:
    return Measures(name=_name(event), reads=event.reads, bases=event.bases, metrics=event.metrics)


def decide(state: Files, event: QcRequested) -> Decision:
    """Measure what was asked about, unless a part of it counts no more: then another asks."""
    known = {one.name: one for one in state.files}
    counts = all(_name(file) in known for file in event.files)
    if is_repeated(state, event) or not counts or {*event.read_set_ids} & {*state.gone}:
        return NOTHING
    files = [file for file in event.files if file.role not in INDEX_ROLES]
    union = [known[_name(file)] for file in files]
    values = values_of(union, event.target_bases or event.genome_bases)
    recorded = QcMetricsRecorded(
        sample_id=event.sample_id,
        round=event.round,
        profile=event.profile,
        profile_version=event.profile_version,
        read_set_ids=event.read_set_ids,
        measurements=(
            *(_measurement(metric, value) for metric, value in values.items()),
            *_apart(event, {file: known[_name(file)] for file in files}),
        ),
        engine="measure-reads",
        engine_version=METHOD_VERSION,
    )
    return Decision(events=(recorded,))


def _measurement(metric: str, value: float, read_set_id: str | None = None) -> Measurement:
    return Measurement(
        metric=metric, value=value, unit=READS_UNITS[metric], read_set_id=read_set_id
    )


def _apart(event: QcRequested, union: dict[ReadSetFile, Measures]) -> Iterable[Measurement]:
    """The yield of each read set, where there are several and room for them."""
    names = event.read_set_ids
    if not 1 < len(names) <= READ_SETS_APART_MAX:
        return
    for name in names:
        values = values_of([one for file, one in union.items() if file.read_set_id == name], 0)
        for metric in ("reads", "bases", "q30_fraction"):
            if metric in values:
                yield _measurement(metric, values[metric], name)


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


MEASURE_READS = Processor(
    "measure-reads",
    reads=topics.SAMPLE,
    on=(QcRequested,),
    folds=(Validated, FileRejected, ReadSetInvalidated),
    emits=(QcMetricsRecorded,),
    decide=decide,
    evolve=evolve,
    state=Files,
    about="computes the metrics of the reads that are asked about from those of their files",
)
