"""The jars of the embedded servers: named and hashed in `jars.lock`, fetched once, checked always.

The lock is the whole class path, so nothing is resolved when a stack starts: what is fetched is
exactly what was tried. `python -m genoflow.deploy.local.jars fetch SET DIRECTORY` fetches a set;
`… lock SET COORDINATE…` prints the lock's lines for a set after resolving it anew.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from genoflow.events.errors import GenoflowError, StackFault

FETCHES_AT_ONCE = 8  # a set has about 50 jars of 1 MB: the repository's latency, not its bandwidth
HTTP_TIMEOUT_SECONDS = 60  # one jar of 6 MB over a slow line of 1 Mbit/s
HASH_CHUNK_BYTES = 1 << 20
PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0)  # one of 150 jars may meet a name server that is busy


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock: the set that it belongs to, its coordinate and its SHA-256."""

    set_name: str
    coordinate: str  # group:artifact:version
    sha256: str

    @property
    def file_name(self) -> str:
        """The name of the file, as every repository calls it."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def read_lock(set_name: str, lock: Path | None = None) -> list[Jar]:
    """Return the jars that a lock, the stack's or another, names for one set, in their order."""
    source = lock or files("genoflow.deploy.local").joinpath("jars.lock")
    text = source.read_text(encoding="utf-8")
    lines = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    jars = [Jar(*line) for line in lines]
    return [jar for jar in jars if jar.set_name == set_name]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_of_text(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def check(jars: Iterable[Jar], directory: Path) -> None:
    """Refuse a directory in which a jar is missing or is not the one that the lock names."""
    for jar in jars:
        path = directory / jar.file_name
        if not path.exists():
            raise StackFault(f"{path}: is missing; remove {directory} and start again")
        if (found := sha256_of(path)) != jar.sha256:
            raise StackFault(
                f"{path}: its SHA-256 is {found}, the lock says {jar.sha256}; "
                "whoever served it changed it: try again, then ask who runs the mirror"
            )


@contextmanager
def _repository() -> Iterator[Any]:
    # jgo is an optional extra and slow to import: only this program, run once, needs it.
    try:
        from jgo.config import GlobalSettings  # noqa: PLC0415
        from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415
        from jgo.maven import MavenContext  # noqa: PLC0415
    except ImportError as error:
        raise StackFault(
            "jars: the package jgo is not installed; run `pip install 'genoflow[local]'`"
        ) from error
    # Mirrors that the user configured for jgo come first: inside a company they are all there is.
    remote = {**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL}
    # A repository of its own, because jgo writes in place: a killed fetch leaves nothing behind.
    with TemporaryDirectory() as folder:
        yield MavenContext(
            repo_cache=Path(folder), remote_repos=remote, timeout=HTTP_TIMEOUT_SECONDS
        )


def fetch(set_name: str, directory: Path) -> None:
    """Fetch the set's jars into an existing directory and check every one of them."""
    fetch_all(read_lock(set_name), directory)


def fetch_all(jars: Sequence[Jar], directory: Path) -> None:
    """Fetch these jars into an existing directory and check every one of them."""
    with _repository() as context, ThreadPoolExecutor(FETCHES_AT_ONCE) as pool:

        def fetch_one(jar: Jar) -> None:
            group, artifact, version = jar.coordinate.split(":")
            for pause in (*PAUSES_SECONDS, None):
                try:
                    found = context.project(group, artifact).at_version(version).artifact()
                    (directory / jar.file_name).write_bytes(found.resolve().read_bytes())
                except (OSError, RuntimeError):  # as in main(): what jgo and its transport raise
                    if pause is None:
                        raise
                    time.sleep(pause)
                else:
                    return

        for count, _ in enumerate(pool.map(fetch_one, jars), 1):
            sys.stdout.write(f"fetching jars: {count} of {len(jars)}\n")
            sys.stdout.flush()
    check(jars, directory)


def lock_lines(set_name: str, coordinates: list[str]) -> list[str]:
    """Resolve coordinates with all that they need, and return the lines that pin the result."""
    with _repository() as context, ThreadPoolExecutor(FETCHES_AT_ONCE) as pool:
        wanted = [context.create_dependency(coordinate) for coordinate in coordinates]
        inputs, needed = context.resolver.resolve(wanted)
        artifacts = [dependency.artifact for dependency in inputs]
        artifacts += [found.artifact for found in needed if found.scope in ("compile", "runtime")]
        paths = list(pool.map(lambda artifact: artifact.resolve(), artifacts))
        return [
            f"{set_name} {item.groupId}:{item.artifactId}:{item.version} {sha256_of(path)}"
            for item, path in sorted(zip(artifacts, paths, strict=True), key=lambda pair: pair[1])
        ]


def main(arguments: list[str]) -> int:
    """Fetch or lock a set of jars, as the module's docstring says."""
    verb, set_name, *rest = arguments
    try:
        if verb == "fetch":
            fetch(set_name, Path(rest[0]))
        else:
            sys.stdout.write("\n".join(lock_lines(set_name, rest)) + "\n")
    except (GenoflowError, OSError, RuntimeError) as error:
        # jgo reports what it cannot fetch as RuntimeError, its transport as OSError.
        sys.stdout.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
