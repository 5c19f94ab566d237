"""Counts what a play owes and what stands on the log: nothing is lost, nothing is said twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from genoflow.deploy.demo.lab import Play
from genoflow.events.event import Event
from genoflow.events.run_requested import RunRequested

Fact = tuple[str, str]  # a type, and of whom
FILES_OF_A_LIBRARY = 2  # R1 and R2
OF_A_RUN = (
    "SequencingRunStarted", "SampleSheetAttached", "SequencingRunCompleted",
    "SequencingRunMirrored", "DemultiplexRequested", "DemultiplexCompleted",
    "SequencingRunQcPassed",
)  # fmt: skip
# What makes two facts of a type about one subject two facts. A type that is not here is repeated
# where one processor said the very same of the same cause.
FILE = ("bucket", "object_key", "version_id")
DISCRIMINATORS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("FileLanded", "Validated", "FileRejected", "FileChecksummed"), FILE),
    **dict.fromkeys(("DemultiplexRequested", "DemultiplexCompleted"), ("attempt",)),
    **dict.fromkeys(("QcRequested", "QcMetricsRecorded", "QcPassed", "QcFailed"), ("round",)),
    "ReadSetRegistered": ("read_set_id",),
    "CaseJoined": ("case_id",),
    "CaseReady": ("revision",),
    **dict.fromkeys(("RunRequested", "RunSucceeded", "ResultsCollected"), ()),
    **dict.fromkeys(("ResultsChecked", "ResultsHeld", "ResultsPublished"), ()),
    **dict.fromkeys(("RunSubmitted", "RunExited"), ("attempt",)),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted: facts that the truth of the generator asks for, and repetitions."""

    expected: int
    lost: tuple[str, ...]
    unexpected: tuple[str, ...]
    events: int
    repeated: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether all is there, once."""
        return not (self.lost or self.unexpected or self.repeated)

    def sentences(self) -> list[str]:
        """The figures, what they count, and each thing that is wrong."""
        wrong = [
            *(f"lost: {one}" for one in self.lost),
            *(f"once too often: {one}" for one in self.unexpected),
            *(f"repeated: {one}" for one in self.repeated),
        ]
        return [
            f"lost {len(self.lost)} of {self.expected} facts that the generated material asks for:",
            "  each file landed and judged, one verdict of QC a sample and round, one run a case,",
            "  submitted once, and its results",
            f"repeated {len(self.repeated) + len(self.unexpected)} among {self.events} events:",
            "  an id that stands twice, or the same fact from the same cause under two ids",
            *wrong,
        ]


def owed(play: Play, end: tuple[str, ...]) -> Counter[Fact]:
    """The facts that the truth of the generator asks for, each with how often."""
    cast = play.cast
    sequenced = {one for run in (cast.run, cast.top_up) for one in run.libraries if one.pairs}
    with_reads = {library.sample_id for library in sequenced}
    found: Counter[Fact] = Counter()
    for library in sequenced:
        found["ReadSetRegistered", library.sample_id] += 1
        found["FileLanded", library.sample_id] += FILES_OF_A_LIBRARY
        found["Validated", library.sample_id] += FILES_OF_A_LIBRARY
    for library in cast.by_courier.libraries:  # one file of it came damaged at first
        found["FileLanded", library.sample_id] += 1
        found["FileRejected", library.sample_id] += 1
    found.update(("QcPassed", name) for name in with_reads)
    topped_up = {library.sample_id for library in cast.top_up.libraries}
    found.update(("QcFailed", name) for name in topped_up | ({*cast.subjects} - with_reads))
    found.update((kind, run) for run in play.runs for kind in OF_A_RUN)
    found.update(("CaseOpened", case_id) for case_id in play.cases)
    for case_id in play.whole_cases:
        kinds = ("CaseReady", "RunRequested", "RunSubmitted", *end)
        found.update((kind, case_id) for kind in kinds)
    return found


def counted(play: Play, events: Iterable[Event], end: tuple[str, ...]) -> Counted:
    """Hold what stands on the log of this play, read again from its beginning, against that."""
    every = list(events)
    wanted = owed(play, end)
    cases = {one.key: one.case_id for one in every if isinstance(one, RunRequested)}
    found = Counter((one.type(), cases.get(one.key, one.key)) for one in every)
    found = Counter({fact: found[fact] for fact in _judged(wanted, found)})
    return Counted(
        expected=wanted.total(),
        lost=tuple(_named(wanted - found)),
        unexpected=tuple(_named(found - wanted)),
        events=len(every),
        repeated=tuple(_repeated(every)),
    )


def _judged(wanted: Counter[Fact], found: Counter[Fact]) -> set[Fact]:
    # A run has undetermined files, too, and its verdict is told to each of its samples.
    kinds = {kind for kind, _ in wanted} - {"FileLanded", "SequencingRunQcPassed"}
    return {fact for fact in found if fact[0] in kinds} | {*wanted}


def _named(facts: Counter[Fact]) -> list[str]:
    return [f"{count} {kind} of {whose}" for (kind, whose), count in sorted(facts.items())]


def _repeated(events: Iterable[Event]) -> list[str]:
    seen: set[tuple[object, ...]] = set()
    found: list[str] = []
    for event in events:
        envelope, kind = event.envelope, event.type()
        fields = DISCRIMINATORS.get(kind)
        natural: tuple[object, ...] = (
            (envelope.producer.service, envelope.causation_id, repr(event.payload()))
            if fields is None
            else tuple(getattr(event, name) for name in fields)
        )
        marks = {(envelope.event_id,), (kind, event.key, *natural)}
        if marks & seen:
            found.append(f"{kind} of {event.key}, {envelope.event_id}")
        seen |= marks
    return found
