"""A directory in which a LIMS leaves orders: each file is placed when it is whole, and moved away.

Placed files go to `done/`, others to `refused/` with the reasons beside them. A file that was
placed and not yet moved is placed again without effect, so an end at any moment loses and repeats
nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genoflow.events.errors import Refused, Stop
from genoflow.processors.intake.order_files import CHARACTERS_MAX

SUFFIXES = (".json", ".csv", ".tsv")
DONE, REFUSED = "done", "refused"
REASON = ".reason.txt"
Shape = tuple[int, int, int]  # which file it is, its length, and when it was written


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look found: files that did not change since the look before, and all of them."""

    whole: tuple[Path, ...]
    shapes: Mapping[Path, Shape]


def look(directory: Path, before: Mapping[Path, Shape]) -> Seen:
    """Which files are whole: those that look as they did before, for nobody writes on them."""
    shapes: dict[Path, Shape] = {}
    try:
        for entry in sorted(os.scandir(directory), key=lambda entry: entry.name):
            hidden = entry.name.startswith(".")
            if not hidden and entry.name.lower().endswith(SUFFIXES) and _is_file(entry):
                found = entry.stat(follow_symlinks=False)
                shapes[Path(entry.path)] = found.st_ino, found.st_size, found.st_mtime_ns
    except OSError as error:
        raise Refused(
            f"{directory}: cannot be looked at ({error.strerror}); name a directory that you may "
            f"read"
        ) from error
    whole = tuple(path for path, shape in shapes.items() if before.get(path) == shape)
    return Seen(whole, shapes)


def _is_file(entry: os.DirEntry[str]) -> bool:
    return entry.is_file(follow_symlinks=False)


def text_of(path: Path) -> str:
    """What is in a file; Refused where it is no text."""
    try:
        with path.open("rb") as file:
            # A character has four bytes at most; what is longer is refused by its length.
            return file.read(4 * CHARACTERS_MAX + 4).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(
            f"{path.name}: is not UTF-8 ({error}); save it as UTF-8; nothing was appended"
        ) from error
    except OSError as error:
        raise Refused(
            f"{path.name}: cannot be read ({error.strerror}); leave it anew; nothing was appended"
        ) from error


def put_away(path: Path, reason: str | None = None) -> Path:
    """Move a file to where its kind goes; a reason is written first, so none is without."""
    folder = path.parent / (DONE if reason is None else REFUSED)
    try:
        folder.mkdir(exist_ok=True)
        number = 1
        target = folder / path.name
        while target.exists():  # the LIMS may use a name again
            number += 1
            target = folder / f"{path.stem}.{number}{path.suffix}"
        if reason is not None:
            target.with_name(target.name + REASON).write_text(f"{reason}\n", "utf-8")
        path.rename(target)
    except OSError as error:
        raise Stop(
            f"{path}: cannot be moved to {folder} ({error.strerror}); allow this account to write "
            f"there, and start again: what was placed is not placed twice"
        ) from error
    return target
