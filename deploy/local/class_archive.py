"""The classes of a program of Java, loaded and checked once: it begins in half the time."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from genoflow.deploy.local.files import locked, make_directory, remove_tree
from genoflow.deploy.local.gateway import Report
from genoflow.deploy.local.process import Launch, run_once
from genoflow.events.errors import StackFault

ARCHIVE = "classes.jsa"
COLLECTOR = "-XX:+UseSerialGC"  # of all our programs of Java: an archive is of one
# Runs the program once in a folder, with these options of Java; returns its end and last lines.
Learn = Callable[[Path, Sequence[str]], Awaitable[tuple[int, str]]]


def archive_path(cache: Path, java: Path, class_path: Sequence[Path]) -> Path:
    """Where it lives: another Java, or another class path, has another one."""
    has = java.resolve().stat()
    identity = f"{java} {has.st_size} {has.st_mtime_ns} {os.pathsep.join(map(str, class_path))}"
    return cache / f"archive-{hashlib.sha256(identity.encode()).hexdigest()[:12]}" / ARCHIVE


def with_archive(cache: Path, java: Path, class_path: Sequence[Path]) -> tuple[str, ...]:
    """The options that take the archive; none where there is none."""
    archive = archive_path(cache, java, class_path)
    return (f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off") if archive.exists() else ()


async def ensure_archive(
    cache: Path, java: Path, class_path: Sequence[Path], report: Report, learn: Learn, name: str
) -> Path:
    """The archive, made where it is not here: half a minute. StackFault where it cannot be."""
    target = await asyncio.to_thread(archive_path, cache, java, class_path)
    if await asyncio.to_thread(target.exists):
        return target
    make_directory(cache)
    async with locked(cache / "archive.lock"):
        if not await asyncio.to_thread(target.exists):
            report(f"keeping the classes of {name} as they are loaded, once")
            await _make(target.parent, java, class_path, learn, name)
    return target


async def _make(
    folder: Path, java: Path, class_path: Sequence[Path], learn: Learn, name: str
) -> None:
    unfinished = folder.with_name(f"{folder.name}.new")
    remove_tree(unfinished)  # left behind by somebody who was killed: we hold the lock
    make_directory(unfinished)
    names = unfinished / "classes.txt"
    code, output = await learn(unfinished, ("-Xshare:off", f"-XX:DumpLoadedClassList={names}"))
    if code == 0:
        # The package of Java has no archive of its own to build on: this one holds Java's, too.
        code, output = await run_once(Launch((
            str(java), COLLECTOR, "-Xshare:dump", f"-XX:SharedClassListFile={names}",
            f"-XX:SharedArchiveFile={unfinished / ARCHIVE}", "-Xlog:cds=error",
            "-cp", os.pathsep.join(map(str, class_path)),
        )))  # fmt: skip
    if code != 0:
        remove_tree(unfinished)
        raise StackFault(
            f"the classes of {name} cannot be kept:\n{output}\n"
            "it begins later without them, and does the same"
        )
    for path in unfinished.iterdir():
        if path.name != ARCHIVE:
            remove_tree(path) if path.is_dir() else path.unlink()
    unfinished.replace(folder)
