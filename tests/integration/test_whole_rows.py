"""Every read model over the log of a whole cohort: the same rows, however they came to be.

A model of MODELS is tested here from its first day.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import pytest

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.log.recorded import Recorded
from genoflow.projections import cases, runs, subscriptions
from genoflow.projections.asking import case as asked_case
from genoflow.projections.asking import file as asked_file
from genoflow.projections.asking import run as asked_pipeline_run
from genoflow.projections.asking import sample as asked_sample
from genoflow.projections.asking import sequencing as asked_run
from genoflow.projections.asking import subscription as asked_subscription
from genoflow.projections.audit_trail import recorded_events
from genoflow.projections.folding import STATES_MAX, Folder
from genoflow.projections.model import AnyModel
from genoflow.projections.models import MODELS
from genoflow.projections.store import Batch, Build, begin_build, drop_build
from genoflow.projections.writing import apply
from tests.integration.rows import Rows, all_pages, rows_of
from tests.partition import CODEC
from tests.simulation.whole import logged
from tests.whole.cohort import make

SEED, SAMPLES, PER_RUN = 3, 24, 12  # some 700 events of two runs
PIECE_MAX = 40  # records
# A cohort publishes no document and no rules, nothing of it is parked, and nobody uploads files.
UNHEARD = {"alerts", "documents", "parked", "uploads"}
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)


@cache
def cohort() -> tuple[Event, ...]:
    """All that is said of two dozen samples, from the instrument to those who are told."""
    return tuple(logged(make(SEED, SAMPLES, PER_RUN)))


@pytest.fixture
async def rows(tables_url: str) -> AsyncIterator[Rows]:
    """Every read model, brought to the end of the cohort's log at once."""
    async with rows_of(tables_url, *MODELS[1:]) as opened:  # the audit trail is always there
        for event in cohort():
            await opened.log.append(event)
        await opened.follow()
        yield opened


def pieces(records: Sequence[Recorded], size: int, seed: int) -> Iterator[Batch]:
    """The records of one partition in batches that follow each other."""
    chance = random.Random(f"pieces {seed}")
    begin = 0
    while begin < len(records):
        some = records[begin : begin + chance.randint(1, size)]
        first, end = records[begin].offset, some[-1].offset + 1
        yield Batch(some[0].topic, some[0].partition, first, end, some)
        begin += len(some)


async def built(
    rows: Rows, model: AnyModel, *, size: int, states_max: int = STATES_MAX, seed: int = 0
) -> Build:
    """Another build of this model from the same log, in pieces."""
    load = partial(recorded_events, rows.connection, CODEC)
    build = await begin_build(rows.connection, model)
    folder = Folder(model, load, states_max=states_max)
    for topic in model.reads:
        by_partition: dict[int, list[Recorded]] = {}
        async for record in rows.log.read_topic(topic.name):
            by_partition.setdefault(record.partition, []).append(record)
        for records in by_partition.values():
            for batch in pieces(records, size, seed):
                await apply(rows.connection, build, folder, [batch])
    return build


async def content(connection: Any, schema: str, model: AnyModel) -> dict[str, list[str]]:
    """All rows of a build, and all their versions."""
    found = {}
    for name in (name for table in model.tables for name in table.names):
        told = await connection.fetch(f"select t::text as row from {schema}.{name} t order by 1")
        found[name] = [one["row"] for one in told]
    return found


def test_no_two_read_models_share_a_table() -> None:
    names = [name for model in MODELS for table in model.tables for name in table.names]
    assert len(names) == len(set(names)), "the later one would hide the other from its readers"


@every_model
async def test_pieces_and_few_states_give_the_rows_of_one_piece(
    rows: Rows, model: AnyModel
) -> None:
    expected = await content(rows.connection, "live", model)
    assert model.name in UNHEARD or any(expected.values())
    for seed in range(2):
        build = await built(rows, model, size=PIECE_MAX, seed=seed)
        assert await content(rows.connection, build.name, model) == expected
        await drop_build(rows.connection, build.name)
    build = await built(rows, model, size=PIECE_MAX, states_max=1)
    assert await content(rows.connection, build.name, model) == expected
    assert await rows.set_aside() == []


@every_model
async def test_an_event_that_comes_again_makes_no_row(rows: Rows, model: AnyModel) -> None:
    expected = await content(rows.connection, "live", model)
    for event in random.Random("again").sample(cohort(), 100):
        await rows.log.append(event)
    await rows.follow()
    assert await content(rows.connection, "live", model) == expected


def subjects(topic: topics.Topic) -> dict[str, list[Event]]:
    """What was said of each subject of the cohort."""
    found: dict[str, list[Event]] = {}
    for event in cohort():
        if event.topic == topic.name:
            found.setdefault(event.key, []).append(event)
    return found


async def states(rows: Rows, table: str, key: str) -> dict[str, str]:
    """Each subject's state, as a read model has it."""
    found = await rows.connection.fetch(f"select {key} as key, state from live.{table}")
    return {row["key"]: row["state"] for row in found}


def files_of(stories: Iterable[list[Event]]) -> Iterator[tuple[str, str]]:
    """The files of these subjects, each with its word."""
    for events in stories:
        known: asked_file.Files = {}
        for event in events:
            if isinstance(event, asked_file.TAKES):
                asked_file.take(known, topics.BY_NAME[event.topic], event)
        yield from ((str(name), asked_file.word(file)) for name, file in known.items())


async def test_the_states_are_those_that_people_are_told(rows: Rows) -> None:
    samples = subjects(topics.SAMPLE)
    assert await states(rows, "samples", "sample_id") == {
        key: asked_sample.word(asked_sample.sample_of(key, events))
        for key, events in samples.items()
    }
    runs = subjects(topics.SEQUENCING_RUN)
    assert await states(rows, "sequencing_runs", "instrument_run_id") == {
        key: asked_run.word(asked_run.sequencing_run_of(key, events))
        for key, events in runs.items()
    }
    name = "bucket || '/' || object_key || '@' || version_id"
    assert await states(rows, "files", name) == dict(files_of([*samples.values(), *runs.values()]))


async def test_runs_cases_and_subscriptions_say_what_people_are_told(rows: Rows) -> None:
    of_case: dict[str | None, list[asked_pipeline_run.Run]] = {}
    known = {}
    for key, events in subjects(topics.RUN).items():
        known[key] = run = asked_pipeline_run.run_of(key, events)
        of_case.setdefault(run.case_id, []).append(run)
    found = await all_pages(runs.list_runs, rows.connection, runs.ORDER, 7)
    assert {one["run_id"]: (one["state"], one["since"]) for one in found} == {
        key: (asked_pipeline_run.word(run), run.at) for key, run in known.items()
    }
    found = await all_pages(cases.list_cases, rows.connection, cases.ORDER, 7)
    assert {one["case_id"]: one["state"] for one in found} == {
        key: asked_case.word(asked_case.case_of(key, events), of_case.get(key, ()))
        for key, events in subjects(topics.CASE).items()
    }
    found = await all_pages(
        subscriptions.list_subscriptions, rows.connection, subscriptions.ORDER, 7
    )
    told = {
        key: asked_subscription.subscription_of(key, events)
        for key, events in subjects(topics.NOTIFICATION).items()
    }
    assert {one["subscription_id"]: (one["state"], one["sent"]) for one in found} == {
        key: (asked_subscription.word(one), asked_subscription.facts(one)["sent"])
        for key, one in told.items()
    }
