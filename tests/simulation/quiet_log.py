"""The memory log whose members hear of their own topic only: most of what is written is others'."""

from __future__ import annotations

import asyncio
from typing import Any

from genoflow.events import topics
from genoflow.events.log.memory import MemoryLog, Write
from genoflow.events.log.memory_work import MemoryWorkReader
from genoflow.events.log.port import Share, WorkReader
from tests.simulation.loop import SimulatedLoop

LATENCY_SECONDS = 0.005  # from a write to those who read it


class QuietLog(MemoryLog):
    """The memory log, whose members are woken for their own topic only: they may be forty."""

    def __init__(self, loop: SimulatedLoop, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._loop = loop
        self.grown_in: dict[str, asyncio.Event] = {}
        self._written: set[str] = set()
        self._waking: set[str] = set()

    def wake(self) -> None:
        """Let those look again soon who read what was written."""
        super().wake()
        for topic in sorted(self._written):
            self.wake_topic(topic)
        self._written.clear()

    def wake_topic(self, topic: str) -> None:
        """Let the members that share a topic look again soon, once for all till then."""
        if topic not in self._waking:
            self._waking.add(topic)
            loop = self._loop
            loop.build(lambda: loop.call_later(LATENCY_SECONDS, self._wake_now, topic))

    def _wake_now(self, topic: str) -> None:
        self._waking.discard(topic)
        self.grown_in.pop(topic, asyncio.Event()).set()

    def _put(self, write: Write, now_ms: int) -> int:
        self._written.add(write.topic)
        return super()._put(write, now_ms)

    async def work_reader(self, name: str, topic: topics.Topic, share: Share) -> WorkReader:
        """A member that hears of its own topic."""
        reader = await super().work_reader(name, topic, share)
        assert isinstance(reader, MemoryWorkReader)
        reader._log = _OneTopic(self, topic.name)  # type: ignore[assignment]  # all that it asks for
        return reader


class _OneTopic:
    """The log as a member of a group sees it."""

    def __init__(self, log: QuietLog, topic: str) -> None:
        self.partition = log.partition
        self._log = log
        self._topic = topic

    @property
    def grown(self) -> asyncio.Event:
        """Set when something was written to the topic, or moved in its groups."""
        return self._log.grown_in.setdefault(self._topic, asyncio.Event())

    def wake(self) -> None:
        """Let the members look again."""
        self._log.wake_topic(self._topic)
