"""Sequencing runs of a lab as events, out of a seed: their samples, lanes, reads and results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from benchmarks.quality import values
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.event import Event
from genoflow.events.measured import Measured
from genoflow.events.measurement import Measurement
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_requested import QcRequested
from genoflow.events.quality_chart_restarted import QualityChartRestarted
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.run_requested import RunRequested
from genoflow.events.sequencing_run_started import SequencingRunStarted
from genoflow.processors.watchtower.charts import Rule
from genoflow.processors.watchtower.runs import READS, ChartName
from tests.examples import bare_example
from tests.tower_histories import BEGIN, Teller

EVERY = timedelta(hours=16)  # a run
LANES = 2
SAMPLES_MAX = 3  # of a run: more make events, and no other chart
CHEMISTRY = "v1.5"


def run_name(number: int, instrument: str = "A01") -> str:
    """The name of a run, as RunInfo has it."""
    day = BEGIN + number * EVERY
    return f"{day:%Y%m%d}_{instrument}_{number:04d}_FC{number}"


class QualityTeller(Teller):
    """Tells sequencing runs with the values of their samples."""

    def run_read(
        self, number: int, metric: str, told: Sequence[float], *, instrument: str = "A01",
        assay: str = "wgs",
    ) -> Iterator[Event]:  # fmt: skip
        """A run whose samples told these values of their reads, each in two lanes."""
        run, at = run_name(number, instrument), BEGIN + number * EVERY
        names = [f"S{number}x{one}" for one in range(len(told))]
        yield from self.begun(run, at, names, instrument)
        for name, value in zip(names, told, strict=True):
            yield from self.sample_read(run, name, metric, value, at, assay)

    def begun(
        self, run: str, at: datetime, names: Sequence[str], instrument: str
    ) -> Iterator[Event]:
        """The start of a run, and what its demultiplexing found."""
        yield self.tell(
            SequencingRunStarted, at, instrument_run_id=run, instrument_id=instrument,
            chemistry=CHEMISTRY, flow_cell_id=run.rsplit("_", 1)[-1],
        )  # fmt: skip
        [row, *_] = bare_example(DemultiplexCompleted).libraries
        rows = [
            row.model_copy(update={"sample_id": name, "lane": lane, "reads": 1_000})
            for name in names
            for lane in range(1, LANES + 1)
        ]
        rows.append(row.model_copy(update={"sample_id": "NTC", "lane": 1, "reads": 0}))
        later = at + timedelta(hours=2)
        yield self.tell(DemultiplexCompleted, later, instrument_run_id=run, libraries=tuple(rows))

    def sample_read(
        self, run: str, name: str, metric: str, value: float, at: datetime, assay: str
    ) -> Iterator[Event]:
        """The read sets of a sample, and what was measured of them."""
        at += timedelta(hours=3, seconds=self.random.randrange(3_600))
        read_sets = [f"{name}.{run}.{lane}" for lane in range(1, LANES + 1)]
        for lane, read_set in enumerate(read_sets, start=1):
            yield self.tell(
                ReadSetRegistered, at, sample_id=name, read_set_id=read_set,
                instrument_run_id=run, lane=lane,
            )  # fmt: skip
        later = at + timedelta(minutes=20)
        yield self.tell(QcRequested, later, sample_id=name, round=1, assay=assay)
        unit = {"q30_fraction": "fraction", "bases": "bases"}.get(metric, "x")
        measurements = [
            Measurement(metric=metric, value=value, unit=unit, read_set_id=one)
            for one in (None, *read_sets)
        ]
        yield self.tell(
            QcMetricsRecorded, later + timedelta(minutes=5), sample_id=name, round=1,
            read_set_ids=tuple(read_sets), measurements=tuple(measurements),
        )  # fmt: skip

    def results(
        self, run: str, number: int, told: Mapping[str, float], at: datetime, metric: str,
        assay: str = "wgs",
    ) -> Iterator[Event]:  # fmt: skip
        """A pipeline run over samples of a sequencing run, and a value of each."""
        run_id = UUID(int=number + 1, version=4)
        asked = bare_example(RunRequested)
        [member, *_] = asked.members
        [file, *_] = member.files
        members = tuple(
            member.model_copy(
                update={
                    "sample_id": name,
                    "files": tuple(
                        file.model_copy(update={"read_set_id": f"{name}.{run}.{lane}"})
                        for lane in range(1, LANES + 1)
                    ),
                }
            )
            for name in told
        )
        yield self.tell(RunRequested, at, run_id=run_id, assay=assay, members=members)
        measured = tuple(
            Measured(
                metric=metric, value=value, unit="x", measured_on=name, verdict="not judged"
            )
            for name, value in told.items()
        )  # fmt: skip
        yield self.tell(
            ResultsCollected, at + timedelta(hours=4), run_id=run_id, measurements=measured
        )

    def restarted(self, name: ChartName, at: datetime, **fields: Any) -> Event:
        """A person's word that what comes is normal."""
        return self.tell(
            QualityChartRestarted, at, chart_id=name.chart_id, **name.model_dump(), **fields
        )


def chart_name(metric: str, of: str = READS, instrument: str = "A01") -> ChartName:
    """The chart of these runs."""
    return ChartName(
        of=of, metric=metric, instrument_id=instrument, chemistry=CHEMISTRY, assay="wgs"
    )


def shifted_values(
    seed: int, rule: Rule, runs: int, shifted: int, shift: float
) -> list[list[float]]:
    """The values of the samples of so many runs, and of so many behind a shift of their level."""
    source = Random(f"events/{rule.metric}/{seed}")
    told = (values(source, rule, shift if run >= runs else 0.0) for run in range(runs + shifted))
    return [one[:SAMPLES_MAX] for one in told]


def history(seed: int, rule: Rule, told: Sequence[Sequence[float]]) -> list[Event]:
    """The events of these runs, in the order in which they happen."""
    teller = QualityTeller(seed)
    events = [
        one
        for number, values_of_run in enumerate(told)
        for one in teller.run_read(number, rule.metric, values_of_run)
    ]
    return sorted(events, key=lambda event: event.envelope.occurred_at)
