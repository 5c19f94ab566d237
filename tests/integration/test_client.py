"""The typed client against the app: rows, pages, errors, sessions, tries and streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import httpx2
import pytest

from genoflow.api import events as events_module
from genoflow.api.app import document_of
from genoflow.api.client import (
    AsyncClient,
    Client,
    Failed,
    Invalid,
    NotAllowed,
    NotFound,
    Timeouts,
    TooMany,
    Unreachable,
    head_of,
)
from genoflow.api.client.call import IDEMPOTENCY_KEY
from genoflow.api.client.models import Event
from genoflow.api.identity.permissions import Permission, Role
from genoflow.api.routes import ROUTERS
from genoflow.events.log.memory import MemoryLog
from genoflow.projections.vectors import to_word
from tests.between import Between, aside, reached
from tests.doors import PASSWORD, Door, Unlimited, open_door, toys
from tests.heard import joined
from tests.integration.rows_over_http import COHORT, follow, later
from tools.client import written

NOBODY = UUID(int=7)
READS = (Permission.SAMPLES_READ, Permission.CASES_READ, Permission.EVENTS_READ)


@pytest.fixture
async def key(door: Door) -> str:
    """A key of somebody who may read samples, cases and events."""
    return await key_of(door)


@pytest.fixture
async def quiet(tables_url: str) -> AsyncIterator[Door]:
    """An API that has no rows, and in which toys can be made."""
    async with open_door(tables_url, routers=(toys, *ROUTERS), limits=Unlimited()) as there:
        async with MemoryLog() as nothing:
            await follow(there, nothing)
        yield there


async def key_of(door: Door, *more: Permission) -> str:
    """A key of a new account, for reading and more."""
    await door.account("vera", Role.ADMIN)
    return await door.key("vera", *READS, *more)


def inside(door: Door, **who: Any) -> AsyncClient:
    """A client without a socket."""
    return AsyncClient("http://lab", transport=httpx2.ASGITransport(app=door.app), **who)


async def test_rows_are_typed_and_pages_lead_to_the_end(door: Door, key: str) -> None:
    async with reached(door) as (_, url):

        def work() -> list[str]:
            with Client(url, key=key) as lab:
                cases = list(lab.cases.list(page_size=2))
                pages = list(lab.cases.list(page_size=2).pages())
                assert [one for page in pages for one in page.items] == cases
                assert {len(page.items) for page in pages[:-1]} == {2}
                behind = lab.cases.list(after=pages[0].next, page_size=1_000).page()
                assert [*pages[0].items, *behind.items] == cases
                whole = lab.cases.get(cases[0].case_id)
                assert (whole.case_id, whole.state) == (cases[0].case_id, cases[0].state)
                assert isinstance(whole.since, datetime)
                assert isinstance(whole.event_id, UUID)
                assert whole.members_of_it[0].case_id == whole.case_id
                states = [one.state for one in cases]
                assert lab.cases.count() == {one: states.count(one) for one in states}
                some = lab.samples.list(state=next(iter(lab.samples.list())).state)
                assert 0 < len(list(some)) < len(list(lab.samples.list()))
                story = lab.timelines.sample(whole.members_of_it[0].sample_id)
                assert story.entries[0].recorded_at.tzinfo is not None
            return [one.case_id for one in cases]

        ids = await aside(work)
    assert set(ids) == {case.name for case in COHORT.cases}
    assert len(ids) == len(COHORT.cases)
    async with inside(door, key=key) as lab:
        found = [one.case_id async for one in lab.cases.list(page_size=2)]
        assert found == ids
        pages = [page async for page in lab.cases.list(page_size=2).pages()]
        assert [one.case_id for page in pages for one in page.items] == ids
        assert (await lab.cases.list(page_size=2).page()) == pages[0]
        assert (await lab.cases.get(ids[0])).case_id == ids[0]


async def test_a_position_leads_to_what_was_written_and_back(
    door: Door, key: str, log: MemoryLog
) -> None:
    async with inside(door, key=key) as lab:
        before = [one async for one in lab.samples.list()]
        then = head_of(await lab.samples.get(before[0].sample_id)).position
        assert then is not None
        await follow(door, log, *later())
        now = (await lab.samples.list(page_size=1).page()).head.position
        assert now != then
        assert [one async for one in lab.samples.list(at_position=then)] == before
        assert [one async for one in lab.samples.list(min_position=now)] != before
        early = datetime(2020, 1, 1, tzinfo=UTC)
        assert [one async for one in lab.samples.list(as_of=early)] == []


async def test_refusals_say_what_the_envelope_says(quiet: Door) -> None:
    key = await key_of(quiet)
    async with inside(quiet, key=key) as lab:
        with pytest.raises(NotFound, match="/v1/cases") as caught:
            await lab.cases.get("nobody")
        error = caught.value
        assert (error.code, error.status, error.category) == ("NOT_FOUND", 404, "validation")
        assert error.request_id in str(error)
        with pytest.raises(Invalid) as invalid:
            await lab.cases.list(page_size=0).page()
        assert invalid.value.details["field"] == "limit"
        with pytest.raises(Invalid, match="has no time zone"):
            await lab.samples.count(as_of=datetime(2026, 3, 1))  # noqa: DTZ001
        with pytest.raises(NotAllowed, match="parked:read") as denied:
            await lab.parked.count()
        assert denied.value.details["permission"] == "parked:read"
    async with inside(quiet, key="gf_nonsense") as lab:
        with pytest.raises(NotAllowed, match="not valid"):
            await lab.cases.count()
    async with inside(quiet) as lab:
        assert (await lab.monitoring.health()).status == "healthy"
        with pytest.raises(NotAllowed, match="sign in"):
            await lab.cases.count()
    async with inside(quiet, username="vera", password="no such sentence") as lab:
        with pytest.raises(NotAllowed) as wrong:
            await lab.cases.count()
    assert wrong.value.code == "INVALID_CREDENTIALS"


async def test_a_session_is_begun_carried_on_once_and_ended(quiet: Door) -> None:
    await key_of(quiet)
    async with reached(quiet) as (between, url):

        def many(lab: Client) -> None:
            with ThreadPoolExecutor(6) as threads:
                for found in threads.map(lambda _: lab.cases.count(), range(12)):
                    assert found == {}

        with Client(url, username="vera", password=PASSWORD) as lab:
            await aside(lambda: many(lab))
            quiet.clock.move(minutes=20)
            await aside(lambda: many(lab))
            paths = [path.removeprefix("/v1/auth/") for _, path, _ in between.asked]
            assert (paths.count("login"), paths.count("refresh")) == (1, 1)
            [entry] = set(between.headers("/v1/cases/counts", "authorization")[-12:])
            await aside(lab.close)
        assert between.asked[-1][1] == "/v1/auth/logout"
        ended = await quiet.client.get("/v1/cases/counts", headers={"Authorization": str(entry)})
        assert ended.status_code == 401
    async with inside(quiet, username="vera", password=PASSWORD) as there:
        await asyncio.gather(*(there.cases.count() for _ in range(6)))
        quiet.clock.move(minutes=20)
        await asyncio.gather(*(there.cases.count() for _ in range(6)))
        quiet.clock.move(days=60)  # the session itself is over, and another begins
        assert await there.cases.count() == {}


class Toys:
    """The toys' calls, written from the document of an app that has them."""

    def __init__(self, door: Door) -> None:
        room: dict[str, Any] = {"__name__": "toys"}
        text = written(document_of(door.app))["api/client/resources/toys.py"]
        exec(compile(text, "toys.py", "exec"), room)
        self._calls = room["ToysCalls"]

    def of(self, lab: Client) -> Any:
        """The calls of this client."""
        return self._calls(cast("Any", lab)._wire)


async def test_a_write_is_done_once_however_often_it_is_sent(quiet: Door) -> None:
    key, calls = await key_of(quiet, Permission.SAMPLES_WRITE), Toys(quiet)
    made: list[str] = quiet.app.state.shelf.made
    async with reached(quiet) as (between, url):
        with Client(url, key=key) as lab:
            between.refuse, between.lose = [(503, "0")], 1
            found = await aside(lambda: calls.of(lab).make(sample_id="S1"))
            assert found == {"made": 1, "by": "vera", "sample_id": "S1"}
            keys = between.headers("/v1/toys", IDEMPOTENCY_KEY.lower())
            assert len(keys) == 3
            assert len(set(keys)) == 1
            between.cut_after = [0]  # done, and the connection breaks
            await aside(lambda: calls.of(lab).make(sample_id="S2", count=2))
            assert made == ["S1", "S2"]
            await aside(lambda: calls.of(lab).make(sample_id="S3", idempotency_key="mine"))
            await aside(lambda: calls.of(lab).make(sample_id="S3", idempotency_key="mine"))
            assert made == ["S1", "S2", "S3"]
            with pytest.raises(Invalid) as reused:
                await aside(lambda: calls.of(lab).make(sample_id="S4", idempotency_key="mine"))
            assert reused.value.code == "IDEMPOTENCY_KEY_REUSED"
            with pytest.raises(Failed, match="request_id"):
                await aside(lambda: calls.of(lab).make(sample_id="broken"))
    assert made == ["S1", "S2", "S3"]


async def test_a_second_try_waits_for_the_first(quiet: Door) -> None:
    key, calls = await key_of(quiet, Permission.SAMPLES_WRITE), Toys(quiet)
    shelf = quiet.app.state.shelf
    async with reached(quiet) as (between, url):
        shelf.open.clear()
        hasty = Timeouts(read_seconds=1.5)
        with Client(url, key=key, timeouts=hasty) as lab:
            made = asyncio.create_task(aside(lambda: calls.of(lab).make(sample_id="S1")))
            async with asyncio.timeout(30):
                while len(between.asked) < 3:  # it gave up, and heard that the first is being done
                    await asyncio.sleep(0.01)
            shelf.open.set()
            assert (await made)["made"] == 1
    assert shelf.made == ["S1"]


async def test_a_limit_is_waited_for_as_long_as_it_is_short(quiet: Door) -> None:
    key = await key_of(quiet)
    async with reached(quiet) as (between, url):
        with Client(url, key=key) as lab:
            between.refuse = [(429, "0")] * 3
            assert await aside(lab.cases.count) == {}
            between.refuse = [(429, "3600")]
            with pytest.raises(TooMany) as caught:
                await aside(lab.cases.count)
            assert caught.value.retry_after_seconds == 3_600
        async with AsyncClient(url, key=key) as there:
            between.refuse = [(503, "0"), (429, "0")]
            assert await there.cases.count() == {}
            between.cut_after = [0]
            assert await there.cases.count() == {}
    with Client(url, key=key) as lab, pytest.raises(Unreachable, match="nothing was done"):
        await aside(lab.cases.count)


async def test_a_stream_goes_on_when_it_is_cut_and_misses_none(
    door: Door, key: str, log: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "STREAM_SECONDS_MAX", 0.5)
    everything = len(await _all_events(door, key))
    async with reached(door) as (between, url):
        between.cut_after = [
            2,
            9,
        ]  # parts, of which the first tells a place; then whole, to its end

        def taken(lab: Client, count: int) -> list[Event]:
            with lab.events.stream(position=to_word({})) as stream:
                return [next(stream) for _ in range(count)]

        with Client(url, key=key) as lab:
            found = await aside(lambda: taken(lab, everything))
            assert {one.event_id for one in found} == {
                one.event_id for one in await _all_events(door, key)
            }
            assert len({one.event_id for one in found}) == len(found)
            assert len(between.headers("/v1/events/stream", "last-event-id")) >= 3
            place = head_of(found[-2]).position
            with lab.events.stream(position=place) as stream:
                assert await aside(lambda: next(stream)) == found[-1]
        async with AsyncClient(url, key=key) as there:
            await _heard_while_it_is_cut(there, between, door, log)


async def _all_events(door: Door, key: str) -> list[Event]:
    async with inside(door, key=key) as lab:
        return [one async for one in lab.events.list(page_size=1_000)]


async def _heard_while_it_is_cut(
    lab: AsyncClient, between: Between, door: Door, log: MemoryLog
) -> None:
    place = (await lab.events.list(page_size=1).page()).head.position
    heard: list[str] = []
    async with asyncio.timeout(60), lab.events.stream(subject=["S9"], position=place) as stream:
        for number in range(3):
            between.cut_after = [3]
            await follow(door, log, *(joined("S9", 3 * number + one) for one in range(3)))
            heard += [str((await anext(stream)).payload["case_id"]) for _ in range(3)]
    assert heard == [f"CASE-{number}" for number in range(9)]
