"""An event loop without a machine below it: virtual time, and chance from a seed says what runs.

Every handle belongs to a process, by a context variable that tasks inherit. A process can be
killed before any of its steps (nothing of it runs again: no `finally`, no callback) or stopped for
a while (its steps are kept, and run when it wakes up, as after SIGSTOP). The same seed gives the
same run: nothing here asks the machine for the time, for chance, or for an address in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import heapq
import inspect
import itertools
import random
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

STEPS_MAX = 60_000  # a run takes about 3,000: this many, and something spins
CLOSINGS_MAX = 50  # how often a dead coroutine is told to end before it is left alone
FIRST_LOOKED_AT = 8  # how far down its own queue a process may reach for its next step


class Killed(BaseException):
    """Ends the step in which a process dies; no code of ours catches it."""


class Process:
    """What lives and dies as one."""

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self.ready: list[Step] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.is_dead = False
        self.is_stopped = False
        self.fuse = 0  # steps until `burnt` is called; 0: never
        self.burnt: Callable[[], None] = lambda: None

    def __repr__(self) -> str:
        return self.name


PROCESS: ContextVar[Process] = ContextVar("process")


class Step(asyncio.TimerHandle):
    """One callback of one process, now or at a virtual time."""

    def __init__(
        self, when: float, call: Callable[..., object], args: tuple[Any, ...], context: Context
    ) -> None:
        # Its own handle whole: asyncio's keeps more, and a run makes thousands of them.
        self.at = when
        self.process = context[PROCESS]
        self.call = call
        self.given = args
        self.context = context
        self.is_cancelled = False

    def cancel(self) -> None:
        """Let it not run."""
        self.is_cancelled = True

    def cancelled(self) -> bool:
        """Whether it is not to run."""
        return self.is_cancelled

    def when(self) -> float:
        """Its virtual time."""
        return self.at

    def __repr__(self) -> str:
        return f"<Step of {self.process}: {self.call!r}>"


class NumberedTask(asyncio.Task[Any]):
    """A task that hashes to its number, so that sets of tasks have one order in every run."""

    numbers = itertools.count()

    def __new__(cls, *_args: Any, **_options: Any) -> NumberedTask:
        """A task that has its number before anything puts it into a set."""
        task = super().__new__(cls)
        task.number = next(cls.numbers)
        return task

    number: int

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class SimulatedLoop(asyncio.AbstractEventLoop):
    """Runs the steps of all processes, one at a time, in an order that the seed decides."""

    def __init__(self, seed: int, *, in_order: bool = False) -> None:
        self.steps = 0
        self.digest = 0
        self._random = random.Random(seed)
        self._in_order = in_order  # each process takes its own steps as asyncio would
        self._now = 0.0
        self._runnable: list[Process] = []
        self._timers: list[tuple[float, int, Step]] = []
        self._count = itertools.count()
        self._processes: list[Process] = []
        self._over = False
        self._outside = copy_context()
        self._outside.run(PROCESS.set, self.process("world"))
        NumberedTask.numbers = itertools.count()

    # -- processes

    def process(self, name: str) -> Process:
        """A new process in which nothing runs yet."""
        process = Process(name, len(self._processes) + 1)
        self._processes.append(process)
        return process

    def build(self, make: Callable[[], T]) -> T:
        """Call something in the process that is the world outside."""
        return self._outside.run(make)

    def spawn(self, process: Process, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin a coroutine inside a process."""
        context = copy_context()
        context.run(PROCESS.set, process)
        return self.create_task(coroutine, context=context)

    def kill(self, process: Process) -> None:
        """Nothing of it runs again; a step that kills its own process raises Killed after this."""
        process.is_dead = True
        process.ready.clear()
        self._rest(process)

    def stop_process(self, process: Process, seconds: float) -> None:
        """Let it stand still for a while; its timers are late when it wakes up."""
        if process.is_dead or process.is_stopped:
            return
        process.is_stopped = True
        self._rest(process)
        self.call_later(seconds, self._wake, process, context=self._outside)

    def _wake(self, process: Process) -> None:
        process.is_stopped = False
        if process.ready and not process.is_dead:
            self._runnable.append(process)

    def _rest(self, process: Process) -> None:
        if process in self._runnable:
            self._runnable.remove(process)

    # -- what asyncio asks of a loop

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> Step:
        """Run it when chance has it."""
        step = Step(self._now, callback, args, context or copy_context())
        self._add(step)
        return step

    def _add(self, step: Step) -> None:
        process = step.process
        if process.is_dead or self._over:
            return
        process.ready.append(step)
        if len(process.ready) == 1 and not process.is_stopped:
            self._runnable.append(process)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> Step:
        """Run it after so many virtual seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> Step:
        """Run it at a virtual time."""
        step = Step(when, callback, args, context or copy_context())
        heapq.heappush(self._timers, (when, next(self._count), step))
        return step

    def time(self) -> float:
        """The virtual time."""
        return self._now

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """A task of the process that asks; it lives until the run is over, even if nobody looks."""
        if self._over:
            coro.close()
            return self.create_future()  # type: ignore[return-value]  # asked for by the dead
        options.pop("eager_start", None)
        task = NumberedTask(coro, loop=self, **options)
        process = (options.get("context") or copy_context())[PROCESS]
        process.tasks.append(task)
        return task

    def get_debug(self) -> bool:
        """Never."""
        return False

    def is_running(self) -> bool:
        """Whether the run goes on."""
        return not self._over

    def is_closed(self) -> bool:
        """Whether the run is over."""
        return self._over

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Tasks of the dead are never awaited, and that is nobody's mistake."""

    # -- the run

    def run_until_complete(self, future: Any) -> Any:
        """Run the coroutine in a process of its own, with all that it begins, to its end."""
        with self._being_the_loop():
            main = self.create_task(future, context=self._outside)
            while not main.done():
                self._one_step()
            return main.result()

    @contextlib.contextmanager
    def _being_the_loop(self) -> Iterator[None]:
        # Generators of the dead end without a word, and no collector begins at its own time.
        hooks, collects = sys.get_asyncgen_hooks(), gc.isenabled()
        sys.set_asyncgen_hooks(firstiter=None, finalizer=lambda _generator: None)
        gc.disable()
        outer = asyncio._get_running_loop()  # of a test that plays the simulator as it goes
        asyncio._set_running_loop(self)
        try:
            yield
        finally:
            self._over = True
            self._bury()
            asyncio._set_running_loop(outer)
            sys.set_asyncgen_hooks(*hooks)
            if collects:
                gc.enable()

    def _one_step(self) -> None:
        if not self._runnable:
            self._let_time_pass()
            return
        process = self._runnable[int(self._random.random() * len(self._runnable))]
        ready = process.ready
        if self._in_order or len(ready) == 1:
            step = ready.pop(0)
        else:
            step = ready.pop(int(self._random.random() * min(len(ready), FIRST_LOOKED_AT)))
        if not ready:
            self._runnable.remove(process)
        if step.is_cancelled:
            return
        if process.fuse:
            process.fuse -= 1
            if not process.fuse:
                self._outside.run(process.burnt)
                if process.is_dead:
                    return
                if process.is_stopped:
                    process.ready.insert(0, step)
                    return
        self.steps += 1
        self.digest = (self.digest * 1_000_003 ^ process.number) & 0xFFFFFFFFFFFFFFFF
        if self.steps > STEPS_MAX:
            raise AssertionError(f"no end after {STEPS_MAX:,} steps: {process} runs {step.call!r}")
        step.context.run(step.call, *step.given)

    def _let_time_pass(self) -> None:
        """Go to the next moment for which something is planned."""
        timers = self._timers
        while timers and (timers[0][2].is_cancelled or timers[0][2].process.is_dead):
            heapq.heappop(timers)
        if not timers:
            raise AssertionError(f"all processes wait for ever after {self._now:g} s")
        self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            self._add(heapq.heappop(timers)[2])

    def _bury(self) -> None:
        for process in self._processes:
            process.ready.clear()
            for task in process.tasks:
                coroutine: Any = task.get_coro()
                for _ in range(CLOSINGS_MAX):
                    if inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED:
                        break
                    with contextlib.suppress(BaseException):
                        coroutine.close()
            process.tasks.clear()
        self._timers.clear()
