"""Which stories tell of the provenance of results, and by which names people ask for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from typing import Any, Protocol
from uuid import UUID

from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.log.recorded import Recorded
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_published import ResultsPublished
from genoflow.events.run_requested import RunRequested
from genoflow.events.topics import Topic
from genoflow.projections.asking.provenance import provenance_of
from genoflow.projections.asking.provenance_parts import Provenance
from genoflow.projections.asking.source import names_of

LISTS_FILES = (ResultsCollected, ResultsPublished, ResultsAmended)


class Records(Protocol):
    """Facts about subjects, as they stand on the log."""

    async def records_of(self, topic: Topic, keys: Collection[str]) -> dict[str, list[Recorded]]:
        """All records of these subjects, each once and in the order of its key."""

    def every(self, topic: Topic, *types: type[Event]) -> AsyncGenerator[Event, None]:
        """All events of a topic, or those of these types; leave it early only in `aclosing`."""


async def provenance_told(source: Records, name: str) -> Provenance:
    """From what the results of this run, case or file were made; Refused where it is none.

    Of a case it is the run that was published last, of a file the run that left it.
    """
    run_id = await run_named(source, name)
    return provenance_of(run_id, await records_behind(source, run_id))


async def run_named(source: Records, name: str) -> str:
    """The run that people mean: by its id, by its case, by a file that it left."""
    try:
        return str(UUID(name))
    except ValueError:
        pass
    of_case: list[Any] = []
    of_file: list[Any] = []
    async with aclosing(source.every(topics.RUN, *LISTS_FILES)) as events:
        async for event in events:
            assert isinstance(event, LISTS_FILES)
            if event.case_id == name:
                of_case.append(event)
            if any(_is_named(one, name) for one in event.files):
                of_file.append(event)
    found = of_case or of_file
    if not found:
        raise Refused(
            f"{name!r}: is no run, no case with results, and no file of results; "
            f"`genoflow results show` lists the files of a run or case"
        )
    published = [one for one in found if isinstance(one, ResultsPublished)]
    newest = max(published or found, key=lambda one: (one.envelope.occurred_at, one.key))
    return str(newest.key)


def _is_named(file: Any, name: str) -> bool:
    """Whether people call it so: by its place, its key, with its version, or by its checksum."""
    plain = name.removeprefix("s3://")
    return file.sha256 == name or plain in names_of(file.bucket, file.object_key, file.version_id)


async def records_behind(source: Records, run_id: str) -> list[Recorded]:
    """The stories of the run, its case, samples and documents, and of its instruments' runs."""
    found = (await source.records_of(topics.RUN, [run_id]))[run_id]
    asked: Any = next((one.event for one in found if isinstance(one.event, RunRequested)), None)
    if asked is None:
        return found
    samples = list(dict.fromkeys(one.sample_id for one in asked.members))
    documents = [asked.pipeline, asked.reference, asked.profile, asked.target_set]
    for topic, keys in (
        (topics.CASE, [asked.case_id]),
        (topics.SAMPLE, samples),
        (topics.CATALOG, list(dict.fromkeys(one for one in documents if one is not None))),
        (topics.PARKED, [run_id, asked.case_id, *samples]),
    ):
        found += _flat(await source.records_of(topic, keys))
    sets = [one.event for one in found if isinstance(one.event, ReadSetRegistered)]
    machines = dict.fromkeys(
        one.instrument_run_id
        for one in sets
        if isinstance(one, ReadSetRegistered) and one.instrument_run_id is not None
    )
    return found + _flat(await source.records_of(topics.SEQUENCING_RUN, list(machines)))


def _flat(stories: dict[str, list[Recorded]]) -> list[Recorded]:
    return [record for story in stories.values() for record in story]
