"""Answers about subjects under contract: from the log and from rows, the same to every question."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import asyncpg
import pytest
from pydantic_core import to_jsonable_python

from genoflow.deploy import answers as reading
from genoflow.deploy.answers import Answers, FromLog, FromStore
from genoflow.deploy.parked import read_parkings
from genoflow.deploy.subscriptions import subscriptions_of
from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.event_parked import EventParked
from genoflow.events.event_requeued import EventRequeued
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.recorded import Recorded
from genoflow.events.run_requested import RunRequested
from genoflow.events.sample_unlisted import SampleUnlisted
from genoflow.processors.flow import PROCESSORS
from genoflow.projections.asking import asked
from genoflow.projections.asking.asked import Unheard
from genoflow.projections.asking.lists import UNLISTED_SAMPLE
from genoflow.projections.asking.results import about_results
from genoflow.projections.asking.subscription import subscription_of
from genoflow.projections.asking.subscription import why as why_told
from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.models import MODELS
from genoflow.projections.runner import bring_up
from tests.asked import joined, landed, like
from tests.integration.rows_over_http import first, log_of
from tests.partition import CODEC, MOMENT
from tests.spec import heard

KINDS = ("sample", "case", "run", "file")
PARKED = 7  # events of the cohort
Ask = Callable[..., Awaitable[Any]]


async def park(log: MemoryLog) -> None:
    """Park what stands on the topic of samples, answer one of it, and add what is no event."""
    records: list[Recorded] = [one async for one in log.read_topic(topics.SAMPLE.name)]
    for number, record in enumerate(records[:: len(records) // PARKED]):
        fact = like(
            EventParked, subject_key=record.key, processor="check-qc",
            input_topic=record.topic, partition=record.partition, offset=record.offset,
            effect_id=None, parked_event_id=record.event.envelope.event_id,
            parked_type=record.type, error=f"{record.position}: nobody answers {number}",
            recorded_at=record.recorded_at,
        )  # fmt: skip
        await log.append(heard(EventParked(**dict(fact))))
    again = like(
        EventRequeued, subject_topic=records[0].topic, subject_key=records[0].key,
        partition=records[0].partition, processor="check-qc", offset=records[0].offset,
        effect_id=None, reason="mended", value=None,
    )  # fmt: skip
    await log.append(heard(EventRequeued(**dict(again))))
    loose = landed("R1", sample_id=None)
    await log.append(heard(loose))
    strange = {"sample_id": "S-strange", "instrument_run_id": "RUN1"}
    await log.append(heard(landed("R1", object_key="strange/R1", **strange)))
    await log.append(heard(like(SampleUnlisted, **strange)))


@pytest.fixture
async def log() -> AsyncIterator[MemoryLog]:
    async with log_of(*first()) as there:
        await park(there)
        yield there


@pytest.fixture
async def connection(tables_url: str, log: MemoryLog) -> AsyncIterator[Any]:
    found = await asyncpg.connect(tables_url)
    try:
        await bring_up(log, CODEC, found, MODELS)
        yield found
    finally:
        await found.close()


@pytest.fixture(params=["log", "rows"])
async def answers(request: pytest.FixtureRequest, log: MemoryLog, connection: Any) -> Answers:
    """Both ways to be answered."""
    return FromLog(log) if request.param == "log" else FromStore(connection, CODEC)


async def told(answers: Answers, kind: str, name: str) -> Any:
    """Everything that is said about a subject, as programs get it."""
    found = await getattr(asked, f"about_{kind}")(answers.source, name)
    return to_jsonable_python([found.key, found.facts, found.reasons, found.sentences])


class TestAnswers:
    """What holds wherever the answers come from."""

    async def test_a_subject_has_its_events_in_order_and_a_stranger_none(
        self, answers: Answers, log: MemoryLog
    ) -> None:
        written: dict[str, list[Any]] = {"nobody": []}
        async for record in log.read_topic(topics.SAMPLE.name):
            written.setdefault(record.key, []).append(record.event)
        assert await answers.source.events_of(topics.SAMPLE, list(written)) == written
        assert await answers.source.events_of(topics.SAMPLE, []) == {}

    async def test_every_event_of_a_topic_comes_once_or_those_of_some_types(
        self, answers: Answers, log: MemoryLog
    ) -> None:
        written = [one.event async for one in log.read_topic(topics.SAMPLE.name)]
        ids = {one.envelope.event_id for one in written}
        found = [one.envelope.event_id async for one in answers.source.every(topics.SAMPLE)]
        assert len(found) == len(ids)
        assert set(found) == ids
        some = [one async for one in answers.source.every(topics.SAMPLE, FileLanded)]
        assert {type(one) for one in some} == {FileLanded}
        assert len(some) == sum(isinstance(one, FileLanded) for one in written)

    async def test_runs_are_found_by_their_case_and_landings_by_a_name(
        self, answers: Answers
    ) -> None:
        requests = cast(
            "list[RunRequested]",
            [one async for one in answers.source.every(topics.RUN, RunRequested)],
        )
        case = requests[0].case_id
        found = await answers.source.requests_for(case)
        assert {one.key for one in found} == {one.key for one in requests if one.case_id == case}
        assert await answers.source.requests_for("nobody") == []
        for name in ("L1.FC.1/R1", "raw/L1.FC.1/R1", "raw/L1.FC.1/R1@1"):
            [one] = await answers.source.landed_as(topics.SAMPLE, name)
            assert one == (MOMENT, "unassigned/raw/L1.FC.1/R1")
            assert await answers.source.landed_as(topics.SEQUENCING_RUN, name) == []
        assert await answers.source.landed_as(topics.SAMPLE, "raw/L1.FC.1/R1@2") == []

    async def test_what_is_parked_is_told_until_it_is_answered(self, answers: Answers) -> None:
        waiting = await answers.parkings()
        assert len(waiting) >= PARKED - 1
        assert [one.address for one in waiting] == sorted(one.address for one in waiting)
        for one in waiting:
            found = await answers.source.parked(topics.SAMPLE, one.fact.subject_key)
            assert one.event_id in {each.parked_id for each in found}
            text = (await told(answers, "sample", one.fact.subject_key))[-1]
            assert any("is parked for check-qc: nobody answers" in each for each in text)
        assert await answers.source.parked(topics.CASE, "nobody") == []

    async def test_what_was_parked_is_found_by_its_id_or_its_position_answered_or_not(
        self, answers: Answers, log: MemoryLog
    ) -> None:
        every = await read_parkings(log, PROCESSORS)
        assert any(one.answer is not None for one in every)
        assert any(one.queue for one in every)
        for one in every:
            for name in (str(one.event_id), str(one.event_id)[:12].upper(), str(one.place)):
                assert await answers.parking(name) == one
        for name in ("", str(every[0].event_id)[:3], "gf.sample.v1[0]@999999", "%", "\udcff" * 4):
            with pytest.raises(Refused, match="nothing was parked under this id or position"):
                await answers.parking(name)

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_stranger_is_refused_with_the_way_to_those_that_are_known(
        self, answers: Answers, kind: str
    ) -> None:
        with pytest.raises(Unheard, match=f"{kind} 'x': .*`genoflow {kind} list`"):
            await told(answers, kind, "x")
        with pytest.raises(Refused, match="is no run, and no case"):
            await about_results(answers.source, "x")

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_list_begins_with_the_newest_and_tells_how_long_it_is(
        self, answers: Answers, kind: str
    ) -> None:
        every = await answers.rows(kind, 100_000)
        assert every.total == len(every.rows) > 2
        newest = [(one.last_at, one.id) for one in every.rows]
        assert newest == sorted(newest, reverse=True)
        few = await answers.rows(kind, 2)
        assert (few.rows, few.total) == (every.rows[:2], every.total)


@dataclass(frozen=True, slots=True)
class Both:
    """Asks both ways, and gives the answer on which they agree."""

    log: Answers
    rows: Answers

    async def agree(self, ask: Ask, *about: Any) -> Any:
        """The answer to this question."""
        of_log, of_rows = await ask(self.log, *about), await ask(self.rows, *about)
        assert of_rows == of_log, about
        return of_log


async def test_all_that_is_said_of_a_cohort_is_the_same(log: MemoryLog, connection: Any) -> None:
    both = Both(FromLog(log), FromStore(connection, CODEC))
    met = 0
    strangers = await both.agree(page_of, UNLISTED_SAMPLE)
    assert [(one.id, one.last) for one in strangers.rows] == [("S-strange", "SampleUnlisted")]
    for kind in KINDS:
        for row in (await both.agree(page_of, kind)).rows:
            met += len((await both.agree(told, kind, row.id))[-1])
            if kind in ("run", "case"):
                await both.agree(results_or_none, row.id)
    assert met > 100
    for key in sorted({one.key async for one in both.log.source.every(topics.SEQUENCING_RUN)}):
        await both.agree(told, "run", key)
    for one in await both.agree(subscriptions):
        await both.agree(why_of_subscription, one.created.subscription_id)
    assert any(one.queue for one in await both.agree(parkings))


async def page_of(answers: Answers, kind: str) -> Any:
    """The whole list of a kind."""
    return await answers.rows(kind, 100_000)


async def subscriptions(answers: Answers) -> Any:
    """Every subscription."""
    return await subscriptions_of(answers.source)


async def parkings(answers: Answers) -> Any:
    """All that waits for a person."""
    return await answers.parkings()


async def results_or_none(answers: Answers, name: str) -> Any:
    """The results of a run or a case; nothing where no run was asked for."""
    try:
        return await about_results(answers.source, name)
    except Refused:
        return None


async def why_of_subscription(answers: Answers, name: str) -> Any:
    """What it was not told of."""
    events = await answers.source.events_of(topics.NOTIFICATION, [name])
    return why_told(subscription_of(name, events[name]))


# -- whether the rows may be asked


async def test_rows_that_nobody_feeds_are_not_asked(postgres_url: str, log: MemoryLog) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        said = await reading.why_not(log, connection)
        assert said == "read model audit-trail is not fed yet; `genoflow project` feeds it"
        await bring_up(log, CODEC, connection, [AuditTrail()])
        assert "files is not fed yet" in (await reading.why_not(log, connection) or "")
        await bring_up(log, CODEC, connection, MODELS)
        assert await reading.why_not(log, connection) is None
        await log.append(heard(joined("late")))
        said = await reading.why_not(log, connection)
        assert said == "the rows are 1 record behind it; `genoflow project` feeds them"
        await bring_up(log, CODEC, connection, MODELS)
        await connection.execute("update gf.builds set version = 99 where model = 'parked'")
        assert "another version's" in (await reading.why_not(log, connection) or "")
    finally:
        await connection.close()
