"""A sequencing run asked again: its folder looked at as the watcher does, as often as it has to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from genoflow.events.envelope import Producer
from genoflow.events.errors import Retry
from genoflow.events.event import Event
from genoflow.processors.intake.looks import Found, Looks
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.intake.run_folders import RunFolders, Shown, Vendor
from genoflow.processors.intake.told import RunLog
from genoflow.processors.intake.watch import DEFAULTS, UNSEEN, Limits, run_id_of, step
from genoflow.processors.ports import Clock
from genoflow.processors.sources import Answer, Question

# Between two looks: a file that is being written grows within it.
PAUSE_SECONDS = 15.0


class FolderSource:
    """Looks at one folder; it tells of the run, and copies nothing, which the watcher does."""

    def __init__(
        self,
        log: RunLog,
        folders: Callable[[Path], RunFolders],
        vendor: Vendor,
        looks: Looks,
        *,
        guard: PrivacyGuard,
        clock: Clock,
        by: Producer,
        limits: Limits = DEFAULTS,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._log = log
        self._folders = folders
        self._vendor = vendor
        self._looks = looks
        self._guard = guard
        self._clock = clock
        self._by = by
        self._limits = limits
        self._pause_seconds = pause_seconds

    async def ask(self, question: Question) -> Answer:
        """Tell what the folder shows; Retry where it cannot be read from here."""
        place = f"the folder of {question.key}"
        return await self._looks.answer(question, place, lambda: self._look(question.key))

    async def _look(self, key: str) -> Found:
        await self._log.catch_up()
        path = _path_of(self._log.told(key).run_folder)
        if path is None:
            return Found(reason="nothing says where it is, or it is on no file system")
        folders, memory = self._folders(path), UNSEEN
        brought: dict[str, list[Event]] = {}
        for left in reversed(range(self._limits.looks)):
            shown = await asyncio.to_thread(self._shown, folders, path)
            found = step(self._log.told(key), memory, shown, self._limits, self._by)
            memory = found.memory
            for event in found.events:
                self._guard.check(event)
                await self._log.append(event)
                brought.setdefault(event.key, []).append(event)
            told = self._log.told(key)
            if told.completed is not None or told.is_lost or shown.ending is None or not left:
                break
            await asyncio.sleep(self._pause_seconds)
        says = "has a marker of its end" if shown.ending else "has no marker of its end"
        missing = f", and {len(shown.missing)} files are missing" if shown.missing else ""
        return Found(brought, f"{run_id_of(shown)} {says}{missing}")

    def _shown(self, folders: RunFolders, path: Path) -> Shown:
        look = folders.look(str(path), self._clock.now(), whole=True)
        if look.unreadable is not None:
            raise Retry(look.unreadable)
        return self._vendor.read(look)


def _path_of(uri: str | None) -> Path | None:
    parts = urlsplit(uri or "")
    return Path(unquote(parts.path)) if parts.scheme == "file" and not parts.netloc else None
