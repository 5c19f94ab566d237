"""The folder of a run on this machine: its attempts share it, one after another."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from genoflow.processors.running.manifest import RunManifest

RUNS = "runs"  # below the home of the deployment: a later attempt goes on from what is there
LOCK = "lock"


@contextlib.contextmanager
def attempt_folder(home: Path, run_id: UUID, own: Path) -> Iterator[Path]:
    """The folder that the attempts of a run share; `own` where another of them works there."""
    shared = home.resolve() / RUNS / str(run_id)
    while True:
        shared.mkdir(parents=True, exist_ok=True)
        try:
            lock = (shared / LOCK).open("ab")
        except FileNotFoundError:
            continue  # it was removed just now
        with lock:
            if not _locked(lock):  # an attempt that was given up for lost lives on
                yield own
                return
            if _is_at(lock, shared / LOCK):
                yield shared
                return


def done_with(folder: Path, manifest: RunManifest) -> None:
    """Remove the folder, unless the run failed: another attempt may go on from what is there."""
    if manifest.fault is None:
        shutil.rmtree(folder, ignore_errors=True)


def clear_runs(home: Path, old_seconds: float) -> int:
    """Remove the folders where nobody works and nothing happened for so long; how many.

    An attempt that follows all the same begins anew, and its results are the same.
    """
    removed, before = 0, time.time() - old_seconds
    runs = home.resolve() / RUNS
    for folder in sorted(path for path in runs.glob("*") if path.is_dir()):
        with contextlib.suppress(FileNotFoundError):  # another worker removes it
            if max(path.stat().st_mtime for path in (folder, *folder.iterdir())) >= before:
                continue
            with (folder / LOCK).open("ab") as lock:
                if _locked(lock):
                    shutil.rmtree(folder, ignore_errors=True)
                    removed += 1
    return removed


def _locked(lock: BinaryIO) -> bool:
    """Whether the lock is ours now, as long as the file is open."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(lock: BinaryIO, path: Path) -> bool:
    """Whether the file is the one of this name: whoever held the lock may have removed it."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except FileNotFoundError:
        return False
