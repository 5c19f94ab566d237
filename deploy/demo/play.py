"""Plays the cast: orders, runs, a courier, a top-up, and a worker that is killed midway."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from rich.console import Console

from genoflow.deploy.demo.board import Board, Heard
from genoflow.deploy.demo.count import Counted, counted
from genoflow.deploy.demo.lab import RULES, Play
from genoflow.deploy.demo.screen import shown
from genoflow.deploy.demo.worker import Workers
from genoflow.deploy.event_lines import event_of
from genoflow.deploy.generate.simulation import CATALOG, ORDERS
from genoflow.deploy.local.process import Launch, run_once
from genoflow.deploy.settings import Settings, as_environment
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.errors import StackFault
from genoflow.events.event import Event
from genoflow.events.log.port import EventLog
from genoflow.events.printable import printable
from genoflow.events.qc_failed import QcFailed
from genoflow.events.results_held import ResultsHeld
from genoflow.events.run_failed import RunFailed
from genoflow.events.subscribe import Subscription
from genoflow.projections.asking.asked import about_sample
from genoflow.projections.asking.source import Scanning

# What ends a run, in the order in which it is said; the last is what the play waits for.
END = ("RunExited", "ResultsCollected", "RunSucceeded", "ResultsChecked", "ResultsPublished")
# It takes some 60 s on two idle cores, and took 200 s where nine others wanted each of them.
PLAY_SECONDS_MAX = 420
LOOK_SECONDS = "0.2"  # of the watcher: the folders were written whole before it began
PICARD_MEMORY_MB = 512  # of some thousand reads it needs less
TOPICS = (topics.SEQUENCING_RUN, topics.SAMPLE, topics.CASE, topics.RUN)


class Director:
    """Gives the cues, each when the log says that its moment has come."""

    def __init__(self, settings: Settings, log: EventLog, console: Console, board: Board) -> None:
        if "picard_memory_mb" not in settings.model_fields_set:
            settings = settings.model_copy(update={"picard_memory_mb": PICARD_MEMORY_MB})
        self._environment = as_environment(settings)
        self._log = log
        self._console = console
        self._board = board
        self._alerts: dict[str, AlertRaised] = {}
        self._workers = Workers(settings.home / "logs" / "worker.log", self._environment)

    @property
    def play(self) -> Play:
        """What is played."""
        return self._board.play

    async def perform(self) -> Counted:
        """Play it to its end, and count."""
        try:
            async with self._listening(), shown(self._board, self._console):
                async with asyncio.timeout(PLAY_SECONDS_MAX):
                    await _together(
                        self._guard(), self._opening(), self._send_again(),
                        self._top_up(), self._kill(), self._end(),
                    )  # fmt: skip
            self._tell("the worker is told to stop, and drains")
            await self._workers.drain()
        except TimeoutError as error:
            raise StackFault(await self._what_is_missing()) from error
        finally:
            await self._workers.drain()
        return await self._count()

    # -- the cues

    async def _opening(self) -> None:
        folder = self.play.folder
        await self._workers.start()
        await asyncio.gather(
            self._genoflow("catalog", "publish", str(folder / CATALOG)),
            self._genoflow("catalog", "publish", str(folder / RULES)),
            self._genoflow("case", "open", str(folder / ORDERS)),
        )
        await asyncio.gather(self._watch("runs"), self._courier(damaged=True))

    async def _watch(self, name: str) -> None:
        folder = str(self.play.folder / name)
        await self._genoflow("watch", folder, "--once", "--every", LOOK_SECONDS)

    async def _courier(self, *, damaged: bool) -> None:
        await self._genoflow(*self.play.sent(damaged=damaged))

    async def _send_again(self) -> None:
        name = self.play.sample("B")
        await self._board.until(lambda: self._said("FileRejected", name))
        told = await about_sample(self._board.source, name)
        why = next((one for one in told.sentences if "rejected" in one), f"{name} was rejected")
        self._tell(f"{why}; the courier brings it again")
        await self._courier(damaged=False)

    async def _top_up(self) -> None:
        name = self.play.sample("C")
        await self._board.until(lambda: self._said("QcFailed", name))
        [failed] = self._said("QcFailed", name)
        assert isinstance(failed, QcFailed)
        self._tell(f"{name} failed QC: {failed.reason}; it is sequenced again")
        await self._genoflow("qc", "top-up", name, "--reason", "too few reads")
        await self._watch("top-up")

    async def _kill(self) -> None:
        await self._board.until(lambda: self._board.said(topics.RUN, "RunSubmitted"))
        open_runs = self._board.cases_with("RunSubmitted") - self._board.cases_with(END[-1])
        pid = await self._workers.kill()
        other = await self._workers.start()
        self._tell(
            f"kill -9 {pid}: the worker is dead, while the run of {', '.join(sorted(open_runs))} "
            f"is open; worker {other} goes on when the broker misses it, within 10 to 20 s"
        )

    async def _end(self) -> None:
        await self._board.until(lambda: self._board.cases_with(END[-1]) == self.play.whole_cases)
        await self._board.until(lambda: self._said("QcFailed", self.play.sample("F")))

    async def _guard(self) -> None:
        """End the play where its end cannot come: a worker or a run that only a person can mend."""
        minding = asyncio.create_task(self._workers.mind())
        failing = asyncio.create_task(self._board.until(self._stuck))
        try:
            await asyncio.wait({minding, failing}, return_when=asyncio.FIRST_COMPLETED)
            if minding.done():
                minding.result()
            raise StackFault("; ".join(self._stuck()))
        finally:
            minding.cancel()
            failing.cancel()

    def _stuck(self) -> list[str]:
        held = self._board.said(topics.RUN, ResultsHeld.type())
        failed = self._board.said(topics.RUN, RunFailed.type())
        return [
            *(f"{o.case_id}: {'; '.join(o.reasons)}" for o in held if isinstance(o, ResultsHeld)),
            *(o.reason for o in failed if isinstance(o, RunFailed) and not o.will_retry),
        ]

    # -- how

    def _said(self, kind: str, sample: str) -> list[Event]:
        return self._board.said(topics.SAMPLE, kind, sample)

    def _tell(self, text: str) -> None:
        line = printable(f"{self._board.seconds:6.1f} s  {text}")
        self._console.print(line, markup=False, style="bold")

    def _tell_alert(self, event: Event) -> None:
        if self.play.is_alerted(event):
            self._alerts[event.key] = event
            self._tell(f"the watchtower alerts ({event.severity}): {event.headline}")
        elif isinstance(event, AlertResolved) and (alert := self._alerts.get(event.key)):
            self._tell(f"the alert is over: {alert.headline}; {event.reason}")

    async def _genoflow(self, *words: str) -> None:
        """Run a command as a person would, and show it."""
        self._tell(f"$ genoflow {shlex.join(words)}")
        command = (sys.executable, "-m", "genoflow.deploy.cli", *words)
        code, output = await run_once(Launch(command, environment=self._environment))
        if code:
            raise StackFault(f"`genoflow {shlex.join(words)}` ended with {code}: {output}")

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        async with Subscription[Event](self._log, name=None, types=(), start="now") as opened:

            async def listen() -> None:
                async for delivery in opened:
                    event = event_of(delivery.record)
                    if event is not None:
                        await self._board.take(delivery.record.topic, event)
                        self._tell_alert(event)

            task = asyncio.create_task(listen())
            try:
                yield
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _what_is_missing(self) -> str:
        subjects, lines = LogSubjects(self._log), []
        for one in self.play.cast.members:
            known = await subjects.events_of(topics.SAMPLE, [one.sample_id])
            if known[one.sample_id]:
                lines += (await about_sample(Scanning(subjects), one.sample_id)).sentences
        return "\n".join(
            [
                f"the play was not over after {PLAY_SECONDS_MAX} s; read the log of the worker in "
                f"the folder of logs, then `genoflow parked list`",
                *lines,
            ]
        )

    async def _count(self) -> Counted:
        """Read the log again, from its beginning: nothing of what was seen meanwhile is trusted."""
        heard = Heard(self.play)
        found: list[Event] = []
        for topic in TOPICS:
            async for record in self._log.read_topic(topic.name):
                event = event_of(record)
                if event is not None and heard.take(topic.name, event):
                    found.append(event)
        return counted(self.play, found, END)


async def _together(guard: Coroutine[Any, Any, None], *cues: Coroutine[Any, Any, None]) -> None:
    """Run the cues side by side to their ends; the first that fails, or the guard, ends all."""
    tasks = [asyncio.create_task(one) for one in (guard, *cues)]
    open_tasks = set(tasks)
    try:
        while open_tasks - {tasks[0]}:
            done, open_tasks = await asyncio.wait(open_tasks, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
