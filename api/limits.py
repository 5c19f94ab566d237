"""Calls within a minute, counted in this process: two of them let twice as many through."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from genoflow.api.ports import RateLimits, Verdict

PER_KEY = 1_000  # a minute, of one API key
PER_USER = 100  # a minute, of one person's sessions together
PER_ADDRESS = 100  # a minute, of whoever has not said who he is, or could not show it
LOGINS_PER_ADDRESS = 10  # a minute, for one account from one address: a person mistypes thrice
LOGINS_PER_ACCOUNT = 60  # a minute, for one account from everywhere: guessing stays hopeless
WINDOW_SECONDS = 60
LIMIT_HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


@dataclass(slots=True)
class _Calls:
    """What one caller has called in a minute of the clock, and in the one before it."""

    minute: int
    now: int = 0
    before: int = 0

    def turn_to(self, minute: int) -> None:
        """Come to this minute."""
        if minute != self.minute:
            self.before = self.now if minute == self.minute + 1 else 0
            self.minute, self.now = minute, 0


class MemoryLimits(RateLimits):
    """Sliding counters: two numbers a caller, whatever the limit is.

    Of the minute before, that part counts which lies within the last sixty seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._calls: dict[str, _Calls] = {}
        self._minute = 0

    async def take(self, who: str, per_minute: int) -> Verdict:
        """Count one call, unless the limit is reached already."""
        minute, gone = divmod(self._clock(), WINDOW_SECONDS)
        if minute != self._minute:
            self._forget(int(minute))
        calls = self._calls.get(who)
        if calls is None:
            calls = self._calls[who] = _Calls(int(minute))
        calls.turn_to(int(minute))
        sliding = calls.before * (WINDOW_SECONDS - gone) / WINDOW_SECONDS
        if math.floor(sliding + calls.now) >= per_minute:
            return Verdict(False, per_minute, 0, _wait(calls, gone))
        calls.now += 1
        remaining = max(0, per_minute - math.floor(sliding + calls.now))
        return Verdict(True, per_minute, remaining, _wait(calls, gone))

    def _forget(self, minute: int) -> None:
        """Once a minute: whoever has not called for two of them is as one who never did."""
        self._minute = minute
        self._calls = {
            who: calls for who, calls in self._calls.items() if calls.minute >= minute - 1
        }


def _wait(calls: _Calls, gone: float) -> int:
    """Seconds until another call is let in for sure: one of before slides out, or all of now do."""
    waits = [2 * WINDOW_SECONDS - gone]
    if calls.before:
        waits.append((WINDOW_SECONDS - gone) % (WINDOW_SECONDS / calls.before))
    if calls.now:
        waits.append(WINDOW_SECONDS - gone)
    return max(1, math.ceil(min(waits)))


def headers_of(verdict: Verdict) -> dict[str, str]:
    """What a client reads to stay within its limit."""
    told = (verdict.limit, verdict.remaining, verdict.reset_seconds)
    return dict(zip(LIMIT_HEADERS, map(str, told), strict=True))
