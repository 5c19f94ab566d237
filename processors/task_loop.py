"""The life of a task on the log, from taking a partition over to giving it up.

1. fence     no earlier owner can commit any more (only on the first record where the changelog
             is empty: a partition nobody writes to costs no producer)
2. restore   the changelog to its end: state, open effects, parked keys, position
3. compare   the code's state version and the last record taken: older state is rebuilt from
             the topic, newer state or another topic is Stop
4. adopt     open effects go to the runner, which looks each up before it does it
5. position  reading begins where the changelog says, whatever the group's offsets are
6. commit    events, changes and position in one transaction; then, and only then, the effects
             that it opened begin
7. doubt     an error in 1, 2 or 6 leaves this code with nothing caught: the process ends,
             and restarting it is the recovery
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing

from genoflow.events.envelope import Producer
from genoflow.events.errors import StateMismatch, Stop
from genoflow.events.log.port import Taken, TaskSession, WorkReader
from genoflow.events.log.recorded import Recorded
from genoflow.processors.durations import Durations
from genoflow.processors.ending import end_if_told
from genoflow.processors.ledger import OpenEffect, read_ledger
from genoflow.processors.means import Means
from genoflow.processors.processor import Kind, Processor, Start
from genoflow.processors.step import Drain, Outcome, Step
from genoflow.processors.takeover import compare, first_position
from genoflow.processors.task import Task
from genoflow.processors.telling import left, parked, taken_over, tell_spans

# A transaction holds back every reader of what it writes, so it stays well under 50 ms: 500 records
# of which each leads to one event and one state are 1,000 records of 400 bytes.
BATCH_RECORDS_MAX = 500
BATCH_EVENTS_MAX = 2_000  # events noted before a step is committed, however few records led there
BATCH_BYTES_MAX = 8 * 1024**2  # 80 ms at 100 MB/s: events are small, but one may be a megabyte
INBOX_RECORDS_MAX = 2 * BATCH_RECORDS_MAX  # one batch is decided while the next one is fetched
OPEN_EFFECTS_MAX = 10_000  # of one task: 1 kB each, 10 MB; beyond, it reads nothing new
IDLE_COMMIT_SECONDS = 5.0  # how old a position may be that moved over records of no concern
REBUILD_CHANGES_MAX = 2_000  # states in one transaction: 1 MB


class TaskLoop:
    """One processor on one partition, for as long as this worker owns it."""

    def __init__(
        self,
        means: Means,
        processor: Processor,
        partition: int,
        reader: WorkReader,
        commits: Durations,
    ) -> None:
        self.processor = processor
        self.partition = partition
        self.records_taken = 0
        self.is_begun = False  # before, it is being taken over
        self.task: Task | None = None
        self._means = means
        self._reader = reader
        self._commits = commits
        self._session: TaskSession = means.log.task(processor.name, processor.reads, partition)
        self._kinds = {effect.name: effect for effect in processor.effects}
        self._start = 0
        self._inbox: deque[Taken] = deque()
        self._outcomes: deque[Outcome] = deque()
        self._wake = asyncio.Event()
        self._leaving = False
        self._held = False
        self._committed = -1
        self._uncommitted_since: float | None = None
        self._failure: Stop | None = None
        self._began_ns = 0  # of what the next transaction writes, where somebody is told of it

    @property
    def place(self) -> tuple[str, int]:
        """The partition that it reads."""
        return self.processor.reads.name, self.partition

    # -- what others hand in

    @property
    def processor_name(self) -> str:
        """Whose effects it opens."""
        return self.processor.name

    def receive(self, taken: Taken) -> None:
        """Take what was read; once there is too much, the reader is held."""
        self._inbox.append(taken)
        waiting = sum(len(some.records) for some in self._inbox)
        if waiting > INBOX_RECORDS_MAX and not self._held:
            self._reader.hold(self.partition)
            self._held = True
        self._wake.set()

    def deliver(self, outcome: Outcome) -> None:
        """Take the outcome of an effect."""
        self._outcomes.append(outcome)
        self._wake.set()

    def fail(self, error: Stop) -> None:
        """End with this error."""
        self._failure = error
        self._wake.set()

    def leave(self) -> None:
        """Finish what is decided and give the task up."""
        self._leaving = True
        self._wake.set()

    @property
    def position(self) -> int:
        """The next offset that it takes."""
        return self.task.position if self.task is not None else self._start

    # -- its life

    async def run(self) -> None:
        """Work until it is told to leave; an error here ends the process."""
        await self._begin()
        self.is_begun = True
        while not self._leaving:
            end_if_told()
            await self._woken()
            if self._failure is not None:
                raise self._failure
            if self._may_take() or self._outcomes:
                await self._cycle()
            elif self._is_overdue():
                await self._commit(idle=True)
            self._let_in()
        await self._end()

    async def _end(self) -> None:
        if self.task is not None:
            while self._outcomes:
                self.task.finish(self._outcomes.popleft())
            await self._commit(idle=True)
        self._means.runner.drop(self)
        self._means.reach("before-close")
        await self._session.close()
        if self.task is not None:
            left(self.processor.name, self.place, self.position)
        self._means.reach("after-close")

    async def abandon(self) -> None:
        """Let go of the broker after an error, without another word to it."""
        await self._session.close()

    async def _begin(self) -> None:
        changelog = (self.processor.changelog.name, self.partition)
        log = self._means.log
        begins = await log.starts(changelog[0])
        ends = await log.ends(changelog[0])
        if begins[changelog] < ends[changelog] or self.processor.start is Start.NOW:
            await self._take_over()
        else:
            self._start = (await log.starts(self.place[0]))[self.place]
            self._reader.begin(self.partition, self._start)

    async def _take_over(self) -> None:
        reach, log = self._means.reach, self._means.log
        reach("before-fence")
        await self._session.fence()  # step 1
        reach("after-fence")
        restored = await self._session.restore()  # step 2
        reach("after-restore")
        place = f"{self.processor.changelog.name}[{self.partition}]"
        ledger = read_ledger(place, restored.state)
        position = restored.position
        if position is None:
            position = await first_position(log, self.processor, self.partition)
        else:
            await compare(log, self.processor, self.partition, ledger)  # step 3
        self._start = position
        self.task = Task(
            self.processor,
            self.partition,
            producer=Producer(
                service=self.processor.name,
                version=self._means.version,
                revision=self._means.revision,
            ),
            codec=self._means.codec,
            ledger=ledger,
            position=position,
        )
        self._committed = position
        if self.task.is_outdated:
            await self._rebuild(self.task, position)
        if restored.position is None and self.processor.start is Start.NOW:
            await self._write(self.task.step())  # or a restart would begin at another now
        reach("before-adopt")
        for effect in sorted(self.task.effects.values(), key=lambda effect: effect.order):
            self._open(effect)  # step 4
        reach("after-adopt")
        taken_over(self.processor.name, self.place, position, len(self.task.effects))
        reach("before-begin")
        self._inbox.clear()  # where this is the first record, it has been read already
        self._held = False  # as `begin` understands it: it lets a reader go on that was held
        self._reader.begin(self.partition, position)  # step 5

    # -- one transaction after another

    async def _woken(self) -> None:
        if not (self._may_take() or self._outcomes or self._wake.is_set()):
            wait = None if self._uncommitted_since is None else IDLE_COMMIT_SECONDS
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                return
        self._wake.clear()

    def _is_overdue(self) -> bool:
        since = self._uncommitted_since
        return since is not None and asyncio.get_running_loop().time() - since >= (
            IDLE_COMMIT_SECONDS
        )

    def _let_in(self) -> None:
        """Hold the reader while there is enough to do, and let it go on when there is not."""
        too_many = self._has_too_much_open()
        if self._held and not self._inbox and not too_many:
            self._reader.go_on(self.partition)
            self._held = False
        elif too_many and not self._held:
            self._reader.hold(self.partition)
            self._held = True

    def _may_take(self) -> bool:
        return bool(self._inbox) and not self._has_too_much_open()

    def _has_too_much_open(self) -> bool:
        """Whether so many effects are on their way that reading can wait for them.

        Timers, and what stands in a lane behind a parked effect, wait for something else: for a
        record of this very topic that cancels, requeues or discards.
        """
        if self.task is None or len(self.task.effects) < OPEN_EFFECTS_MAX:
            return False
        effects = self.task.effects.values()
        waiting = {effect.lane for effect in effects if effect.parked is not None}
        moving = sum(
            effect.lane not in waiting and self._kinds[effect.name].kind is not Kind.TIMER
            for effect in effects
        )
        return moving >= OPEN_EFFECTS_MAX

    async def _cycle(self) -> None:
        if self.task is None:
            await self._take_over()
        task = self.task
        assert task is not None
        if self._means.spans is not None:
            self._began_ns = self._means.spans.now_ns()
        with_outcomes = bool(self._outcomes)
        while self._outcomes:
            task.finish(self._outcomes.popleft())
        taken_now = 0
        while self._may_take() and not _is_full(task, taken_now):
            taken = self._inbox.popleft()
            for index, record in enumerate(taken.records):
                if record.offset < task.position:
                    continue
                if _is_full(task, taken_now):
                    rest = Taken(taken.records[index:], taken.next_offset)
                    self._inbox.appendleft(rest)
                    break
                taken_now += 1
                drain = task.take(record)
                if drain is not None:
                    await self._drain(task, drain)
            else:
                task.position = max(task.position, taken.next_offset)
        self.records_taken += taken_now
        self._means.reach("after-take")
        if with_outcomes:
            self._means.reach("before-outcome-commit")
        await self._commit()
        if with_outcomes:
            self._means.reach("after-outcome-commit")

    async def _commit(self, *, idle: bool = False) -> None:
        task = self.task
        if task is None:
            return
        step = task.step()
        if step.is_empty and not idle:
            if step.position > self._committed and self._uncommitted_since is None:
                self._uncommitted_since = asyncio.get_running_loop().time()
            return
        if step.is_empty and step.position <= self._committed:
            return
        if idle:
            self._means.reach("before-idle-commit")
        await self._write(step)

    async def _write(self, step: Step) -> None:
        assert self.task is not None
        self.task.stamp(step)
        self._means.reach("before-commit")
        began = asyncio.get_running_loop().time()
        await self._session.commit(step.events, step.changes, step.position)  # step 6
        self._commits.add(asyncio.get_running_loop().time() - began)
        self._committed = step.position
        self._uncommitted_since = None
        self._means.reach("after-commit")
        if self._means.spans is not None:
            tell_spans(self._means.spans, self.processor.name, step, self._began_ns)
            self._began_ns = 0
        parked(step.events)
        for effect in step.closed:
            self._means.runner.settled(self, effect)
        if self._leaving:
            return  # the next owner adopts what was opened
        self._means.reach("before-open")
        for effect in (*step.parked, *step.opened):
            if effect.effect_id in self.task.effects:  # else the same step closed it again
                self._open(effect)
        self._means.reach("after-open")

    def _open(self, effect: OpenEffect) -> None:
        kind = self._kinds.get(effect.name)
        if kind is None:
            raise StateMismatch(
                f"{self.processor.changelog.name}[{self.partition}] effect {effect.effect_id}: "
                f"{effect.name!r} is open and this code has no such effect; deploy the code that "
                f"has it until it is done"
            )
        self._means.runner.open(self, effect, kind)

    # -- parked keys and rebuilding: reading the topic again

    def _again(self, start: int, stop: int) -> AsyncGenerator[Recorded, None]:
        return self._means.log.read({self.place: start}, {self.place: stop})

    async def _drain(self, task: Task, drain: Drain) -> None:
        self._means.reach("before-drain")
        await self._commit()
        async with aclosing(self._again(drain.start, drain.trigger)) as queued:
            async for record in queued:
                if record.key_bytes != drain.key:
                    continue
                if not task.take_queued(drain, record):
                    task.stuck_again(drain)
                    return
                if _is_full(task, task.noted):
                    await self._commit()
                    self._means.reach("between-drain-commits")
        task.drained(drain)
        self._means.reach("after-drain")

    async def _rebuild(self, task: Task, position: int) -> None:
        """Fold the topic again with this code, emit nothing, and commit it under the new stamp."""
        self._means.reach("before-rebuild")
        async with aclosing(self._again(task.begin_rebuild(), position)) as records:
            async for record in records:
                drain = task.take(record)
                if drain is not None:
                    await self._fold_queue(task, drain, drain.trigger)
        if task.half_drained:  # the last owner died inside the request that is read next
            async with aclosing(self._again(position, position + 1)) as records:
                async for record in records:
                    drain = task.take(record)
                    assert drain is not None
                    await self._fold_queue(task, drain, task.half_drained[drain.key])
        step = task.end_rebuild(position)
        changes = list(step.changes.items())
        while len(changes) > REBUILD_CHANGES_MAX:
            part = Step(position, changes=dict(changes[:REBUILD_CHANGES_MAX]))
            del changes[:REBUILD_CHANGES_MAX]
            task.stamp(part, rebuilding=True)
            await self._session.commit((), part.changes, position)
            self._means.reach("between-rebuild-commits")
        await self._write(Step(position, changes=dict(changes)))
        self._means.reach("after-rebuild")

    async def _fold_queue(self, task: Task, drain: Drain, stop: int) -> None:
        async with aclosing(self._again(drain.start, stop)) as queued:
            async for record in queued:
                if record.key_bytes == drain.key and not task.take_queued(drain, record):
                    task.stuck_again(drain)
                    return
        if stop == drain.trigger:
            task.drained(drain)


def _is_full(task: Task, records: int) -> bool:
    return (
        records >= BATCH_RECORDS_MAX
        or task.noted >= BATCH_EVENTS_MAX
        or task.noted_bytes >= BATCH_BYTES_MAX
    )
