"""The port of the sequencer's porch: where run folders are, and how a vendor lays one out.

The watcher knows no vendor. A vendor says what a folder shows, in the words of `Shown`, and may be
any that writes a folder for each run: Illumina's layout is `illumina.folder`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from genoflow.events.sequencing_run_started import SequencingRunStarted

# A document is read whole: sheets and XML files of at most 8 MiB, and one byte to see it is more.
DOCUMENT_BYTES_MAX = 8 * 1024**2 + 1


@dataclass(frozen=True, slots=True)
class FileSeen:
    """A file as its directory shows it; two that are equal are taken for unchanged."""

    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Look:
    """A folder at one moment."""

    name: str  # by which its place is asked for; what stands behind the last slash is its own
    uri: str
    at: datetime
    files: Mapping[str, FileSeen]  # by path below the folder, with slashes; regular files only
    documents: Mapping[str, bytes]  # by path, what the vendor asks to read
    unreadable: str | None = None  # why it cannot be looked at, in words


@dataclass(frozen=True, slots=True)
class SheetShown:
    """The sheet that lies in a folder now, judged against its run."""

    sha256: str
    uri: str
    at: datetime
    fields: Mapping[str, Any]  # of SampleSheetAttached, where nothing is wrong
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """The marker of this instrument is there."""

    marker: str
    at: datetime
    completion_status: str | None
    cycles_done: int | None


@dataclass(frozen=True, slots=True)
class Failure:
    """The instrument itself says that the run is lost."""

    reason_code: str
    reason: str
    at: datetime
    completion_status: str
    marker: str | None
    cycles_done: int | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a folder shows of its run."""

    name: str
    uri: str
    at: datetime
    changed_at: datetime  # the newest file's own time
    files: Mapping[str, FileSeen]  # of the run: what is compared and copied
    started: SequencingRunStarted | None = None
    started_at: datetime | None = None
    unreadable: str | None = None  # why there is no `started`
    sheet: SheetShown | None = None
    ending: Ending | None = None
    failure: Failure | None = None
    missing: tuple[str, ...] = ()  # what a run that has ended must have and has not


class Vendor(Protocol):
    """How one vendor's instruments lay out a run folder; no method does I/O."""

    def is_run(self, names: Sequence[str]) -> bool:
        """Whether a directory with these entries is a run folder."""

    def is_document(self, path: str) -> bool:
        """Whether a look is to bring the bytes of this file."""

    def read(self, look: Look) -> Shown:
        """What the folder shows; the same look shows the same."""


class Source(Protocol):
    """A file that is read once, from its beginning."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, at most this many; none at the end."""


class RunFolders(Protocol):
    """Where instruments write; every method may block, so it is called in a thread."""

    def names(self) -> Sequence[str]:
        """Every run folder that is there now; Retry where the place cannot be listed."""

    def look(self, name: str, at: datetime, *, whole: bool) -> Look:
        """The folder as it is now; only its first level unless the whole is asked for."""

    def open(self, name: str, path: str) -> AbstractContextManager[Source]:
        """One file of it; OSError where it is gone or cannot be read."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the object store says of a file that was copied before."""

    size_bytes: int
    sha256: str | None


class RunStore(Protocol):
    """Where runs are copied to; every method blocks, so it is called in a thread."""

    def held(self, bucket: str, key: str) -> Held | None:
        """What is there under this key; None where nothing is."""

    def put(
        self, bucket: str, key: str, source: Source, size_bytes: int, metadata: Mapping[str, str]
    ) -> None:
        """Write all that the source gives; large ones in parts, each checked by the store."""


class SummingStore(RunStore, Protocol):
    """A store that can also be asked what it really holds."""

    def summed(self, bucket: str, key: str) -> Held | None:
        """Size and checksum of the object's bytes, all of them read; None where nothing is."""


def chunks(source: Source, size_bytes: int) -> Iterator[bytes]:
    """What a source still holds, in pieces."""
    while piece := source.read(size_bytes):
        yield piece
