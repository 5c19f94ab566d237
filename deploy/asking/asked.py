"""One question about one subject, answered from the log: hops between topics are made here.

A sample leads to its cases, a case to its members and its runs, a run to its case.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Any

from genoflow.deploy.asking import case as cases
from genoflow.deploy.asking import file as files
from genoflow.deploy.asking import run as runs
from genoflow.deploy.asking import sample as samples
from genoflow.deploy.asking import sequencing
from genoflow.deploy.asking.case import Case
from genoflow.deploy.asking.file import File, Files
from genoflow.deploy.asking.run import Run
from genoflow.deploy.asking.sample import Sample
from genoflow.deploy.asking.subject import Answer, fold, notes
from genoflow.deploy.parked import Parking
from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.proposal import Proposal, ProposalRefused
from genoflow.events.run_requested import RunRequested
from genoflow.events.topics import Topic
from genoflow.processors.subjects import Subjects

WITH_FILES = (topics.SAMPLE, topics.SEQUENCING_RUN)


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a subject: its facts, and why it is where it is, a sentence a reason."""

    key: str  # of the subject on its topic
    facts: dict[str, Any]
    reasons: list[tuple[str, Answer]] = field(default_factory=list)  # each about whom

    @property
    def sentences(self) -> list[str]:
        """The reasons as people read them."""
        return [answer.about(whom) for whom, answer in self.reasons]


async def _events(subjects: Subjects, topic: Topic, kind: str, key: str) -> list[Event]:
    events = (await subjects.events_of(topic, [key]))[key]
    if all(isinstance(one, Proposal | ProposalRefused) for one in events):
        instrument = ", or name a run as its folder is named" if kind == "run" else ""
        raise Refused(
            f"{kind} {key!r}: nothing on the log is about it; `genoflow {kind} list` shows those "
            f"that there are{instrument}"
        )
    return events


async def about_sample(subjects: Subjects, parked: Iterable[Parking], key: str) -> Told:
    """A sample, and its cases where they are closed, or wait for something else than its reads."""
    sample = samples.sample_of(key, await _events(subjects, topics.SAMPLE, "sample", key))
    reasons = [(key, one) for one in [*samples.why(sample), *notes(sample)]]
    reasons += _parked(parked, topics.SAMPLE, key)
    reasons += await _why_sequencing(subjects, sample)
    orders = await subjects.events_of(topics.CASE, sample.cases)
    for case in (cases.case_of(case_id, orders[case_id]) for case_id in sample.cases):
        if case.closed is not None or sample.is_through:
            reasons += [(case.key, one) for one in await _why_case(subjects, case)]
    return Told(key, samples.facts(sample), reasons)


async def _why_sequencing(subjects: Subjects, sample: Sample) -> list[tuple[str, Answer]]:
    """Why the runs that should have read it did not, as long as it has no read set."""
    if sample.active or (sample.left and not sample.cases):
        return []
    ids = dict.fromkeys(one.instrument_run_id for one in sample.registered)
    stories = await subjects.events_of(topics.SEQUENCING_RUN, [one for one in ids if one])
    return [
        (f"run {key}", answer)
        for key, events in stories.items()
        if events
        for answer in sequencing.why(sequencing.sequencing_run_of(key, events))
    ]


async def about_case(subjects: Subjects, parked: Iterable[Parking], key: str) -> Told:
    """A case, by its members and its runs."""
    events = await _events(subjects, topics.CASE, "case", key)
    case = cases.case_of(key, events)
    its_runs = await runs_of(subjects, key)
    facts = cases.facts(case, its_runs)
    reasons = [(key, one) for one in [*await _why_case(subjects, case, its_runs), *notes(case)]]
    return Told(key, facts, [*reasons, *_parked(parked, topics.CASE, key)])


async def about_run(subjects: Subjects, parked: Iterable[Parking], key: str) -> Told:
    """A run of a pipeline and the case that it is for, or a run of an instrument."""
    story = (await subjects.events_of(topics.SEQUENCING_RUN, [key]))[key]
    if story:
        machine = sequencing.sequencing_run_of(key, story)
        told = [(key, one) for one in [*sequencing.why(machine), *notes(machine)]]
        told += _parked(parked, topics.SEQUENCING_RUN, key)
        return Told(key, sequencing.facts(machine), told)
    key = key.lower()
    run = runs.run_of(key, await _events(subjects, topics.RUN, "run", key))
    reasons = [(key, one) for one in [*runs.why(run), *notes(run)]]
    if run.case_id is not None:
        newest_first = reversed(await runs_of(subjects, run.case_id))
        later = takewhile(lambda one: one.key != key, newest_first)
        reasons += [(key, one) for one in runs.of_later(run, later)]
        way = f"ask `genoflow case why {run.case_id}`"
        reasons.append((key, Answer(f"is for case {run.case_id}", way=way, is_waiting=False)))
    return Told(key, runs.facts(run), [*reasons, *_parked(parked, topics.RUN, key)])


async def about_file(subjects: Subjects, parked: Iterable[Parking], name: str) -> Told:
    """A file, every version of it, by bucket and key or by its key alone."""
    found: list[tuple[Topic, File]] = []
    for topic in WITH_FILES:
        keys: dict[str, None] = {}
        async with aclosing(subjects.every(topic, FileLanded)) as landings:
            async for event in landings:
                if isinstance(event, FileLanded) and _is_called(event, name):
                    keys[event.key] = None
        for events in (await subjects.events_of(topic, keys)).values():
            known: Files = {}
            for number, event in enumerate(events):
                if isinstance(event, files.TAKES):
                    files.take(known, event, number)
            found += [(topic, one) for one in known.values() if _is_called(one.name, name)]
    if not found:
        raise Refused(
            f"file {name!r}: none landed under this name; `genoflow file list` shows those that did"
        )
    reasons: list[tuple[str, Answer]] = []
    for topic, file in found:
        reasons.append((str(file.name), files.why(file)))
        if topic is topics.SAMPLE and not file.is_unassigned and file.assigned is None:
            way = f"ask `genoflow sample why {file.subject}`"
            whose = Answer(f"is a file of sample {file.subject}", way=way, is_waiting=False)
            reasons.append((str(file.name), whose))
    for topic, key in dict.fromkeys((topic, file.subject) for topic, file in found):
        reasons += _parked(parked, topic, key)
    versions = [files.facts(file) for _, file in found]
    return Told(found[-1][1].subject, {"versions": versions}, reasons)


def _is_called(file: FileLanded | files.FileName, name: str) -> bool:
    place = f"{file.bucket}/{file.object_key}"
    return name in (file.object_key, place, f"{place}@{file.version_id}")


async def runs_of(subjects: Subjects, case_id: str) -> list[Run]:
    """The runs that were asked for a case, in the order of their revisions."""
    asked: dict[str, tuple[int, datetime]] = {}
    async with aclosing(subjects.every(topics.RUN, RunRequested)) as requests:
        async for event in requests:
            if isinstance(event, RunRequested) and event.case_id == case_id:
                # A revision has more than one run where a person asked for it again.
                asked.setdefault(event.key, (event.case_revision, event.envelope.occurred_at))
    events = await subjects.events_of(topics.RUN, asked)
    return [runs.run_of(key, events[key]) for key in sorted(asked, key=lambda key: asked[key])]


async def _why_case(
    subjects: Subjects, case: Case, its_runs: list[Run] | None = None
) -> list[Answer]:
    names = [one.sample_id for one in case.opened.members] if case.opened else []
    events = await subjects.events_of(topics.SAMPLE, names)
    members = {name: samples.sample_of(name, events[name]) for name in names}
    if its_runs is None:
        its_runs = await runs_of(subjects, case.key)
    return cases.why(case, members, its_runs)


def _parked(parked: Iterable[Parking], topic: Topic, key: str) -> list[tuple[str, Answer]]:
    return [
        (
            key,
            Answer(
                f"is parked for {one.fact.processor}: {one.error.rstrip('.')}",
                one.fact.recorded_at,
                f"`genoflow parked show {str(one.event_id)[:8]}` tells more, and a person decides",
            ),
        )
        for one in parked
        if one.answer is None
        and (one.fact.input_topic, one.fact.subject_key) == (topic.name, key)
    ]  # fmt: skip


# -- all of them


@dataclass(frozen=True, slots=True)
class Row:
    """A subject in a list."""

    id: str
    state: str
    last: str
    last_at: Any


# Each is a few kB of facts: 100,000 of them are some hundred MB.
SUBJECTS_MAX = 100_000


def _room(count: int, kind: str) -> None:
    if count > SUBJECTS_MAX:
        raise Refused(
            f"{kind}: more than {SUBJECTS_MAX:,} stand on the log; ask about one of them by its id"
        )


async def all_samples(subjects: Subjects) -> list[Row]:
    """Every sample, the one with the newest event first."""
    known: dict[str, samples.Sample] = {}
    async with aclosing(subjects.every(topics.SAMPLE)) as events:
        async for event in events:
            sample = known.setdefault(event.key, samples.Sample(event.key))
            _room(len(known), "sample")
            fold(sample, [event], samples.USES)
    of_none = ("unassigned", "assigned")  # files that landed without a sample
    mine = [one for one in known.values() if samples.word(one) not in of_none]
    return _sorted(Row(o.key, samples.word(o), o.last_type, o.last_at) for o in mine)


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
            if isinstance(event, Proposal | ProposalRefused):
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
                name = files.take(known.setdefault(event.key, {}), event)
                last[event.key, name] = event
                _room(len(last), "file")
    return _sorted(
        Row(str(name), files.word(known[key][name]), event.type(), event.envelope.occurred_at)
        for (key, name), event in last.items()
    )


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.last_at, row.id), reverse=True)
