"""The figures of those who bring in what happens outside: `genoflow ingest`, `watch` and `sweep`.

Each counts as it goes: what it looked at, what it said, what it could not take, and when. A look
that breaks off, because a server does not answer, is counted and tried again by whoever looks.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from genoflow.deploy.observed.server import build_info
from genoflow.deploy.observed.worker import Ask, Ends
from genoflow.events.topics import Topic

# By attribute: what is told of it, for a counter without its `_total`.
COUNTERS = {
    "looks": "Polls, looks and crawls that came to their end.",
    "messages": "Messages that it has done with.",
    "facts": "Facts that it brought onto the log.",
    "refused": "What it could not take, and left to a person.",
    "failures": "Looks that broke off because a server did not answer.",
}


@dataclass(slots=True)
class Listening:
    """One who listens or looks, and what it has come to since it began."""

    name: str
    looks: int = 0
    messages: int = 0
    facts: int = 0
    refused: int = 0
    failures: int = 0
    problems: int = 0  # what a person has to mend now
    looked_at: float | None = None
    fact_at: float | None = None
    failure: str = ""  # why the last look broke off; empty where it did not

    def looked(
        self, *, messages: int = 0, facts: int = 0, refused: int = 0, problems: int = 0
    ) -> None:
        """Count a look that came to its end."""
        self.looks += 1
        self.messages += messages
        self.facts += facts
        self.refused += refused
        self.problems = problems
        self.failure, self.looked_at = "", time.time()
        if facts:
            self.fact_at = self.looked_at

    def failed(self, error: Exception) -> None:
        """Count a look that broke off."""
        self.failures += 1
        self.failure = f"{type(error).__name__}: {error}"


class ObservedListeners:
    """A process of listeners as it can be asked: `deploy/observed/server.py`."""

    def __init__(self, listeners: Sequence[Listening], ask: Ask, topic: Topic) -> None:
        self._listeners = listeners
        self._ends = Ends(ask, [topic.name])

    async def figures(self) -> Sequence[Metric]:
        """The figures of now."""
        await self._ends.now()
        about = "Whether the log answered a moment ago."
        is_there = int(not self._ends.refusal)
        return [
            build_info(version("genoflow")),
            GaugeMetricFamily("genoflow_log_up", about, value=is_there),
            *of_listeners(self._listeners),
        ]

    async def reasons(self) -> Sequence[str]:
        """Why nothing comes in: no log, or the last look broke off."""
        await self._ends.now()
        broken = [f"{one.name}: {one.failure}" for one in self._listeners if one.failure]
        return [*([self._ends.refusal] if self._ends.refusal else []), *broken]


def of_listeners(listeners: Sequence[Listening]) -> Iterator[Metric]:
    """What each has come to; when something happened is left out until it has."""
    for name, about in COUNTERS.items():
        counted = CounterMetricFamily(f"genoflow_listener_{name}", about, labels=("listener",))
        for one in listeners:
            counted.add_metric([one.name], getattr(one, name))
        yield counted
    about = "What a person has to mend now, as the last look found it."
    problems = GaugeMetricFamily("genoflow_listener_problems", about, labels=("listener",))
    for one in listeners:
        problems.add_metric([one.name], one.problems)
    yield problems
    moments = {
        "last_look": ("looked_at", "When the last look came to its end."),
        "last_fact": ("fact_at", "When it last brought a fact onto the log."),
    }
    for name, (attribute, about) in moments.items():
        full = f"genoflow_listener_{name}_timestamp_seconds"
        told = GaugeMetricFamily(full, about, labels=("listener",))
        for one in listeners:
            if (at := getattr(one, attribute)) is not None:
                told.add_metric([one.name], at)
        yield told
