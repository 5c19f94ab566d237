"""Our observer of Nextflow, compiled once by the Groovy that stands among Nextflow's own jars."""

from __future__ import annotations

import asyncio
import hashlib
import os
import zipfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from genoflow.deploy.local.files import locked, make_directory, remove_tree
from genoflow.deploy.local.gateway import Report
from genoflow.deploy.local.process import Launch, run_once
from genoflow.events.errors import StackFault

SOURCE = "News.groovy"
COMPILER = "org.codehaus.groovy.tools.FileSystemCompiler"
FACTORY = "genoflow.news.NewsFactory"
INDEX = "META-INF/extensions.idx"  # where Nextflow looks for what others have added
SMALL = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


async def ensure_observer(cache: Path, java: Path, jars: Sequence[Path], report: Report) -> Path:
    """The jar to be put on the class path, compiled where it is not here: within two seconds."""
    source = files("genoflow.nextflow.observer").joinpath(SOURCE).read_bytes()
    identity = hashlib.sha256(source + os.fsencode(jars[0].parent.name)).hexdigest()[:12]
    target = cache / f"observer-{identity}.jar"
    if await asyncio.to_thread(target.exists):
        return target
    make_directory(cache)
    async with locked(cache / "observer.lock"):
        if not await asyncio.to_thread(target.exists):
            await _compile(target, source, java, jars, report)
    return target


async def _compile(
    target: Path, source: bytes, java: Path, jars: Sequence[Path], report: Report
) -> None:
    unfinished = target.with_suffix(".new")
    remove_tree(unfinished)  # left behind by somebody who was killed: we hold the lock
    index = unfinished / INDEX
    make_directory(index.parent)
    index.write_text(f"{FACTORY}\n", encoding="ascii")
    written = unfinished / SOURCE
    written.write_bytes(source)
    class_path = os.pathsep.join(map(str, jars))
    command = (
        str(java), *SMALL, "-cp", class_path, COMPILER, "-d", str(unfinished), str(written),
    )  # fmt: skip
    code, output = await run_once(Launch(command), report)
    if code != 0:
        remove_tree(unfinished)
        raise StackFault(
            f"the observer of Nextflow cannot be compiled:\n{output}\n"
            "runs are told of by their trace alone until this is mended"
        )
    # A folder would do as well, were it not that Java keeps no classes of class paths with folders.
    jar = target.with_suffix(".zip")
    with zipfile.ZipFile(jar, "w") as packed:
        for path in sorted(unfinished.rglob("*")):
            packed.write(path, path.relative_to(unfinished))
    jar.replace(target)
    remove_tree(unfinished)
