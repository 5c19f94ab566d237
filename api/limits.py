"""Calls within a minute, counted in this process: two of them let twice as many through."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from genoflow.api.ports import RateLimits, Verdict

PER_KEY = 1_000  # a minute, of one API key
PER_USER = 100  # a minute, of one person's sessions together
PER_ADDRESS = 100  # a minute, of whoever has not said who he is, or could not show it
LOGINS_PER_ADDRESS = 10  # a minute, for one account from one address: a person mistypes thrice
LOGINS_PER_ACCOUNT = 60  # a minute, for one account from everywhere: guessing stays hopeless


class MemoryLimits(RateLimits):
    """Sliding counters: two numbers a caller, whatever the limit is."""

    def __init__(self) -> None:
        self._strategy = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def take(self, who: str, per_minute: int) -> Verdict:
        """Count one call, unless the limit is reached already."""
        item = RateLimitItemPerMinute(per_minute)
        allowed = await self._strategy.hit(item, who)
        stats = await self._strategy.get_window_stats(item, who)
        wait = max(1, math.ceil(stats.reset_time - time.time()))
        return Verdict(allowed, per_minute, stats.remaining if allowed else 0, wait)


def headers_of(verdict: Verdict) -> dict[str, str]:
    """What a client reads to stay within its limit."""
    return {
        "RateLimit-Limit": str(verdict.limit),
        "RateLimit-Remaining": str(verdict.remaining),
        "RateLimit-Reset": str(verdict.reset_seconds),
    }
