"""Copies a complete run into the object store, and compares every file on the way.

`sealed` is the end of every transfer, whoever moves the bytes: each file compared, the folder
looked at once more, and the manifest written.

A file is read twice: once for its checksum, once to be sent, and its size and time are asked again
behind both. What is in the store already with the same checksum is not sent again, so a copy that
was interrupted goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from genoflow.events.errors import Retry
from genoflow.processors.intake.landing import RUN, SHA256
from genoflow.processors.intake.run_folders import (
    FileSeen,
    RunFolders,
    RunStore,
    Shown,
    Source,
    chunks,
)

CHUNK_BYTES = 8 * 1024**2  # four files at once hold 32 MiB
FILES_AT_ONCE = 4  # a MiSeq's 10,000 files of 1 MB wait for answers, not for bytes
FOLDER = "runs"


@dataclass(frozen=True, slots=True)
class Mirror:
    """What stands in the store once all is copied."""

    bucket: str
    prefix: str
    manifest_key: str
    manifest_sha256: str
    file_count: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Changed:
    """The folder did not hold still; in words, what was seen."""

    what: str


def mirror(
    folders: RunFolders,
    store: RunStore,
    bucket: str,
    run_id: str,
    shown: Shown,
    again: Callable[[], Shown],
    stopping: Callable[[], bool],
) -> Mirror | Changed:
    """Copy every file of the run and its manifest, or say which file changed meanwhile.

    `again` looks at the folder once more; `stopping` is asked before each file, and Retry follows
    when it says yes. It blocks: call it in a thread.
    """
    prefix = f"{FOLDER}/{run_id}/files/"
    copy = _Copy(folders, store, bucket, shown.name, run_id, prefix, stopping)
    return sealed(copy.one, store, bucket, prefix, run_id, shown, again)


def sealed(
    one: Callable[[str, FileSeen], str | None],
    store: RunStore,
    bucket: str,
    prefix: str,
    run_id: str,
    shown: Shown,
    again: Callable[[], Shown],
) -> Mirror | Changed:
    """Write the manifest of files that are all in the store, or say which file changed meanwhile.

    `one` brings or compares one file, and gives its checksum; None where it is not as it was.
    """
    paths = sorted(shown.files)
    pool = ThreadPoolExecutor(FILES_AT_ONCE)
    try:
        sums = list(pool.map(one, paths, (shown.files[path] for path in paths)))
    finally:
        pool.shutdown(cancel_futures=True)  # after an error the rest of the run is not tried
    after = again()
    gone = shown.files.keys() ^ after.files.keys()
    moved = {path for path, seen in shown.files.items() if after.files.get(path) != seen} | gone
    changed = sorted(moved | {path for path, sha in zip(paths, sums, strict=True) if sha is None})
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        return Changed(f"{changed[0]}{more} changed while the folder was copied")
    lines = (
        f"{sha}\t{shown.files[path].size_bytes}\t{path}\n"
        for path, sha in zip(paths, sums, strict=True)
    )
    manifest = "".join(lines).encode()
    digest = hashlib.sha256(manifest).hexdigest()
    key = f"{FOLDER}/{run_id}/manifest-{digest[:16]}.tsv"
    store.put(bucket, key, io.BytesIO(manifest), len(manifest), {RUN: run_id, SHA256: digest})
    total = sum(seen.size_bytes for seen in shown.files.values())
    return Mirror(bucket, prefix, key, digest, len(paths), total)


@dataclass(frozen=True, slots=True)
class _Copy:
    folders: RunFolders
    store: RunStore
    bucket: str
    name: str
    run_id: str
    prefix: str
    stopping: Callable[[], bool]

    def one(self, path: str, seen: FileSeen) -> str | None:
        """The checksum of a file that is now in the store; None where it changed meanwhile."""
        if self.stopping():
            raise Retry(f"{self.name}: the copy was interrupted; the next look goes on with it")
        try:
            before = read_whole(self.folders, self.name, path)
            if before.size_bytes != seen.size_bytes:
                return None
            sha256 = before.sha256
            key = f"{self.prefix}{path}"
            held = self.store.held(self.bucket, key)
            if held is not None and (held.size_bytes, held.sha256) == (seen.size_bytes, sha256):
                return sha256
            with self.folders.open(self.name, path) as source:
                sent = Hashing(source)
                metadata = {RUN: self.run_id, SHA256: sha256}
                self.store.put(self.bucket, key, sent, seen.size_bytes, metadata)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Retry(f"{self.name}/{path}: {error}; see that its share is there") from error
        if (sent.size_bytes, sent.sha256) != (seen.size_bytes, sha256):
            return None
        held = self.store.held(self.bucket, key)
        if held is None or held.size_bytes != seen.size_bytes:
            raise Retry(
                f"s3://{self.bucket}/{key}: is not what was sent; it is copied again at the next "
                f"look"
            )
        return sha256


def read_whole(folders: RunFolders, name: str, path: str) -> Hashing:
    """A file of a run folder, read from end to end for its size and its checksum."""
    with folders.open(name, path) as source:
        hashing = Hashing(source)
        for _ in chunks(hashing, CHUNK_BYTES):
            pass
        return hashing


class Hashing:
    """A source that counts and sums what is read of it; it has no way back."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, counted and summed."""
        piece = self._source.read(size)
        self._digest.update(piece)
        self.size_bytes += len(piece)
        return piece

    @property
    def sha256(self) -> str:
        """Of all that was read so far."""
        return self._digest.hexdigest()
