"""What processors need of the outside world, in their own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from genoflow.events.errors import Parked, Refused, Retry
from genoflow.events.stored_version import Placed, StoredVersion
from genoflow.events.subjects import Subjects
from genoflow.events.subscription_created import SubscriptionCreated
from genoflow.processors.catalogued import Document, OfAssay
from genoflow.processors.channels import Chat, Publisher
from genoflow.processors.headings import Headings
from genoflow.processors.part_store import PartStore
from genoflow.processors.sources import Sources

UNVERSIONED = "null"  # what S3 itself calls the version of an object in a bucket without versions
# done so far, how much there is in all (None where nobody knows), and of what
Progress = Callable[[float, float | None, str], None]


class Sized(Placed, Protocol):
    """One version of an object of which the size is known."""

    @property
    def etag(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """What the store says of an object that is complete."""

    bucket: str
    key: str
    version_id: str
    size_bytes: int
    etag: str
    last_modified_at: datetime
    metadata: Mapping[str, str]
    archived_in: str | None = None  # the archive where its lasting bytes lie, such as GLACIER
    is_restoring: bool = False  # the store is at work to make a copy that can be read
    restored_until: datetime | None = None  # until when there is such a copy

    @property
    def is_readable(self) -> bool:
        """Whether its bytes can be had now."""
        return self.archived_in is None or self.restored_until is not None


class Archive(Protocol):
    """Objects that may lie where they have to be asked back from before they are read."""

    async def head(self, bucket: str, key: str, version_id: str) -> ObjectHead:
        """What the store says of this version; ObjectGone where it has none."""

    async def restore(self, head: ObjectHead, days: int) -> None:
        """Ask for a copy that can be read for so many days; a second request changes no first."""


class ObjectStore(Protocol):
    """Where files are: written once, asked for their head, never joined by their names."""

    async def put(
        self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]
    ) -> ObjectHead:
        """Write an object whole, with what it belongs to as metadata, and return its head."""

    async def head(self, bucket: str, key: str) -> ObjectHead:
        """What the store has under this key now; ObjectGone where there is nothing."""

    async def get(self, bucket: str, key: str) -> bytes | None:
        """A small object whole; None where there is none."""

    async def put_if_absent(self, bucket: str, key: str, body: bytes) -> bool:
        """Write an object unless one is there; whether it was written."""

    async def copy(
        self, bucket: str, key: str, version_id: str, to_key: str, metadata: Mapping[str, str]
    ) -> ObjectHead:
        """Copy this version within its bucket, with other metadata, and return the copy's head.

        ObjectGone where the store has no such version.
        """


@dataclass(frozen=True, slots=True)
class Removal:
    """What became of a version that was to go: it is gone, or why it is there still."""

    is_gone: bool = True
    is_locked: bool = False  # by the store, which lets nobody delete it
    locked_until: datetime | None = None  # none where the store does not say
    reason: str = ""


class Remover(Protocol):
    """Deletes what a rule lets go: one version of an object, and never another one."""

    async def remove(self, file: StoredVersion) -> Removal:
        """Delete it, if it is still what was named; one that is gone already counts as deleted."""


class ObjectGone(Parked):
    """The store has no such version of an object, or another one has taken its place."""


class ObjectArchived(Parked):
    """The bytes of an object lie in an archive, and nobody has restored them."""


class ByteStore(Protocol):
    """The object store as a child process sees it: a stream, without asyncio around it."""

    def chunks(
        self, bucket: str, key: str, version_id: str, size_bytes: int, etag: str = ""
    ) -> Iterator[bytes]:
        """The bytes of one version in order, in pieces of at most this size.

        ObjectGone where the store has no such version; where it keeps none and the entity tag is
        given, also where the object has another one. ObjectArchived where it must be restored.
        """


class RangedStore(ByteStore, Protocol):
    """A byte store of which parts of an object can be read."""

    def span(
        self, bucket: str, key: str, version_id: str, start: int, end: int, etag: str = ""
    ) -> bytes:
        """The bytes of one version from `start` to the one before `end`, fewer where it ends first.

        As of `chunks`; `start` is a byte that it has.
        """


class JobState(StrEnum):
    """What a launcher knows of a job."""

    UNKNOWN = "unknown"  # it was never launched, or the launcher has forgotten it
    RUNNING = "running"
    ENDED = "ended"  # whether well or badly, its outcome says


class Urgency(StrEnum):
    """Before which others a job is begun, where jobs wait for machines."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What a launcher is to run: a program of ours by name, and what it is told."""

    program: tuple[str, ...]  # argument vector; the launcher adds where the outcome goes
    document: bytes = b""  # given to the program on standard input
    urgency: Urgency = Urgency.NORMAL
    labels: tuple[tuple[str, str], ...] = ()  # whose it is, for those who pay for machines
    seconds_max: int = 7 * 86_400  # a launcher ends it then; the effect has a limit of its own


class Launcher(Protocol):
    """Runs jobs that outlive the worker. Each is looked up by its effect id before it is begun."""

    async def find(self, effect_id: UUID) -> JobState:
        """What became of the job of this effect."""

    async def launch(self, effect_id: UUID, order: JobOrder) -> None:
        """Begin it; a second launch of the same id begins nothing."""

    async def cancel(self, effect_id: UUID) -> None:
        """End it and all that it started; what was not begun yet never is."""


class Undelivered(Retry):
    """A receiver did not take a message: which kind of failure it was, and with which code."""

    def __init__(
        self,
        reason: str,
        reason_code: str,
        response_code: int | None = None,
        *,
        is_lasting: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason_code = reason_code  # one of those of NotificationFailed
        self.response_code = response_code
        self.is_lasting = is_lasting  # another try would be answered the same
        self.retry_after_seconds = retry_after_seconds  # not before this, where it said so


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail; the same id on it lets its reader recognise a repetition."""

    message_id: UUID
    to: tuple[str, ...]
    subject: str
    body: str


class Mail(Protocol):
    """Sends letters."""

    async def send(self, letter: Letter) -> None:
        """Hand it to a server that takes responsibility for it; Undelivered where none does."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook; the same id on it lets its receiver recognise a repetition."""

    webhook_id: UUID
    url: str
    body: str
    secret_names: tuple[str, ...]  # of the secrets by which it is signed, newest first


class Webhooks(Protocol):
    """Posts to receivers of others, and reaches no address that is not meant for the public."""

    async def post(self, hook: Hook, at: datetime) -> int:
        """The receiver's code, which is a yes; Undelivered where it was anything else."""


class LimsSaidNo(Refused):
    """A lab's information system answered, and another try would be answered the same."""

    def __init__(self, reason: str, response_code: int | None = None) -> None:
        super().__init__(reason)
        self.response_code = response_code


@dataclass(frozen=True, slots=True)
class Report:
    """A fact for a lab's information system; by its id a repetition is recognised."""

    event_id: UUID
    event_type: str
    subject: str
    occurred_at: datetime
    body: str  # of the fact, as JSON


class Lims(Protocol):
    """A lab's information system: orders come out of it, and what became of them goes in."""

    async def knows(self, report: Report) -> bool:
        """Whether it has this fact already; Retry where it does not answer."""

    async def take(self, report: Report) -> bool:
        """Send it; False where the deployment does not want it sent.

        LimsSaidNo where it was refused, Retry where it does not answer.
        """

    async def orders(self) -> Sequence[tuple[str, object]]:
        """Every order that is released there, each with its place, in the words of our orders."""


class SubscriptionReader(Protocol):
    """Who wants to be told. Only effects ask it, and what it answered stands in their events."""

    async def in_force(self) -> Sequence[SubscriptionCreated]:
        """Every subscription that is not cancelled."""

    async def project_of(self, case_id: str) -> str | None:
        """The project that the order of a case names; None where there is none."""


class CatalogReader(Protocol):
    """What is published. Only effects ask it, and what it answered stands in their events."""

    async def find(
        self, kind: type[Document], document_id: str, version: str | None = None
    ) -> Document | None:
        """This version of a document; where none is named, the one that is in force.

        That is the highest, of pipelines among those that are active. None where there is none.
        """

    async def standing(self, pipeline: str) -> Mapping[str, str]:
        """Each version of a pipeline with its status: draft, validated, active or deprecated."""

    async def default_for(
        self, kind: type[OfAssay], assay: str, material: str | None = None
    ) -> OfAssay | None:
        """The document that was published last of those in force for an assay.

        Of pipelines those count that take the material, where one is named.
        """


class Clock(Protocol):
    """The time of day, for those at the edge: no decider and no read model reads it."""

    def now(self) -> datetime:
        """The time in UTC, as the machine has it; it may jump."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What this deployment has chosen, for effects that write a choice into an event."""

    demultiplexer: str = "picard"  # or bclconvert, or on-instrument
    reads_bucket: str = "genoflow-raw"  # where the files of reads go
    launcher: str = "local"  # where runs are done
    results_bucket: str = "genoflow-results"  # where what they leave goes
    run_attempts_max: int = 1  # submissions of one run
    public_url: str = ""  # where people open GenoFlow; nothing where they have no such place


@dataclass(frozen=True, slots=True)
class Ports:
    """What the effects of one worker are done with; what is not wired is None and says so."""

    clock: Clock
    store: ObjectStore | None = None
    launcher: Launcher | None = None
    mail: Mail | None = None
    outcome_bucket: str = ""  # where jobs leave effects/<id>/outcome
    catalog: CatalogReader | None = None
    deployment: Deployment = Deployment()
    webhooks: Webhooks | None = None
    publisher: Publisher | None = None
    chat: Chat | None = None
    subscriptions: SubscriptionReader | None = None
    lims: Lims | None = None
    subjects: Subjects | None = None  # what the log says of others, for effects that compare
    parts: PartStore | None = None  # of files that callers send
    remover: Remover | None = None  # of what retention lets go
    archive: Archive | None = None  # none where the store has no such thing
    headings: Headings | None = None  # none: the run itself compares its files, later
    sources: Sources | None = None  # of porches that can be asked again


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a virus scanner says of a file; clean where it names no threat."""

    scanner: str
    scanner_version: str
    size_bytes: int | None = None  # that it was given; none where it took them by itself
    streams: int | None = None  # in how many pieces
    threats: tuple[str, ...] = ()


class Scanner(Protocol):
    """Looks for what has no place in a file; it never says clean of what it could not read."""

    def scan(self, place: tuple[str, str, str], pieces: Iterator[bytes], /) -> Scanned | None:
        """The verdict on these bytes of bucket, key and version; None where it comes by itself.

        Retry where it does not answer now, Parked where a person has to see to it.
        """


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a call."""

    effect_id: UUID
    number: int  # 1 is the first of this worker; a worker that died leaves no count
    ports: Ports
    progress: Progress


@dataclass(frozen=True, slots=True)
class ByteAttempt:
    """One try of an effect on bytes, inside its own process."""

    effect_id: UUID
    number: int
    store: RangedStore
    progress: Progress
    strict_validation: bool = False  # violations of a specification reject a file, too
    scanner: Scanner | None = None  # none: files are not scanned

    def pieces(self, file: Sized, piece_bytes: int) -> Iterator[bytes]:
        """The bytes of a file from its beginning, telling how far this try has come."""
        done = 0
        place = file.bucket, file.object_key, file.version_id
        for piece in self.store.chunks(*place, piece_bytes, file.etag):
            yield piece
            done += len(piece)
            self.progress(done, file.size_bytes, "bytes")
