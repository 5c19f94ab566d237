"""What is kept of quality: what samples, orders and runs said, and the charts made of it.

The first four kinds are folded from one partition each and carry the last offset that they hold. A
chart is of the whole lab. It is folded from no partition, and carries the names of the runs that it
holds: a run that comes again is left out by them, as a record is by an offset.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from genoflow.processors.watchtower.charts import Alarm, Chart
from genoflow.processors.watchtower.runs import ChartName, OfSample, Told


class OfReadSet(NamedTuple):
    """What of a read set is needed: the run and the lane that it was read in."""

    instrument_run_id: str | None
    lane: int | None


class Word(NamedTuple):
    """A value as it was told."""

    told: Told
    at: float  # when the log took it
    cause: str  # the event that says it

    def plain(self) -> list[Any]:
        """What `of_plain` reads."""
        *names, sample = self.told
        return [*names, sample.model_dump(mode="json"), self.at, self.cause]

    @classmethod
    def of_plain(cls, plain: list[Any]) -> Word:
        """The word that was written so."""
        run, of, metric, assay, sample, at, cause = plain
        return cls(Told(run, of, metric, assay, OfSample.model_validate(sample)), at, cause)


class OfResult(NamedTuple):
    """A value that a pipeline run told of one of its samples."""

    metric: str
    measured_on: str
    value: float


class SampleQuality:
    """Of one sample: its read sets, its rounds, and the values of its reads."""

    __slots__ = ("assays", "at", "newest", "read_sets", "words")

    def __init__(self) -> None:
        self.at, self.newest = -1, 0.0  # the newest time that the log gave a record of it
        self.read_sets: dict[str, OfReadSet] = {}
        self.assays: dict[int, str] = {}  # by round of QC
        self.words: dict[tuple[str, str], Word] = {}  # by sequencing run and metric

    def plain(self) -> dict[str, Any]:
        """What `of_plain` reads."""
        return {
            "at": self.at, "newest": self.newest, "read_sets": self.read_sets,
            "assays": list(self.assays.items()),
            "words": [one.plain() for one in self.words.values()],
        }  # fmt: skip

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> SampleQuality:
        """What was written so."""
        found = cls()
        found.at, found.newest = plain["at"], plain["newest"]
        found.read_sets = {name: OfReadSet(*one) for name, one in plain["read_sets"].items()}
        found.assays = dict(map(tuple, plain["assays"]))
        for one in map(Word.of_plain, plain["words"]):
            found.words[one.told.instrument_run_id, one.told.metric] = one
        return found


class OrderQuality:
    """Of one pipeline run: its assay, the read sets of its samples, and the values of results."""

    __slots__ = ("assay", "at", "cause", "members", "newest", "results", "told_at")

    def __init__(self) -> None:
        self.at, self.newest = -1, 0.0
        self.assay = ""  # until it was requested
        self.members: dict[str, tuple[str, ...]] = {}  # read sets, by sample
        self.results: tuple[OfResult, ...] = ()
        self.told_at, self.cause = 0.0, ""

    def plain(self) -> dict[str, Any]:
        """What `of_plain` reads."""
        return {
            "at": self.at, "newest": self.newest, "assay": self.assay, "members": self.members,
            "results": self.results, "told_at": self.told_at, "cause": self.cause,
        }  # fmt: skip

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> OrderQuality:
        """What was written so."""
        found = cls()
        found.at, found.newest, found.assay = plain["at"], plain["newest"], plain["assay"]
        found.members = {name: tuple(one) for name, one in plain["members"].items()}
        found.results = tuple(OfResult(*one) for one in plain["results"])
        found.told_at, found.cause = plain["told_at"], plain["cause"]
        return found


class RunQuality:
    """Of one sequencing run: where it ran, and which samples its demultiplexing gave reads."""

    __slots__ = ("at", "chemistry", "flow_cell", "instrument", "newest", "samples", "started")

    def __init__(self) -> None:
        self.at, self.newest = -1, 0.0
        self.instrument = ""  # until it was started
        self.chemistry: str | None = None
        self.flow_cell = ""
        self.started = 0.0
        self.samples: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """What `of_plain` reads."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> RunQuality:
        """What was written so."""
        found = cls()
        for name, value in plain.items():
            setattr(found, name, value)
        found.samples = tuple(plain["samples"])
        return found


class Restart:
    """A person's word that what comes is the normal of a chart; the last one counts."""

    __slots__ = ("at", "by", "name", "when")

    def __init__(self) -> None:
        self.at = -1
        self.by, self.when = "", 0.0  # the event
        self.name: ChartName | None = None

    def plain(self) -> dict[str, Any]:
        """What `of_plain` reads."""
        name = self.name.model_dump(mode="json") if self.name else None
        return {"at": self.at, "by": self.by, "when": self.when, "name": name}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Restart:
        """What was written so."""
        found = cls()
        found.at, found.by, found.when = plain["at"], plain["by"], plain["when"]
        found.name = ChartName.model_validate(plain["name"]) if plain["name"] else None
        return found


class Held(NamedTuple):
    """A run that a chart holds."""

    value: float
    moment: float  # when all of it was told, or was told long enough ago
    charted_at: float  # by the tower's own clock
    late: tuple[str, ...] = ()  # samples that told it after that moment, or told it again


class Raised(NamedTuple):
    """An alarm that lasts, and what is told with it."""

    alarm: Alarm
    moment: float
    cause: str  # the event with which the run was told
    flow_cell: str
    lanes: dict[int, float]  # the median of each

    def plain(self) -> list[Any]:
        """What `of_plain` reads."""
        alarm, moment, cause, flow_cell, lanes = self
        return [alarm.model_dump(mode="json"), moment, cause, flow_cell, [*lanes.items()]]

    @classmethod
    def of_plain(cls, plain: list[Any]) -> Raised:
        """The alarm that was written so."""
        alarm, moment, cause, flow_cell, lanes = plain
        return cls(Alarm.model_validate(alarm), moment, cause, flow_cell, dict(map(tuple, lanes)))


class KeptChart:
    """A chart, the runs that it holds, and the alerts that are open about it."""

    __slots__ = ("alerts", "at", "begins", "chart", "held", "name", "raised", "restart")

    def __init__(self, name: ChartName) -> None:
        self.at = -1  # it is folded from no partition
        self.name, self.chart = name, Chart()
        self.held: dict[str, Held] = {}
        self.raised: dict[str, Raised] = {}  # by direction
        # By direction, as `kept.Alert` has them; those that were not ended yet.
        self.alerts: dict[str, list[tuple[str, str, str]]] = {}
        self.restart, self.begins = "", 0.0  # the last restart, and its time

    def plain(self) -> dict[str, Any]:
        """What `of_plain` reads."""
        return {
            "name": self.name.model_dump(mode="json"), "chart": self.chart.model_dump(mode="json"),
            "held": self.held, "raised": {way: one.plain() for way, one in self.raised.items()},
            "alerts": self.alerts, "restart": self.restart, "begins": self.begins,
        }  # fmt: skip

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> KeptChart:
        """The chart that was written so."""
        found = cls(ChartName.model_validate(plain["name"]))
        found.chart = Chart.model_validate(plain["chart"])
        for run, (value, moment, charted_at, late) in plain["held"].items():
            found.held[run] = Held(value, moment, charted_at, tuple(late))
        found.raised = {way: Raised.of_plain(one) for way, one in plain["raised"].items()}
        for way, alerts in plain["alerts"].items():
            found.alerts[way] = [(rule, alert, group) for rule, alert, group in alerts]
        found.restart, found.begins = plain["restart"], plain["begins"]
        return found


QualityValue = SampleQuality | OrderQuality | RunQuality | Restart | KeptChart
