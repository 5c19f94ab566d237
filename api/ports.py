"""What the API needs of the outside; deploy hands it the adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, Protocol

import asyncpg

from genoflow.api.desks import Desks
from genoflow.events.errors import Refused
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.log.recorded import Position
from genoflow.events.order import Order

# What asyncpg raises while Postgres is away, starts, stops or is full: a later call may succeed.
UNAVAILABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
)
Clock = Callable[[], datetime]  # in UTC


class Announcer(Protocol):
    """Where facts are appended; the log, of which the API sees no more."""

    async def append(self, event: Event) -> object:
        """Append one fact durably; Retry where that may succeed later."""


class Porch(Protocol):
    """Where what a caller says comes onto the log."""

    def check(self, fact: Event) -> None:
        """Refused where it names a person, before anything else is done about it."""

    async def append(self, fact: Event) -> Position:
        """Append it durably and say where it stands; Refused where it names a person."""

    async def append_together(self, facts: Sequence[Event]) -> Sequence[Position]:
        """Append all of them or none, and say where they stand, as far as it is seen by then."""


class NoOrder(Refused):
    """A document that cannot be a case; every fault by its place."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{place}: {fact}" for place, fact in faults))
        self.faults = tuple(faults)


class Orders(Protocol):
    """What makes an order of a document."""

    def read(self, document: object) -> Order:
        """The order in it; NoOrder names everything that is wrong."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """What a file carries into the store: whose it is, and what its sender says of its bytes."""

    sample_id: str
    read_set_id: str
    role: str
    sha256: str
    lane: int | None = None
    md5: str | None = None
    instrument_run_id: str | None = None


@dataclass(frozen=True, slots=True)
class UploadPlace:
    """Where the parts of an upload are."""

    bucket: str
    object_key: str
    store_upload_id: str


@dataclass(frozen=True, slots=True)
class PartSum:
    """A part before it is sent: its number, its length, and its checksum in base64."""

    number: int
    size_bytes: int
    checksum: str


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part that is in the store."""

    number: int
    size_bytes: int
    etag: str
    checksum: str | None  # in base64, of the algorithm that the upload was begun with


@dataclass(frozen=True, slots=True)
class SignedPart:
    """Where one part goes: a PUT with these very headers, until then."""

    number: int
    url: str = field(repr=False)
    headers: Mapping[str, str]
    expires_at: datetime


class UploadStore(Protocol):
    """Where callers send files, the object store itself; Retry where it does not answer."""

    @property
    def bucket(self) -> str:
        """Where files land."""

    async def begin(self, object_key: str, belongs: Belonging, algorithm: str) -> str:
        """The store's name of the upload under this key: the one that is open there, or a new one.

        Its object will carry what it belongs to.
        """

    async def sign(
        self, place: UploadPlace, algorithm: str, parts: Sequence[PartSum]
    ) -> Sequence[SignedPart]:
        """Where each part goes; the store refuses other bytes than those of its checksum."""

    async def parts(self, place: UploadPlace) -> Sequence[StoredPart] | None:
        """What is there, by number; None where the store knows no such upload (any more)."""

    async def complete(
        self, place: UploadPlace, algorithm: str, parts: Sequence[StoredPart]
    ) -> FileLanded | None:
        """Make one object of these parts; None where the store knows no such upload (any more)."""

    async def put(self, object_key: str, belongs: Belonging, body: BinaryIO) -> FileLanded:
        """Write a file whole; the store checks its SHA-256 before it says yes."""

    async def landed(self, bucket: str, object_key: str) -> FileLanded | None:
        """The fact that this object is whole; None where there is none."""

    async def drop(self, place: UploadPlace) -> None:
        """Free the parts; nothing where there are none, or the object is whole by now."""


@dataclass(frozen=True, slots=True)
class Uploads:
    """Where files go, and how long one may be."""

    store: UploadStore
    bytes_max: int


@dataclass(frozen=True, slots=True)
class Burden:
    """How much of a machine one process takes; none where it does not say."""

    process: str
    at: datetime
    cpu_percent: float | None  # of one core
    resident_bytes: float | None


class Processes(Protocol):
    """The processes of this deployment that say how much they take."""

    def own(self) -> Burden:
        """What the process takes that answers."""

    async def workers(self) -> Sequence[Burden]:
        """What workers said lately of themselves; Retry where the log does not answer."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What the routes reach beyond Postgres."""

    porch: Porch
    desks: Desks
    orders: Orders
    uploads: Uploads
    processes: Processes


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call is within its limit, and what is left of it."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int  # until the limit is whole again, so far as it is known


class RateLimits(Protocol):
    """Counts calls of each caller within a minute."""

    async def take(self, who: str, per_minute: int) -> Verdict:
        """Count one call, unless the limit is reached already."""
