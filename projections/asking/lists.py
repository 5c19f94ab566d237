"""Lists of all subjects of a kind, folded from every event of its topic."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.proposal import Proposal, ProposalRefused
from genoflow.events.sample_unlisted import SampleUnlisted
from genoflow.events.subjects import Subjects
from genoflow.projections.asking import case as cases
from genoflow.projections.asking import file as files
from genoflow.projections.asking import run as runs
from genoflow.projections.asking import sample as samples
from genoflow.projections.asking.asked import WITH_FILES
from genoflow.projections.asking.case import Case
from genoflow.projections.asking.file import Files
from genoflow.projections.asking.run import Run
from genoflow.projections.asking.sample import Sample
from genoflow.projections.asking.subject import fold

UNLISTED_SAMPLE = "unlisted sample"  # a kind of its own where lists are asked for


@dataclass(frozen=True, slots=True)
class Row:
    """A subject in a list."""

    id: str
    state: str
    last: str
    last_at: Any  # of whatever was heard of, there is a time


@dataclass(frozen=True, slots=True)
class Page:
    """The first rows of a list, and how many it has."""

    rows: list[Row]
    total: int


# Each is a few kB of facts: 100,000 of them are some hundred MB.
SUBJECTS_MAX = 100_000


def _room(count: int, kind: str) -> None:
    if count > SUBJECTS_MAX:
        raise Refused(
            f"{kind}: more than {SUBJECTS_MAX:,} stand on the log; ask about one of them by its id"
        )


async def read_rows(subjects: Subjects, kind: str, limit: int) -> Page:
    """The samples, cases, runs or files with the newest events, and how many there are."""
    every = {
        "sample": all_samples,
        UNLISTED_SAMPLE: unlisted_samples,
        "case": all_cases,
        "run": all_runs,
        "file": all_files,
    }
    rows = await every[kind](subjects)
    return Page(rows[:limit], len(rows))


async def all_samples(subjects: Subjects) -> list[Row]:
    """Every sample, the one with the newest event first."""
    return _sample_rows(await _samples(subjects))


async def unlisted_samples(subjects: Subjects) -> list[Row]:
    """Those that the sheet of a run does not hold which their files name."""
    known = await _samples(subjects)
    return _sample_rows(one for one in known if isinstance(one.on_sheet, SampleUnlisted))


async def _samples(subjects: Subjects) -> list[Sample]:
    known: dict[str, Sample] = {}
    async with aclosing(subjects.every(topics.SAMPLE)) as events:
        async for event in events:
            sample = known.setdefault(event.key, Sample(event.key))
            _room(len(known), "sample")
            fold(sample, [event], samples.USES)
    of_none = ("unassigned", "assigned")  # files that landed without a sample
    return [one for one in known.values() if samples.word(one) not in of_none]


def _sample_rows(found: Iterable[Sample]) -> list[Row]:
    return _sorted(Row(o.key, samples.word(o), o.last_type, o.last_at) for o in found)


async def all_runs(subjects: Subjects) -> list[Row]:
    """Every run of a pipeline, the one with the newest event first."""
    known = await _runs(subjects)
    return _sorted(Row(o.key, runs.word(o), o.last_type, o.last_at) for o in known.values())


async def _runs(subjects: Subjects) -> dict[str, Run]:
    known: dict[str, Run] = {}
    async with aclosing(subjects.every(topics.RUN)) as events:
        async for event in events:
            run = known.setdefault(event.key, Run(event.key))
            _room(len(known), "run")
            fold(run, [event], runs.USES)
    return known


async def all_cases(subjects: Subjects) -> list[Row]:
    """Every case, the one with the newest event first; a run says how far its case is."""
    known: dict[str, Case] = {}
    async with aclosing(subjects.every(topics.CASE)) as events:
        async for event in events:
            if event.key not in known and isinstance(event, Proposal | ProposalRefused):
                continue  # an order that was refused is no case
            case = known.setdefault(event.key, Case(event.key))
            _room(len(known), "case")
            fold(case, [event], cases.USES)
    its_runs: dict[str, list[Run]] = {}
    for run in (await _runs(subjects)).values():
        its_runs.setdefault(run.case_id or "", []).append(run)
    return _sorted(
        Row(o.key, cases.word(o, its_runs.get(o.key, ())), o.last_type, o.last_at)
        for o in known.values()
    )


async def all_files(subjects: Subjects) -> list[Row]:
    """Every version of a file, the one with the newest event first."""
    known: dict[str, Files] = {}
    last: dict[tuple[str, files.FileName], Event] = {}
    for topic in WITH_FILES:
        async with aclosing(subjects.every(topic, *files.TAKES)) as events:
            async for event in events:
                name = files.take(known.setdefault(event.key, {}), topic, event)
                last[event.key, name] = event
                _room(len(last), "file")
    return _sorted(
        Row(str(name), files.word(known[key][name]), event.type(), event.envelope.occurred_at)
        for (key, name), event in last.items()
    )


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.last_at, row.id), reverse=True)
