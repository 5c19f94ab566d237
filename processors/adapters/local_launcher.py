"""Jobs on this machine: real processes that outlive the worker, looked up by their effect id.

All workers of a machine share one directory of jobs. A job is found by any of them, and never by
those of another machine: let the workers of a processor with jobs run on one, or wire a launcher
that all machines reach.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import math
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

from genoflow.events.errors import Retry
from genoflow.processors.adapters.local_job import (
    BEGUN,
    CANCELLED,
    DOCUMENT,
    LOCK,
    LOG,
    PROGRAM,
)
from genoflow.processors.job_outcome import outcome_key
from genoflow.processors.ports import JobOrder, JobState, ObjectStore

LAUNCH_SECONDS_MAX = 30.0  # a Python starts in 0.1 s; three hundred times that under load
CANCEL_GRACE_SECONDS = 10.0  # Nextflow ends its tasks in 2 s
LOOK_SECONDS = 0.05  # between two looks at a lock that somebody is about to let go
REMOVED = ".removed"  # behind the name of a job: it has ended, and what it left is gone
AWAY = ".away"  # behind the name of a directory that is being removed
LOG_CHARACTERS_MAX = 2_000  # of the wrapper's complaint


class LocalLauncher:
    """The port over processes of this machine."""

    def __init__(self, directory: Path, command: Sequence[str], bucket: str) -> None:
        """Keep jobs below `directory`; `command` is a program that calls `run_job`.

        It is given the job's directory, the number of the lock's open file, and where its outcome
        goes: a bucket and a key.
        """
        self._directory = directory
        self._command = tuple(command)
        self._bucket = bucket

    async def find(self, effect_id: UUID) -> JobState:
        """What became of the job of this effect, on this machine."""
        return await asyncio.to_thread(self._find, effect_id)

    async def launch(self, effect_id: UUID, order: JobOrder) -> None:
        """Begin it, once: whoever has its lock has the right to begin it."""
        await asyncio.to_thread(self._launch, effect_id, order)

    async def cancel(self, effect_id: UUID) -> None:
        """End its session: gently, and by force after a while."""
        await asyncio.to_thread(self._cancel, effect_id)

    async def clear(self, store: ObjectStore, old_seconds: float) -> int:
        """Remove what jobs left of which nothing was heard for so long; how many.

        Only of those whose outcome is in the store, and of those that nobody wants any more. What
        a lost job said stays for a person to read. An empty file is left, so that whoever looks
        for the job later, however late, does not take it for lost, and begins it no second time.
        """
        removed = 0
        for home in await asyncio.to_thread(self._old, time.time() - old_seconds):
            is_wanted = not (home / CANCELLED).exists()
            if is_wanted and await store.get(self._bucket, outcome_key(home.name)) is None:
                continue
            removed += await asyncio.to_thread(_remove, home)
        return removed

    def _old(self, before: float) -> list[Path]:
        for half in self._directory.glob(f"*{AWAY}"):  # its worker was killed while it removed it
            shutil.rmtree(half, ignore_errors=True)
        jobs = self._directory.iterdir() if self._directory.is_dir() else ()
        return sorted(home for home in jobs if _is_job(home) and _touched_at(home) < before)

    def _find(self, effect_id: UUID) -> JobState:
        home = self._directory / str(effect_id)
        if _is_removed(home):
            return JobState.ENDED
        if not home.is_dir():
            return JobState.UNKNOWN
        with _lock(home, fcntl.LOCK_SH) as ours:
            if ours is None:
                return JobState.RUNNING
            return JobState.ENDED if (home / BEGUN).exists() else JobState.UNKNOWN

    def _launch(self, effect_id: UUID, order: JobOrder) -> None:
        home = self._directory / str(effect_id)
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        give_up_at = time.monotonic() + LAUNCH_SECONDS_MAX
        while True:
            with _lock(home, fcntl.LOCK_EX) as ours:
                if _is_removed(home) or (home / BEGUN).exists() or (home / CANCELLED).exists():
                    return  # it runs, it has run, or nobody wants it any more
                if ours is not None:
                    self._start(effect_id, home, ours, order)
                    return
            # Somebody begins it now, or only looks whether it runs.
            if time.monotonic() >= give_up_at:
                raise Retry(
                    f"{home}: another process holds the lock and has not begun the job within "
                    f"{LAUNCH_SECONDS_MAX:g} s; see what it waits for"
                )
            time.sleep(LOOK_SECONDS)

    def _start(self, effect_id: UUID, home: Path, lock: int, order: JobOrder) -> None:
        (home / DOCUMENT).write_bytes(order.document)
        (home / PROGRAM).write_text(json.dumps(order.program), encoding="utf-8")
        where = (str(home), str(lock), self._bucket, outcome_key(effect_id))
        with (home / LOG).open("ab") as log:
            try:
                started = subprocess.run(
                    [*self._command, *where],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(lock,),
                    start_new_session=True,
                    timeout=LAUNCH_SECONDS_MAX,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise Retry(f"{home}: the job could not be begun: {error}; see {LOG}") from error
        if started.returncode != 0:
            said = (home / LOG).read_text(encoding="utf-8", errors="replace")
            raise Retry(
                f"{home}: the job could not be begun, exit status {started.returncode}: "
                f"{said[-LOG_CHARACTERS_MAX:].strip()}; mend that"
            )

    def _cancel(self, effect_id: UUID) -> None:
        home = self._directory / str(effect_id)
        if _is_removed(home):
            return
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        (home / CANCELLED).touch()  # from now on nobody begins it; somebody may be about to
        give_up_at = time.monotonic() + CANCEL_GRACE_SECONDS
        while not (home / BEGUN).exists() and self._find(effect_id) is JobState.RUNNING:
            if time.monotonic() >= give_up_at:
                raise Retry(f"{home}: the job is being begun and is not there yet; ask again")
            time.sleep(LOOK_SECONDS)
        if not self._signal(home, signal.SIGTERM):
            return
        while time.monotonic() < give_up_at:
            if self._find(effect_id) is not JobState.RUNNING:
                return
            time.sleep(LOOK_SECONDS)
        self._signal(home, signal.SIGKILL)
        while self._find(effect_id) is JobState.RUNNING:
            if time.monotonic() >= give_up_at + CANCEL_GRACE_SECONDS:
                raise Retry(
                    f"{home}: the job was killed and something of it still runs, in a session of "
                    f"its own; find it with `fuser {home / LOCK}` and end it"
                )
            time.sleep(LOOK_SECONDS)

    def _signal(self, home: Path, number: signal.Signals) -> bool:
        """Signal the job's session; False where it does not run."""
        if not home.is_dir():
            return False
        with _lock(home, fcntl.LOCK_SH) as ours:
            # While the lock is held a process of this session lives, and its id is nobody else's.
            if ours is not None or not (home / BEGUN).exists():
                return False
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int((home / BEGUN).read_text(encoding="ascii")), number)
            return True


def _is_job(home: Path) -> bool:
    try:
        return str(UUID(home.name)) == home.name and home.is_dir()
    except ValueError:
        return False


def _touched_at(home: Path) -> float:
    """When anything in it was written last, work of the program aside."""
    try:
        return max(path.stat().st_mtime for path in (home, *home.iterdir()))
    except FileNotFoundError:
        return math.inf  # another worker removes it


def _remove(home: Path) -> bool:
    """Remove it at once and whole; False where it is used."""
    try:
        with _lock(home, fcntl.LOCK_EX) as ours:
            if ours is None:
                return False
            home.with_name(f"{home.name}{REMOVED}").touch()  # before: it is never unknown
            # Half a directory would be half a job, where this process is killed meanwhile.
            away = home.rename(home.with_name(f"{home.name}{AWAY}"))
    except Retry:
        return False  # another worker was faster
    shutil.rmtree(away, ignore_errors=True)
    return True


def _is_removed(home: Path) -> bool:
    return home.with_name(f"{home.name}{REMOVED}").exists()


@contextlib.contextmanager
def _lock(home: Path, kind: int) -> Iterator[int | None]:
    """The job's lock as an open file, or None where somebody holds it.

    Those who only look share it (LOCK_SH), so that none takes another for the job.
    """
    try:
        descriptor = os.open(home / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError as error:
        raise Retry(f"{home}: was removed just now, as it was old; ask again") from error
    try:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor
    finally:
        # No LOCK_UN: a job that was begun shares this open file, and with it the lock.
        os.close(descriptor)
