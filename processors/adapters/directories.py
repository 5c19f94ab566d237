"""Run folders in directories of this machine, which may be shares of others."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from stat import S_ISREG

from genoflow.events.errors import Refused, Retry
from genoflow.processors.intake.run_folders import (
    DOCUMENT_BYTES_MAX,
    FileSeen,
    Look,
    Source,
    Vendor,
)

# A NovaSeq X writes 40,000 files; ten times as many are a file system, not a run.
FILES_MAX = 400_000


class Directories:
    """RunFolders over directories: each of their subdirectories that the vendor takes for a run.

    A directory that is a run folder itself is one, too. Links are not followed.
    """

    def __init__(self, roots: Sequence[Path], vendor: Vendor) -> None:
        self._roots = tuple(root.resolve() for root in roots)
        self._vendor = vendor

    def names(self) -> Sequence[str]:
        """The path of every run folder."""
        return sorted({str(path) for root in self._roots for path in self._below(root)})

    def _below(self, root: Path) -> list[Path]:
        try:
            if self._vendor.is_run([entry.name for entry in os.scandir(root)]):
                return [root]
            return [Path(e.path) for e in os.scandir(root) if self._is_run(e)]
        except OSError as error:
            raise Retry(f"{root}: {error}; mount it, or watch another directory") from error

    def _is_run(self, entry: os.DirEntry[str]) -> bool:
        if entry.name.startswith(".") or not entry.is_dir(follow_symlinks=False):
            return False
        try:
            return self._vendor.is_run([path.name for path in Path(entry.path).iterdir()])
        except OSError:
            return False  # whose directory it is nobody can say; another look may

    def look(self, name: str, at: datetime, *, whole: bool) -> Look:
        """The regular files of a folder; unreadable where the system refuses any of it."""
        folder = Path(name)
        try:
            files = dict(_walk(folder, whole=whole))
            documents = {
                path: _head(folder / path) for path in files if self._vendor.is_document(path)
            }
        except OSError as error:
            why = f"{folder}: {error}; let the watcher read all of the folder"
            return Look(name, folder.as_uri(), at, {}, {}, unreadable=why)
        return Look(name, folder.as_uri(), at, files, documents)

    def open(self, name: str, path: str) -> AbstractContextManager[Source]:
        """One file, to be read from its beginning."""
        return Path(name, path).open("rb")


def _walk(folder: Path, *, whole: bool) -> Iterator[tuple[str, FileSeen]]:
    left, count = [""], 0
    while left:
        below = left.pop()
        with os.scandir(folder / below) as entries:
            for entry in entries:
                path = f"{below}{entry.name}"
                try:
                    if entry.is_dir(follow_symlinks=False):
                        if whole:
                            left.append(f"{path}/")
                        continue
                    state = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # it went between two calls: this look shows the folder without it
                if not S_ISREG(state.st_mode):
                    continue
                count += 1
                if count > FILES_MAX:
                    raise Refused(f"{folder}: has more than {FILES_MAX:,} files; it is no run")
                yield path, FileSeen(state.st_size, state.st_mtime_ns)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(DOCUMENT_BYTES_MAX)
