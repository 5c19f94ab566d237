"""Looks at run folders again and again, and appends what each look adds to the log.

It polls: labs mount their instruments' shares over NFS and SMB, which tell nobody of a new file.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from genoflow.events.envelope import Producer
from genoflow.events.errors import Refused, Retry
from genoflow.events.event import Event
from genoflow.events.sequencing_run_mirrored import SequencingRunMirrored
from genoflow.processors.intake.mirror import Changed, Mirror
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.intake.run_folders import RunFolders, RunStore, Shown, Vendor
from genoflow.processors.intake.told import RunLog
from genoflow.processors.intake.transfer import LocalCopy, Transfer
from genoflow.processors.intake.watch import (
    DEFAULTS,
    UNSEEN,
    Limits,
    Memory,
    changed,
    mirrored,
    run_id_of,
    step,
)
from genoflow.processors.ports import Clock


@dataclass(slots=True)
class Pass:
    """What one look at every folder came to."""

    appended: list[Event] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)  # by folder: what a person has to mend


class Watcher:
    """One porch over one place; any number of them may watch the same."""

    def __init__(
        self,
        log: RunLog,
        folders: RunFolders,
        vendor: Vendor,
        store: RunStore,
        *,
        bucket: str,
        guard: PrivacyGuard,
        clock: Clock,
        by: Producer,
        limits: Limits = DEFAULTS,
        transfer: Transfer | None = None,
    ) -> None:
        self._log = log
        self._folders = folders
        self._vendor = vendor
        self._transfer = transfer or LocalCopy(folders, store, bucket)
        self._guard = guard
        self._clock = clock
        self._by = by
        self._limits = limits
        self._memory: dict[str, Memory] = {}
        self._stopping = threading.Event()  # asked by the threads that copy
        self._over: set[str] = set()  # folders of which only the sheet still counts

    def stop(self) -> None:
        """Let a copy that is under way end with the file that it is at."""
        self._stopping.set()

    async def look(self) -> Pass:
        """Look at every folder once and append what is new; what one lacks stops no other."""
        result = Pass()
        await self._log.catch_up()
        names = await asyncio.to_thread(self._folders.names)
        for name in names:
            if self._stopping.is_set():
                break
            try:
                await self._folder(name, result)
            except (Refused, Retry) as error:
                result.problems[name] = str(error)
        self._memory = {name: self._memory[name] for name in names if name in self._memory}
        return result

    async def _folder(self, name: str, result: Pass) -> None:
        shown = await asyncio.to_thread(self._shown, name)
        run_id = run_id_of(shown)
        memory = self._memory.get(name, UNSEEN)
        found = step(self._log.told(run_id), memory, shown, self._limits, self._by)
        self._memory[name] = found.memory
        for event in found.events:
            await self._append(event, result)
        if found.copy:
            await self._copy(run_id, shown, result)
        told = self._log.told(run_id)
        if told.mirrored or told.is_lost:
            self._over.add(name)

    def _shown(self, name: str, *, whole: bool | None = None) -> Shown:
        wanted = name not in self._over if whole is None else whole
        return self._vendor.read(self._folders.look(name, self._clock.now(), whole=wanted))

    async def _copy(self, run_id: str, shown: Shown, result: Pass) -> None:
        began = self._clock.now()
        outcome = await asyncio.to_thread(
            self._transfer.mirror, run_id, shown,
            lambda: self._shown(shown.name, whole=True), self._stopping.is_set,
        )  # fmt: skip
        if isinstance(outcome, Changed):
            await self._append(changed(shown, outcome.what, self._by), result)
            return
        took = max(timedelta(), self._clock.now() - began)
        event = _fact(run_id, outcome, took)
        await self._append(mirrored(shown, event, self._clock.now(), self._by), result)

    async def _append(self, event: Event, result: Pass) -> None:
        self._guard.check(event)
        await self._log.append(event)
        result.appended.append(event)


def _fact(run_id: str, copy: Mirror, took: timedelta) -> SequencingRunMirrored:
    return SequencingRunMirrored(
        instrument_run_id=run_id, bucket=copy.bucket, prefix=copy.prefix,
        manifest_key=copy.manifest_key, manifest_sha256=copy.manifest_sha256,
        file_count=copy.file_count, total_bytes=copy.total_bytes,
        duration_seconds=took.total_seconds(),
    )  # fmt: skip


def news(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """The problems that were not there, or were others, at the look before."""
    return {name: text for name, text in after.items() if before.get(name) != text}
