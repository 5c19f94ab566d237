"""What Faust hands on while partitions are given anew: everything behind the places, each linked.

Faust's own consumer and its loop run here; the broker's client below them does what it is told.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord
from faust.types import TP

from genoflow.events.codec import Codec
from genoflow.events.registry import released
from genoflow.processors.watchtower.app import Place, application
from genoflow.processors.watchtower.reading import FETCH_BYTES_MIN

RUN = TP("gf.run.v1", 7)
SECONDS_MAX = 10.0
SETTINGS = {
    "_isolation_level": "read_committed", "_fetch_min_bytes": FETCH_BYTES_MIN,
    "_fetch_max_wait_ms": 500,
}  # fmt: skip
COMMIT_EVERY = 10_000  # acknowledged records, by Faust's own setting; its loop commits in between


class Client:
    """One partition, as the broker's client below Faust shows it."""

    def __init__(self) -> None:
        self.offsets: list[int] = []
        self.first = self.at = 0
        self.is_overtaken = self.is_silent = False
        self.held: list[asyncio.Event] = []  # for each question until it is answered
        self.seen: list[bool] = []  # whether all was handed out, as it stood at each fetch
        self.is_at_end: Any = lambda: False
        self.state = SimpleNamespace(has_valid_position=True, position=0, lso=None)
        self._closed = False
        self._max_poll_records = None
        self._fetcher: Any = self
        self._subscriptions: Any = self
        self.given()

    def given(self) -> None:
        """Partitions are given: the client begins wherever the group says."""
        assigned = SimpleNamespace(state_value=lambda _tp: self.state)
        self._subscription = SimpleNamespace(subscription=SimpleNamespace(assignment=assigned))

    def assignment(self) -> set[TP]:
        return {RUN}

    async def beginning_offsets(self, tps: list[TP]) -> dict[TP, int]:
        if self.is_overtaken:
            self.given()
        if self.held:
            await self.held.pop(0).wait()
        return dict.fromkeys(tps, self.first)

    def seek(self, _tp: TP, offset: int) -> None:
        assert offset >= self.first, "out of range"
        self.at = self.state.position = offset

    def last_stable_offset(self, _tp: TP) -> int | None:
        found: int | None = self.state.lso
        return found

    async def position(self, _tp: TP) -> int:
        return self.at

    def highwater(self, _tp: TP) -> int:
        return self.offsets[-1] + 1

    def fetch_context(self) -> Any:
        return contextlib.nullcontext()

    async def fetched_records(self, _tps: object, **_more: object) -> dict[TP, list[Any]]:
        if self.is_silent:
            await asyncio.sleep(0.01)
            return {}
        found = [offset for offset in self.offsets if offset >= self.at]
        self.state.lso = self.offsets[-1] + 1 if self.offsets else 0
        if not found:
            await asyncio.sleep(0.01)
            return {}
        self.at = self.state.position = found[-1] + 1
        self.seen.append(self.is_at_end())
        return {RUN: [record(offset) for offset in found]}


def record(offset: int) -> ConsumerRecord[bytes, bytes]:
    """One record of the partition."""
    return ConsumerRecord(*RUN, offset, 0, 0, b"run", b"", None, 3, 0, ())


class Reading:
    """Faust's consumer over the client, and what it handed on."""

    def __init__(self, folder: Path) -> None:
        async def nothing(*_told: object) -> None: ...

        codec = Codec(released())
        place = Place("localhost:1", "", 8, folder)
        self.app, _ = application(place, codec, [RUN.topic], nothing)
        self.client, self.handed = Client(), list[Any]()
        self.consumer: Any = self.app._new_transport().create_consumer(
            self._handed_on, on_partitions_revoked=nothing, on_partitions_assigned=nothing
        )
        self.thread = self.consumer._thread
        self.thread._consumer, self.thread.call_thread = self.client, straight
        self.app.topics.acks_enabled_for = lambda _topic: True

    async def _handed_on(self, message: Any) -> None:
        self.handed.append(message)

    @property
    def known(self) -> list[tuple[int, int]]:
        """What counts of it: where each record follows, and its offset."""
        sought = self.consumer.sought
        return [(one.follows, one.offset) for one in self.handed if one.sought == sought]

    async def given(self, at: int | None) -> None:
        """Partitions are given anew, and read on from what the table says."""
        await self.consumer.on_partitions_revoked({RUN})
        self.consumer.stop_flow()
        self.client.given()
        await self.consumer.on_partitions_assigned({RUN}, 2)
        self.app.places = lambda: None if at is None else {RUN: at}
        self.consumer.resume_partitions({RUN})
        await self.consumer.perform_seek()
        self.consumer.resume_flow()

    async def until(self, offset: int) -> None:
        """Wait until this record was handed on behind the newest seek."""
        async with asyncio.timeout(SECONDS_MAX):
            while offset not in [found for _, found in self.known]:
                await asyncio.sleep(0.01)


async def straight(function: Any, *told: Any, **more: Any) -> Any:
    """Call where this is, in place of the client's own thread."""
    found = function(*told, **more)
    return await found if asyncio.iscoroutine(found) else found


@pytest.fixture
async def reading(tmp_path: Path) -> AsyncIterator[Reading]:
    """Faust's loop, running."""
    found = Reading(tmp_path)
    fetcher: Any = SimpleNamespace(_stopped=asyncio.Event())
    going = asyncio.create_task(found.consumer._drain_messages(fetcher))
    yield found
    fetcher._stopped.set()
    going.cancel()
    found.thread.thread_loop.close()
    with contextlib.suppress(asyncio.CancelledError):
        await going


def links(*offsets: int) -> Iterator[tuple[int, int]]:
    """Each of these follows the one before it."""
    ends = [offset + 1 for offset in offsets[:-1]]
    return zip(ends, offsets[1:], strict=True)


async def test_each_record_says_which_one_it_follows(reading: Reading) -> None:
    reading.client.offsets = [3, 4, 7, 12]  # what is left out are ends of transactions
    await reading.given(at=4)
    await reading.until(12)
    assert reading.known == [(4, 4), *links(4, 7, 12)]
    reading.client.offsets += [14, 15]
    await reading.until(15)
    assert reading.known[3:] == [*links(12, 14, 15)]


async def test_a_record_held_over_a_new_assignment_leaves_out_none_before_it(
    reading: Reading,
) -> None:
    """The loop commits, which waits for the group, and goes on behind the seek."""
    commits, go_on = asyncio.Event(), asyncio.Event()

    async def commit(*_told: object, **_more: object) -> bool:
        commits.set()
        await go_on.wait()
        return True

    reading.client.offsets = list(range(10))
    await reading.given(at=0)
    await reading.until(9)
    reading.consumer.commit, reading.consumer._n_acked = commit, COMMIT_EVERY
    reading.client.offsets += [10]
    async with asyncio.timeout(SECONDS_MAX):
        await commits.wait()
    await reading.given(at=5)
    go_on.set()
    await reading.until(10)
    assert reading.known == [(5, 5), *links(*range(5, 11))]


async def test_nothing_is_handed_on_before_the_places_are_known(reading: Reading) -> None:
    reading.client.offsets = [0, 1]
    await reading.given(at=None)
    await asyncio.sleep(0.1)
    assert reading.client.at == 2  # they were fetched
    assert reading.handed == []
    reading.app.places = lambda: {RUN: 1}
    await reading.consumer.perform_seek()
    await reading.until(1)
    assert reading.known == [(1, 1)]


async def test_a_seek_that_a_new_assignment_overtakes_does_not_count(reading: Reading) -> None:
    reading.client.offsets, reading.client.is_overtaken = [0, 1, 2], True
    await reading.given(at=1)
    await asyncio.sleep(0.1)
    assert reading.handed == []
    reading.client.is_overtaken = False
    await reading.consumer.perform_seek()
    await reading.until(2)
    assert reading.known == [(1, 1), (2, 2)]


async def test_a_seek_that_comes_too_late_leaves_the_newer_one_as_it_is(reading: Reading) -> None:
    reading.client.offsets, too_late = [0, 1, 2], asyncio.Event()
    reading.client.held = [too_late]
    older = asyncio.create_task(reading.given(at=0))
    async with asyncio.timeout(SECONDS_MAX):
        while reading.client.held:
            await asyncio.sleep(0.01)
    await reading.given(at=1)
    too_late.set()
    await older
    reading.consumer.resume_flow()
    await reading.until(2)
    assert reading.known == [(1, 1), (2, 2)]


async def test_it_is_at_the_end_when_all_was_handed_out_and_not_before(reading: Reading) -> None:
    """The client knows its position, and where the log ended before, sooner than that."""
    reading.client.is_at_end = reading.consumer.is_at_end
    reading.client.offsets, reading.client.state.lso = [3, 4, 7], 3
    await reading.given(at=3)
    assert not reading.consumer.is_at_end()
    await reading.until(7)
    assert reading.client.seen == [False]
    async with asyncio.timeout(SECONDS_MAX):
        while not reading.consumer.is_at_end():
            await asyncio.sleep(0.01)
    assert dict(reading.consumer.handed()) == {RUN: 8}
    reading.client.is_silent = True
    reading.client.offsets += [9]
    await reading.given(at=8)
    assert not reading.consumer.is_at_end(), "that was behind the seek before"
    await asyncio.sleep(0.1)
    assert not reading.consumer.is_at_end(), "the broker has not told of this assignment"
    reading.client.is_silent = False
    await reading.until(9)
    assert reading.client.seen == [False, False]


async def test_the_broker_is_asked_for_what_is_committed_and_not_for_each_record(
    reading: Reading,
) -> None:
    """Faust has no words for it, so the client's own settings are changed; they have to exist."""
    plain = AIOKafkaConsumer()
    ours = reading.thread._create_consumer(asyncio.get_running_loop())
    said = {name: vars(ours)[name] for name in vars(plain) if name in SETTINGS}
    assert said == SETTINGS
    await plain.stop()
    await ours.stop()


async def test_what_the_log_let_go_of_is_not_missing(reading: Reading) -> None:
    reading.client.first, reading.client.offsets = 8, [8, 9]
    await reading.given(at=4)
    await reading.until(9)
    assert reading.known == [(4, 8), (9, 9)]
