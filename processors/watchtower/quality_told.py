"""What each event says of quality, and into which value it is folded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, NamedTuple

from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.event import Event
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_requested import QcRequested
from genoflow.events.quality_chart_restarted import QualityChartRestarted
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.run_requested import RunRequested
from genoflow.events.sequencing_run_started import SequencingRunStarted
from genoflow.processors.watchtower.quality_kept import (
    OfReadSet,
    OfResult,
    OrderQuality,
    Restart,
    RunQuality,
    SampleQuality,
    Word,
)
from genoflow.processors.watchtower.runs import RESULTS, RULES, ChartName, of_reads

Takes = Callable[[Any, Any, float, float], None]


def _read_set(value: SampleQuality, event: ReadSetRegistered, _: float, taken: float) -> None:
    value.read_sets[event.read_set_id] = OfReadSet(event.instrument_run_id, event.lane)
    value.newest = max(value.newest, taken)


def _asked(value: SampleQuality, event: QcRequested, _: float, taken: float) -> None:
    value.assays[event.round] = event.assay
    value.newest = max(value.newest, taken)


def _recorded(value: SampleQuality, event: QcMetricsRecorded, _: float, taken: float) -> None:
    value.newest = max(value.newest, taken)
    assay = value.assays.get(event.round)
    if assay is None:
        return
    cause = str(event.envelope.event_id)
    for told in of_reads(event, assay, value.read_sets):
        name = (told.instrument_run_id, told.metric)
        before = value.words.get(name)
        is_newer = before is None or before.told.sample.version < told.sample.version
        if is_newer and isfinite(told.sample.value):  # sums of what a reporter made up may not be
            value.words[name] = Word(told, taken, cause)


def _ordered(value: OrderQuality, event: RunRequested, _: float, taken: float) -> None:
    value.newest = max(value.newest, taken)
    value.assay = event.assay
    value.members = {
        member.sample_id: tuple(dict.fromkeys(one.read_set_id for one in member.files))
        for member in event.members
    }


def _collected(value: OrderQuality, event: ResultsCollected, _: float, taken: float) -> None:
    value.newest = max(value.newest, taken)
    if value.results or not value.assay:
        return  # a later attempt says no more of the reads
    value.results = tuple(
        OfResult(one.metric, one.measured_on, one.value)
        for one in event.measurements
        if (RESULTS, one.metric) in RULES and one.measured_on in value.members
    )
    value.told_at, value.cause = taken, str(event.envelope.event_id)


def _started(value: RunQuality, event: SequencingRunStarted, when: float, taken: float) -> None:
    value.newest = max(value.newest, taken)
    value.instrument, value.chemistry = event.instrument_id, event.chemistry
    value.flow_cell, value.started = event.flow_cell_id, when


def _demultiplexed(value: RunQuality, event: DemultiplexCompleted, _: float, taken: float) -> None:
    value.newest = max(value.newest, taken)
    value.samples = tuple(sorted({one.sample_id for one in event.libraries if one.reads}))


def _restarted(value: Restart, event: QualityChartRestarted, when: float, _: float) -> None:
    value.by, value.when = str(event.envelope.event_id), when
    value.name = ChartName(
        of=event.of,
        metric=event.metric,
        instrument_id=event.instrument_id,
        chemistry=event.chemistry,
        assay=event.assay,
    )


class Reader(NamedTuple):
    """Which kind of value an event goes into, and how."""

    kind: str
    makes: Callable[[], SampleQuality | OrderQuality | RunQuality | Restart]
    takes: Takes


READERS: Mapping[type[Event], Reader] = {
    ReadSetRegistered: Reader("sample-quality", SampleQuality, _read_set),
    QcRequested: Reader("sample-quality", SampleQuality, _asked),
    QcMetricsRecorded: Reader("sample-quality", SampleQuality, _recorded),
    RunRequested: Reader("order-quality", OrderQuality, _ordered),
    ResultsCollected: Reader("order-quality", OrderQuality, _collected),
    SequencingRunStarted: Reader("run-quality", RunQuality, _started),
    DemultiplexCompleted: Reader("run-quality", RunQuality, _demultiplexed),
    QualityChartRestarted: Reader("restart", Restart, _restarted),
}
_HEARD = frozenset(kind.type() for kind in READERS)


def is_told(kind: str) -> bool:
    """Whether an event of this type says anything of quality."""
    return kind in _HEARD
