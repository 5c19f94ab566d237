"""A lab's weeks, made from a seed alone: runs, samples, orders, and what becomes of each.

Whoever judges makes the same list anew and knows from it, without any code of the flow, which
verdict every sample has to have and which cases have to be run.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from genoflow.events.case_member import CaseMember
from genoflow.events.case_opened import CaseOpened
from genoflow.events.event import E, Event, begin
from genoflow.events.read_cycles import ReadCycles
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sample_sheet_row import SampleSheetRow
from genoflow.events.sequencing_run_completed import SequencingRunCompleted
from genoflow.events.sequencing_run_mirrored import SequencingRunMirrored
from genoflow.events.sequencing_run_started import SequencingRunStarted
from genoflow.events.subscription_created import SubscriptionCreated
from tests.examples import somebody, someone
from tests.qc_facts import sha

BASES = "ACGT"
READS = tuple(
    ReadCycles(number=number, cycles=cycles, is_index=is_index)
    for number, (cycles, is_index) in enumerate(((150, False), (8, True), (150, False)), start=1)
)
REFERENCE = "GRCh38"
ASSAY = "wgs"
ROLES = {
    "single": ("single",),
    "tumour-normal": ("tumour", "normal"),
    "trio": ("proband", "mother", "father"),
}
KINDS = ("single",) * 14 + ("tumour-normal",) * 4 + ("trio",) * 2  # one draw is one case
UNORDERED_SHARE = 0.05
BAD_RUN_EVERY = 8  # sequencing runs; a bad one fails as a whole
SAMPLES_OF_A_PROJECT = 100


class Fate(StrEnum):
    """What is the matter with a sample."""

    GOOD = "good"
    CUT = "cut"  # its first file is rejected, and sent again
    LOW = "low"  # too few reads: it fails its QC
    EMPTY = "empty"  # on the sheet, and without a read


FATES = (Fate.GOOD,) * 16 + (Fate.CUT,) * 2 + (Fate.LOW, Fate.EMPTY)


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample of one sequencing run."""

    name: str
    index: str
    project: str
    fate: Fate
    is_on_bad_run: bool

    @property
    def verdict(self) -> str | None:
        """What is to be said of its reads if it is ordered; None where it is nothing."""
        if self.fate is Fate.EMPTY:
            return "QcFailed no reads"
        if self.is_on_bad_run:
            return "QcFailed run failed"
        return "QcFailed below threshold" if self.fate is Fate.LOW else "QcPassed"


@dataclass(frozen=True, slots=True)
class Case:
    """An order."""

    name: str
    kind: str
    samples: tuple[Sample, ...]

    @property
    def is_run(self) -> bool:
        """Whether all of its members have good reads."""
        return all(one.verdict == "QcPassed" for one in self.samples)


@dataclass(frozen=True, slots=True)
class SequencingRun:
    """A flow cell with its samples."""

    name: str
    cell: str
    is_bad: bool
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Cohort:
    """All of it."""

    seed: int
    runs: tuple[SequencingRun, ...]
    cases: tuple[Case, ...]
    projects: tuple[str, ...]

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Every sample of every run."""
        return tuple(one for run in self.runs for one in run.samples)

    def verdicts(self) -> dict[str, str | None]:
        """What has to be said of each sample; one that nobody ordered waits, unless it is empty or
        its run failed.
        """
        ordered = {one.name for case in self.cases for one in case.samples}
        return {
            one.name: one.verdict
            if one.name in ordered or one.fate is Fate.EMPTY or one.is_on_bad_run
            else None
            for one in self.samples
        }


def make(seed: int, samples: int, per_run: int) -> Cohort:
    """So many samples, so many on each sequencing run."""
    chance = random.Random(f"cohort {seed}")
    runs: list[SequencingRun] = []
    for first in range(0, samples, per_run):
        number = len(runs) + 1
        is_bad = number % BAD_RUN_EVERY == seed % BAD_RUN_EVERY
        some = tuple(
            Sample(
                name=f"S{index:05}",
                index=_index(index - first),
                project=f"P{index // SAMPLES_OF_A_PROJECT}",
                fate=chance.choice(FATES),
                is_on_bad_run=is_bad,
            )
            for index in range(first, min(first + per_run, samples))
        )
        runs.append(SequencingRun(f"RUN{seed}-{number}", f"CELL{number}", is_bad, some))
    everybody = [one for run in runs for one in run.samples]
    cases = tuple(_cases(chance, everybody))
    projects = tuple(dict.fromkeys(one.project for one in everybody))
    return Cohort(seed, tuple(runs), cases, projects)


def _index(number: int) -> str:
    return "".join(BASES[number >> 2 * place & 3] for place in range(7, -1, -1))


def _cases(chance: random.Random, everybody: Sequence[Sample]) -> Iterator[Case]:
    left = [one for one in everybody if chance.random() >= UNORDERED_SHARE]
    while left:
        kind = chance.choice(KINDS)
        of_one = {one.project for one in left[: len(ROLES[kind])]}  # no order is of two projects
        if len(ROLES[kind]) > len(left) or len(of_one) > 1:
            kind = "single"
        members, left = left[: len(ROLES[kind])], left[len(ROLES[kind]) :]
        yield Case(f"C-{members[0].name}", kind, tuple(members))


# -- what the porches report


def wishes(cohort: Cohort) -> list[SubscriptionCreated]:
    """Who wants to be told: each project of failures by letter, and of its runs by webhook."""
    found = []
    for project in cohort.projects:
        by_letter = SubscriptionCreated(
            subscription_id=f"{project}-letters", account_id="lab", channel="email",
            target=f"{project.lower()}@example.org", event_types=("QcFailed", "FileRejected"),
            project_ids=(project,),
        )  # fmt: skip
        by_hook = SubscriptionCreated(
            subscription_id=f"{project}-hooks", account_id="lab", channel="webhook",
            target=f"https://lab.example.org/{project}", secret_names=(project,),
            event_types=("RunSucceeded", "RunFailed", "ResultsPublished", "ResultsHeld"),
            project_ids=(project,),
        )  # fmt: skip
        found += [by_letter, by_hook]
    everybody = SubscriptionCreated(
        subscription_id="director", account_id="lab", channel="email",
        target="director@example.org", event_types=("SequencingRunQcFailed", "DemultiplexFailed"),
    )  # fmt: skip
    return [*found, everybody]


def reported(cohort: Cohort, begun_at: datetime) -> list[Event]:
    """Every fact from outside, in the order in which it comes; half of the orders come late."""
    chance = random.Random(f"orders {cohort.seed}")
    on_run = {one.name: number for number, run in enumerate(cohort.runs) for one in run.samples}
    facts: list[Event] = [*wishes(cohort)]
    late: dict[int, list[Event]] = {}
    early: dict[int, list[Event]] = {}
    for case in cohort.cases:
        number = max(on_run[one.name] for one in case.samples)
        whole = early if chance.random() < 0.5 else late
        whole.setdefault(number, []).append(_order(case))
    for number, run in enumerate(cohort.runs):
        facts += early.get(number, ())
        facts += _of_run(run)
        facts += late.get(number, ())
    return [
        from_outside(fact, begun_at + timedelta(milliseconds=n)) for n, fact in enumerate(facts)
    ]


def from_outside(fact: E, at: datetime) -> E:
    """The fact as its porch appends it; whoever reports it again reports the same one."""
    return begin(fact, occurred_at=at, actor=somebody(), by=someone())


def _order(case: Case) -> CaseOpened:
    return CaseOpened(
        case_id=case.name, kind=case.kind, assay=ASSAY, reference=REFERENCE, source="tests",
        project_id=case.samples[0].project,
        members=tuple(
            CaseMember(sample_id=one.name, role=role, subject_ref=f"subject-{one.name}")
            for one, role in zip(case.samples, ROLES[case.kind], strict=True)
        ),
    )  # fmt: skip


def _of_run(run: SequencingRun) -> list[Event]:
    folder = f"file:///runs/{run.name}"
    rows = tuple(
        SampleSheetRow(
            lane=1, sample_id=one.name, library_id=f"{one.name}_L", index1=one.index,
            project_id=one.project,
        )
        for one in run.samples
    )  # fmt: skip
    return [
        SequencingRunStarted(
            instrument_run_id=run.name, instrument_id="M1", instrument_model="MiSeq",
            platform="illumina", flow_cell_id=run.cell, lanes=1, reads=READS, run_folder=folder,
            run_info_sha256=sha(f"info {run.name}"),
        ),
        SampleSheetAttached(
            instrument_run_id=run.name, revision=1, sheet_version="v2",
            sheet_uri=f"{folder}/sheet.csv", sheet_sha256=sha(f"sheet {run.name}"), rows=rows,
            i5_orientation="forward",
        ),
        SequencingRunCompleted(
            instrument_run_id=run.name, marker="RTAComplete.txt", run_folder=folder, file_count=9,
            total_bytes=9,
        ),
        SequencingRunMirrored(
            instrument_run_id=run.name, bucket="raw", prefix=f"runs/{run.name}", file_count=9,
            total_bytes=9, manifest_key=f"runs/{run.name}.manifest",
            manifest_sha256=sha(f"manifest {run.name}"),
        ),
    ]  # fmt: skip
