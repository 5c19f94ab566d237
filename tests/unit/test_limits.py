"""Limits within a minute: sliding, exact at the edge, and forgetful."""

from __future__ import annotations

from genoflow.api.limits import MemoryLimits


class Hand:
    """A clock that stands where a test puts it."""

    def __init__(self) -> None:
        self.at = 6_000.0  # a whole minute

    def __call__(self) -> float:
        """What the limits take for now."""
        return self.at


async def let_in(limits: MemoryLimits, who: str, times: int, per_minute: int = 10) -> int:
    """How many of so many calls are let in."""
    return sum([(await limits.take(who, per_minute)).allowed for _ in range(times)])


async def test_no_more_than_the_limit_is_let_in_within_a_minute() -> None:
    limits = MemoryLimits(Hand())
    assert await let_in(limits, "a", 25) == 10
    assert await let_in(limits, "b", 5) == 5


async def test_what_is_left_counts_down_and_says_when_to_come_back() -> None:
    limits = MemoryLimits(Hand())
    verdicts = [await limits.take("a", 3) for _ in range(4)]
    assert [one.remaining for one in verdicts] == [2, 1, 0, 0]
    assert [one.allowed for one in verdicts] == [True, True, True, False]
    assert all(1 <= one.reset_seconds <= 60 for one in verdicts)


async def test_the_minute_before_slides_out() -> None:
    clock = Hand()
    limits = MemoryLimits(clock)
    assert await let_in(limits, "a", 10) == 10
    clock.at += 60
    assert await let_in(limits, "a", 10) == 0  # all ten lie within the last sixty seconds
    clock.at += 30
    assert await let_in(limits, "a", 10) == 5
    clock.at += 90
    assert await let_in(limits, "a", 20) == 10


async def test_a_call_that_is_refused_is_not_counted() -> None:
    clock = Hand()
    limits = MemoryLimits(clock)
    await let_in(limits, "a", 1_000)
    clock.at += 90
    assert await let_in(limits, "a", 10) == 5


async def test_whoever_has_gone_is_forgotten() -> None:
    clock = Hand()
    limits = MemoryLimits(clock)
    for number in range(1_000):
        await limits.take(f"caller-{number}", 10)
    clock.at += 180
    await limits.take("another", 10)
    assert len(limits._calls) == 1
