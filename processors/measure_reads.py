"""What validation measured of each file becomes the metrics of the union that is asked about."""

from __future__ import annotations

from collections.abc import Iterable

from genoflow.events import topics
from genoflow.events.contamination_estimated import ContaminationEstimated
from genoflow.events.event import Event
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.file_rejected import FileRejected
from genoflow.events.measurement import Measurement
from genoflow.events.metric_names import READS_UNITS
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_requested import QcRequested
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.target_coverage_measured import TargetCoverageMeasured
from genoflow.events.types import Part
from genoflow.events.unknown_metric import UnknownMetric
from genoflow.events.validated import Validated
from genoflow.processors.alignments import ANSWERS, BRINGS, CONTAMINATION, Answer, answered, owed
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

# Asked and not yet answered: a sample has one a union and order. Each is as long as its request.
ROUNDS_WAITING_MAX = 100
READ_SETS_APART_MAX = 300  # each with 3 values: 900 of the 1,000 that an event holds


class Waiting(Part):
    """A round, what is known of its alignments, and what it still waits for."""

    request: QcRequested
    owes: tuple[str, ...]
    found: tuple[Measurement, ...] = ()
    unknown: tuple[UnknownMetric, ...] = ()


class Files(Remembering):
    """The files of one sample, the read sets that count no more, and the rounds that wait."""

    files: tuple[Measures, ...] = ()
    gone: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()  # versions of files
    waiting: tuple[Waiting, ...] = ()


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
    else:
        assert isinstance(event, (QcRequested, *ANSWERS))
        others = tuple(one for one in state.waiting if one.request.round != event.round)
        now = _waiting(state, event)
        still = (now,) if now is not None and now.owes else ()
        change["waiting"] = (*others, *still)[-ROUNDS_WAITING_MAX:]
    return state.model_copy(update=change)


def decide(state: Files, event: QcRequested | Answer) -> Decision:
    """Measure what was asked about once nothing is owed to it any more.

    Where a part of it counts no more nothing is said: then another asks.
    """
    if is_repeated(state, event):
        return NOTHING
    now = _waiting(state, event)
    if now is None or now.owes:
        return NOTHING
    return _recorded(state, now)


def _waiting(state: Files, event: QcRequested | Answer) -> Waiting | None:
    """The round as it stands with this event; None where nobody waits for it."""
    if isinstance(event, QcRequested):
        return Waiting(request=event, owes=owed(event))
    of_it = (one for one in state.waiting if one.request.round == event.round)
    before, answer = next(of_it, None), answered(event)
    if before is None or answer not in before.owes:
        return before
    found, unknown = _told(event)
    return Waiting(
        request=before.request,
        owes=tuple(one for one in before.owes if one != answer),
        found=(*before.found, *found),
        unknown=(*before.unknown, *unknown),
    )


def _told(event: Answer) -> tuple[tuple[Measurement, ...], tuple[UnknownMetric, ...]]:
    if isinstance(event, ContaminationEstimated):
        return (_measurement(CONTAMINATION, event.share),), ()
    if isinstance(event, TargetCoverageMeasured):
        return event.measurements, ()
    metrics = BRINGS[answered(event)]
    return (), tuple(UnknownMetric(metric=one, reason=event.reason) for one in metrics)


def _recorded(state: Files, now: Waiting) -> Decision:
    event = now.request
    known = {one.name: one for one in state.files}
    counts = all(file_name(file) in known for file in event.files)
    if not counts or {*event.read_set_ids} & {*state.gone}:
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
            *now.found,
            *_apart(event, {file: known[file_name(file)] for file in files}),
        ),
        engine="measure-reads",
        engine_version=METHOD_VERSION,
        unknown=now.unknown,
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
    on=(QcRequested, *ANSWERS),
    folds=(Validated, FileRejected, FileQuarantined, ReadSetInvalidated),
    emits=(QcMetricsRecorded,),
    decide=decide,
    evolve=evolve,
    state=Files,
    state_version=3,
    about="computes the metrics of the reads that are asked about, once all that is owed is known",
)
