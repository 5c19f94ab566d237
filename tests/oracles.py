"""Foreign programs that judge ours: fetched once into the cache, pinned by `apicurio.lock`.

`python -m tests.oracles fetch` fetches them. The tests themselves never reach the network: where an
oracle is missing they fail and name that line.
"""

from __future__ import annotations

import os
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from genoflow.deploy.local.artifacts import ca_environment
from genoflow.deploy.local.jars import sha256_of
from genoflow.deploy.settings import read_settings
from genoflow.events.errors import GenoflowError, StackFault

LOCK = Path(__file__).with_name("apicurio.lock")
FETCH_COMMAND = ".venv/bin/python -m tests.oracles fetch"
HTTP_TIMEOUT_SECONDS = 60  # between two chunks, not for the whole file
PROGRESS_SECONDS = 2  # a line every two seconds: twenty lines on a slow line, not a thousand
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Pinned:
    """One line of the lock: a Maven coordinate with classifier and type, and its SHA-256."""

    group: str
    artifact: str
    version: str
    classifier: str
    packaging: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The name of the file, as every repository calls it."""
        return f"{self.artifact}-{self.version}-{self.classifier}.{self.packaging}"


def read_lock() -> Pinned:
    """Return the one artifact that the lock names."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line and not line.startswith("#"))
    coordinate, sha256 = line.split()
    group, artifact, version, classifier, packaging = coordinate.split(":")
    return Pinned(group, artifact, version, classifier, packaging, sha256)


def apicurio_path() -> Path:
    """Return where Apicurio lives in the cache: a changed lock is another directory."""
    pinned = read_lock()
    return read_settings().cache / "oracles" / f"apicurio-{pinned.version}-{pinned.sha256[:12]}"


def find_apicurio() -> Path:
    """Return the unpacked Apicurio, or name the one command that gets it."""
    path = apicurio_path()
    if not path.is_dir():
        raise StackFault(f"{path}: Apicurio is not there; run `{FETCH_COMMAND}`")
    return path


def fetch() -> None:
    """Fetch and unpack Apicurio unless it is there, telling how far it is."""
    target = apicurio_path()
    if target.is_dir():
        sys.stdout.write(f"apicurio: is in {target}\n")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # Everything happens beside the target and is renamed at the end: it is whole or not there.
    with TemporaryDirectory(dir=target.parent) as folder:
        archive = _download(read_lock(), Path(folder) / "repository")
        unpacked = Path(folder) / "unpacked"
        with tarfile.open(archive) as tar:
            # Its checksum is pinned; early releases of Python 3.11 have no filter to ask for.
            if hasattr(tarfile, "data_filter"):
                tar.extraction_filter = tarfile.data_filter
            tar.extractall(unpacked)
        try:
            unpacked.rename(target)
        except OSError:
            if not target.is_dir():  # else another fetch was first, and its result is the same
                raise
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    _say(f"unpacked, {size / MEGABYTE:.0f} MB in {target}")


def _download(pinned: Pinned, folder: Path) -> Path:
    # jgo is slow to import and needed here only.
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext, PythonResolver

    # Mirrors that the user configured for jgo come first: inside a company they are all there is.
    context = MavenContext(
        resolver=PythonResolver(progress_callback=_progress),
        repo_cache=folder,
        remote_repos={**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL},
        timeout=HTTP_TIMEOUT_SECONDS,
    )
    component = context.project(pinned.group, pinned.artifact).at_version(pinned.version)
    path: Path = component.artifact(pinned.classifier, pinned.packaging).resolve()
    check(pinned, path)
    return path


def check(pinned: Pinned, path: Path) -> None:
    """Refuse a file that is not the one that the lock names."""
    if (found := sha256_of(path)) != pinned.sha256:
        raise StackFault(
            f"{pinned.file_name}: its SHA-256 is {found}, the lock says {pinned.sha256}; "
            f"whoever served it changed it: try again, then ask who runs the mirror"
        )


@contextmanager
def _progress(name: str, total_bytes: int) -> Iterator[Callable[[int], None]]:
    done, said = 0, time.monotonic()

    def advance(count: int) -> None:
        nonlocal done, said
        done += count
        if time.monotonic() - said >= PROGRESS_SECONDS:
            said = time.monotonic()
            _say(f"fetching, {done / MEGABYTE:.0f} of {total_bytes / MEGABYTE:.0f} MB")

    _say(f"fetching {name}, {total_bytes / MEGABYTE:.0f} MB, once")
    yield advance


def _say(text: str) -> None:
    sys.stdout.write(f"apicurio: {text}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Fetch the oracles, as the module's docstring says."""
    if arguments != ["fetch"]:
        sys.stderr.write(f"usage: {FETCH_COMMAND}\n")
        return 2
    os.environ.update(ca_environment())
    try:
        fetch()
    except (GenoflowError, OSError, RuntimeError) as error:
        # jgo reports what it cannot fetch as RuntimeError, its transport as OSError.
        sys.stderr.write(f"apicurio: {error}; check the network and its proxy, then try again\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
