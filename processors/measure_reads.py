"""What validation measured of each file becomes the metrics of the union that is asked about."""

from __future__ import annotations

from collections.abc import Iterable

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.file_rejected import FileRejected
from genoflow.events.measurement import Measurement
from genoflow.events.metric_names import READS_UNITS
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_requested import QcRequested
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.validated import Validated
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.measures import (
    INDEX_ROLES,
    METHOD_VERSION,
    Measures,
    file_name,
    measures_of,
    values_of,
)
from genoflow.processors.processor import Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this

READ_SETS_APART_MAX = 300  # each with 3 values: 900 of the 1,000 that an event holds


class Files(Remembering):
    """The files of one sample, and the read sets that count no more."""

    files: tuple[Measures, ...] = ()
    gone: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()  # versions of files


def evolve(state: Files, event: Event) -> Files:
    """Keep what was measured of each file."""
    if is_repeated(state, event):
        return state
    change: dict[str, object] = {"seen": with_this(state, event)}
    if isinstance(event, Validated | FileRejected):
        kept = tuple(one for one in state.files if one.name != file_name(event))
        change["files"] = kept
        if isinstance(event, Validated) and file_name(event) not in state.quarantined:
            change["files"] = (*kept, measures_of(event))
    elif isinstance(event, FileQuarantined):
        change["quarantined"] = (*state.quarantined, file_name(event))
        change["files"] = tuple(one for one in state.files if one.name != file_name(event))
    elif isinstance(event, ReadSetInvalidated):
        change["gone"] = tuple(dict.fromkeys((*state.gone, event.read_set_id)))
    return state.model_copy(update=change)


def decide(state: Files, event: QcRequested) -> Decision:
    """Measure what was asked about, unless a part of it counts no more: then another asks."""
    known = {one.name: one for one in state.files}
    counts = all(file_name(file) in known for file in event.files)
    if is_repeated(state, event) or not counts or {*event.read_set_ids} & {*state.gone}:
        return NOTHING
    files = [file for file in event.files if file.role not in INDEX_ROLES]
    union = [known[file_name(file)] for file in files]
    values = values_of(union, event.target_bases or event.genome_bases)
    recorded = QcMetricsRecorded(
        sample_id=event.sample_id,
        round=event.round,
        profile=event.profile,
        profile_version=event.profile_version,
        read_set_ids=event.read_set_ids,
        measurements=(
            *(_measurement(metric, value) for metric, value in values.items()),
            *_apart(event, {file: known[file_name(file)] for file in files}),
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


MEASURE_READS = Processor(
    "measure-reads",
    reads=topics.SAMPLE,
    on=(QcRequested,),
    folds=(Validated, FileRejected, FileQuarantined, ReadSetInvalidated),
    emits=(QcMetricsRecorded,),
    decide=decide,
    evolve=evolve,
    state=Files,
    state_version=2,
    about="computes the metrics of the reads that are asked about from those of their files",
)
