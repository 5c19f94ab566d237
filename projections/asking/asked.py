"""One question about one subject, answered from a source: hops between topics are made here.

A sample leads to its cases, a case to its members and its runs, a run to its case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Any

from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.proposal import Proposal, ProposalRefused
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.topics import Topic
from genoflow.projections.asking import case as cases
from genoflow.projections.asking import file as files
from genoflow.projections.asking import run as runs
from genoflow.projections.asking import sample as samples
from genoflow.projections.asking import sequencing
from genoflow.projections.asking.case import Case
from genoflow.projections.asking.file import File, FileName, Files
from genoflow.projections.asking.run import Run
from genoflow.projections.asking.run_news import WATCH
from genoflow.projections.asking.sample import Sample
from genoflow.projections.asking.source import Source, names_of
from genoflow.projections.asking.subject import Answer, notes

WITH_FILES = (topics.SAMPLE, topics.SEQUENCING_RUN)


class Unheard(Refused):
    """Nothing is known of what was asked about."""


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


async def _events(source: Source, topic: Topic, kind: str, key: str) -> list[Event]:
    events = (await source.events_of(topic, [key]))[key]
    if all(isinstance(one, Proposal | ProposalRefused) for one in events):
        instrument = ", or name a run as its folder is named" if kind == "run" else ""
        raise Unheard(
            f"{kind} {key!r}: nothing on the log is about it; `genoflow {kind} list` shows those "
            f"that there are{instrument}"
        )
    return events


async def about_sample(source: Source, key: str) -> Told:
    """A sample, and its cases where they are closed, or wait for something else than its reads."""
    sample = samples.sample_of(key, await _events(source, topics.SAMPLE, "sample", key))
    reasons = [(key, one) for one in [*samples.why(sample), *notes(sample)]]
    reasons += await _parked(source, topics.SAMPLE, key)
    reasons += await _why_sequencing(source, sample)
    orders = await source.events_of(topics.CASE, sample.cases)
    for case in (cases.case_of(case_id, orders[case_id]) for case_id in sample.cases):
        if case.closed is not None or sample.is_through:
            reasons += [(case.key, one) for one in await _why_case(source, case)]
    return Told(key, samples.facts(sample), reasons)


async def _why_sequencing(source: Source, sample: Sample) -> list[tuple[str, Answer]]:
    """Why the runs that should have read it did not, as long as it has no read set."""
    if sample.active or (sample.left and not sample.cases):
        return []
    ids = dict.fromkeys(one.instrument_run_id for one in sample.registrations)
    stories = await source.events_of(topics.SEQUENCING_RUN, [one for one in ids if one])
    return [
        (f"run {key}", answer)
        for key, events in stories.items()
        if events
        for answer in sequencing.why(sequencing.sequencing_run_of(key, events))
    ]


async def about_case(source: Source, key: str) -> Told:
    """A case, by its members and its runs."""
    events = await _events(source, topics.CASE, "case", key)
    case = cases.case_of(key, events)
    its_runs = await runs_of(source, key)
    facts = cases.facts(case, its_runs)
    reasons = [(key, one) for one in [*await _why_case(source, case, its_runs), *notes(case)]]
    return Told(key, facts, [*reasons, *await _parked(source, topics.CASE, key)])


async def about_sequencing_run(source: Source, key: str) -> Told:
    """A run of an instrument."""
    story = await _events(source, topics.SEQUENCING_RUN, "run", key)
    machine = sequencing.sequencing_run_of(key, story)
    told = [*sequencing.why(machine), *sequencing.strangers(machine), *notes(machine)]
    reasons = [(key, one) for one in told]
    reasons += await _parked(source, topics.SEQUENCING_RUN, key)
    return Told(key, sequencing.facts(machine), reasons)


async def about_pipeline_run(source: Source, key: str) -> Told:
    """A run of a pipeline, and the case that it is for."""
    key = key.lower()
    run = runs.run_of(key, await _events(source, topics.RUN, "run", key))
    if not isinstance(run.stage, RunSubmitted | RunStarted):
        run.deadlines.pop(WATCH, None)  # the clock keeps it, and nobody waits for it any more
    reasons = [(key, one) for one in [*runs.why(run), *notes(run)]]
    if run.case_id is not None:
        newest_first = reversed(await runs_of(source, run.case_id))
        later = takewhile(lambda one: one.key != key, newest_first)
        reasons += [(key, one) for one in runs.of_later(run, later)]
        way = f"ask `genoflow case why {run.case_id}`"
        reasons.append((key, Answer(f"is for case {run.case_id}", way=way, is_waiting=False)))
    return Told(key, runs.facts(run), [*reasons, *await _parked(source, topics.RUN, key)])


async def about_run(source: Source, key: str) -> Told:
    """A run of an instrument where there is one of this name, else a run of a pipeline."""
    try:
        return await about_sequencing_run(source, key)
    except Unheard:
        return await about_pipeline_run(source, key)


async def about_file(source: Source, name: str) -> Told:
    """A file, every version of it, by bucket and key or by its key alone."""
    found: list[tuple[Topic, File]] = []
    for topic in WITH_FILES:
        keys = [one.key for one in sorted(await source.landed_as(topic, name))]
        found += [
            (topic, one)
            for one in await _files_of(source, topic, keys)
            if name in names_of(*one.name)
        ]
    if not found:
        raise Unheard(
            f"file {name!r}: none landed under this name; `genoflow file list` shows those that did"
        )
    return await _of_files(source, found)


async def about_version(source: Source, topic: Topic, key: str, name: FileName) -> Told:
    """One version of a file under one subject."""
    mine = [one for one in await _files_of(source, topic, [key]) if one.name == name]
    if not mine:
        raise Unheard(f"file {name}: nothing on the log of {key} is about it")
    return await _of_files(source, [(topic, one) for one in mine])


async def _files_of(source: Source, topic: Topic, keys: Sequence[str]) -> list[File]:
    found: list[File] = []
    for events in (await source.events_of(topic, keys)).values():
        known: Files = {}
        for number, event in enumerate(events):
            if isinstance(event, files.TAKES):
                files.take(known, topic, event, number)
        files.compare(known, events)
        found += known.values()
    return found


async def _of_files(source: Source, found: Sequence[tuple[Topic, File]]) -> Told:
    reasons: list[tuple[str, Answer]] = []
    for topic, file in found:
        reasons.append((str(file.name), files.why(file)))
        if topic is topics.SAMPLE and not file.is_unassigned and file.assigned is None:
            way = f"ask `genoflow sample why {file.row.subject}`"
            whose = Answer(f"is a file of sample {file.row.subject}", way=way, is_waiting=False)
            reasons.append((str(file.name), whose))
    for topic, key in dict.fromkeys((topic, file.row.subject) for topic, file in found):
        reasons += await _parked(source, topic, key)
    versions = [files.facts(file) for _, file in found]
    return Told(found[-1][1].row.subject, {"versions": versions}, reasons)


async def runs_of(source: Source, case_id: str) -> list[Run]:
    """The runs that were asked for a case, in the order of their revisions."""
    asked: dict[str, tuple[int, datetime]] = {}
    for event in await source.requests_for(case_id):
        # A revision has more than one run where a person asked for it again.
        asked.setdefault(event.key, (event.case_revision, event.envelope.occurred_at))
    events = await source.events_of(topics.RUN, asked)
    in_order = sorted(asked, key=lambda key: (*asked[key], key))
    return [runs.run_of(key, events[key]) for key in in_order]


async def _why_case(source: Source, case: Case, its_runs: list[Run] | None = None) -> list[Answer]:
    names = [one.sample_id for one in case.opened.members] if case.opened else []
    events = await source.events_of(topics.SAMPLE, names)
    members = {name: samples.sample_of(name, events[name]) for name in names}
    if its_runs is None:
        its_runs = await runs_of(source, case.key)
    return cases.why(case, members, its_runs)


async def _parked(source: Source, topic: Topic, key: str) -> list[tuple[str, Answer]]:
    return [
        (
            key,
            Answer(
                f"is parked for {one.processor}: {one.cause.rstrip('.')}", one.taken_at,
                f"`genoflow parked show {str(one.parked_id)[:8]}` tells more, and a person decides",
            ),
        )
        for one in await source.parked(topic, key)
    ]  # fmt: skip
