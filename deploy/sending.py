"""Files of this machine to a lab: hashed once, sent in parts side by side, taken up where it broke.

No state is kept here. The same file for the same sample gives the same Idempotency-Key, so that the
API answers with the same upload; what of it is there, the store says.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import mmap
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from genoflow.api.client.answers import head_of
from genoflow.api.client.models import UploadPartIn
from genoflow.api.formats import HEAD_BYTES, check_head, format_named, role_in, role_of
from genoflow.api.upload_facts import DIGEST_CHARACTERS, lengths_of, part_bytes_of
from genoflow.events.errors import Refused, Retry
from genoflow.events.identity import GENOFLOW

if TYPE_CHECKING:
    from genoflow.api.client import Client
    from genoflow.api.client.models import UploadBegun, UploadPartLink

PARALLEL_DEFAULT = 4  # two a core of a small machine; more hide the latency of a far store
PARALLEL_MAX = 32
LINKS_AT_ONCE = 32  # 512 MiB: asked for shortly before they are used, so that they do not end
TRIES_MAX = 4  # of one part; a bit that flips on the way is sent again
SECONDS_MAX = 120.0  # of one answer about a part of 16 MiB
GIVEN_UP_MAX = 20  # uploads of one file that were given up, before somebody should look at it
ALGORITHM = "CRC64NVME"  # ten times as fast as SHA-256, which goes over the whole file anyway
Told = Callable[[int], object]  # so many more bytes are there


@dataclass(frozen=True, slots=True)
class Planned:
    """A file that may be sent, before its bytes were read."""

    path: Path
    size_bytes: int
    role: str


@dataclass(frozen=True, slots=True)
class Summed:
    """A file with the checksums of the whole and of its parts."""

    planned: Planned
    sha256: str
    part_bytes: int
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Whose:
    """What all files of one command belong to."""

    sample_id: str
    project_id: str | None = None
    read_set_id: str | None = None
    lane: int | None = None
    instrument_run_id: str | None = None
    metadata: Mapping[str, object] | None = None  # of the sample, all of them


def planned(path: Path, role: str | None) -> Planned:
    """The file, checked by its name and first bytes; Refused before anything is sent."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            size = file.seek(0, 2)
    except OSError as error:
        raise Refused(f"{path}: cannot be read ({error.strerror}); nothing was sent") from error
    said = format_named(path.name)
    check_head(str(path), said, head)
    if role is None and said.name == "FASTQ":
        role = role_in(head)
        if role is None:
            raise Refused(
                f"{path}: its first read does not say whether it is R1 or R2; say it with --role"
            )
    return Planned(path, size, role_of(said, role))


def summed(file: Planned, told: Told) -> Summed:
    """Read the file once, for the checksums of the whole and of each part."""
    from awscrt.checksums import crc64nvme  # noqa: PLC0415 -- comes with boto3[crt]

    sha256 = hashlib.sha256()
    part_bytes, parts = part_bytes_of(file.size_bytes), []
    with file.path.open("rb") as source, ThreadPoolExecutor(1) as beside:
        for length in lengths_of(file.size_bytes, part_bytes):
            piece = source.read(length)
            if len(piece) != length:
                raise _changed(file)
            whole = beside.submit(sha256.update, piece)  # hashlib lets others run meanwhile
            parts.append(base64.b64encode(crc64nvme(piece).to_bytes(8, "big")).decode())
            whole.result()
            told(length)
    return Summed(file, sha256.hexdigest(), part_bytes, tuple(parts))


def _changed(file: Planned) -> Refused:
    return Refused(
        f"{file.path}: changes while it is read; wait until it is whole, and send it again"
    )


def read_set_of(files: Sequence[Summed], whose: Whose) -> str:
    """The read set of files that are sent together: named, else by what they hold."""
    if whose.read_set_id is not None:
        return whose.read_set_id
    both = "".join(one.sha256 for one in sorted(files, key=lambda one: one.planned.role))
    return f"up-{hashlib.sha256(both.encode()).hexdigest()[:DIGEST_CHARACTERS]}"


@dataclass
class Sending:
    """Sends files to one lab; parts of one file side by side."""

    client: Client
    parallel: int = PARALLEL_DEFAULT
    _stopped: threading.Event = field(default_factory=threading.Event)

    def begin(
        self, file: Summed, whose: Whose, read_set_id: str, roles: Sequence[str] | None
    ) -> UploadBegun:
        """The upload of this file: the one that was begun before, unless it was given up."""
        metadata: Any = whose.metadata  # checked there, against the schema in force
        for number in range(GIVEN_UP_MAX):
            facts = f"{whose.sample_id}/{read_set_id}/{file.planned.role}/{whose.lane}"
            if whose.instrument_run_id is not None:
                facts += f"/{whose.instrument_run_id}"
            name = uuid5(GENOFLOW, f"{facts}/{file.sha256}/{number}")
            begun = self.client.ingestion.begin_upload(
                filename=file.planned.path.name, size_bytes=file.planned.size_bytes,
                sample_id=whose.sample_id, sha256=file.sha256,
                role=file.planned.role, read_set_id=read_set_id, lane=whose.lane,
                project_id=whose.project_id, checksum_algorithm=ALGORITHM,
                instrument_run_id=whose.instrument_run_id, sample_metadata=metadata,
                expected_roles=list(roles) if roles else None, idempotency_key=f"upload-{name}",
            )  # fmt: skip
            position = head_of(begun).position
            there = self.client.ingestion.list_parts(begun.upload_id, min_position=position)
            if there.status != "abandoned":
                return begun
        raise Refused(
            f"{file.planned.path}: {GIVEN_UP_MAX} uploads of it were given up; see "
            f"/v1/ingestion/uploads?status=failed"
        )

    def send(self, file: Summed, begun: UploadBegun, told: Told) -> str:
        """Send what is missing and complete the upload; where the file is, then."""
        if begun.part_bytes != file.part_bytes:
            raise Refused(
                f"{file.planned.path}: the lab wants parts of {begun.part_bytes:,} bytes; use the "
                f"command of the lab's own version"
            )
        there = self.client.ingestion.list_parts(
            begun.upload_id, min_position=head_of(begun).position
        )
        sums = dict(enumerate(file.parts, start=1))
        lengths = lengths_of(file.planned.size_bytes, file.part_bytes)
        if there.status == "initiated":
            # A part of other bytes than these was sent by somebody whose file was another one.
            done = [one.part_number for one in there.parts
                    if one.checksum == sums.get(one.part_number)]  # fmt: skip
            told(sum(lengths[number - 1] for number in done))
            self._send(file, begun.upload_id, sorted(set(sums) - set(done)), told)
        else:
            told(file.planned.size_bytes)
        wish = [UploadPartIn(part_number=number, checksum=one) for number, one in sums.items()]
        answer = self.client.ingestion.complete_upload(
            begun.upload_id,
            parts=wish,
            min_position=head_of(begun).position,
        )
        return answer.file_path

    def stop(self) -> None:
        """Let the parts that are on their way end, and send no other."""
        self._stopped.set()

    def _send(self, file: Summed, upload_id: UUID, numbers: Sequence[int], told: Told) -> None:
        if not numbers:
            return
        with (
            file.planned.path.open("rb") as source,
            mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as whole,
            memoryview(whole) as view,
            ThreadPoolExecutor(self.parallel) as threads,
        ):
            lines = _Lines()
            try:
                for links in self._links(upload_id, file, numbers):
                    waiting = [
                        threads.submit(self._part, lines, file, view, link, told) for link in links
                    ]
                    done, _ = wait(waiting, return_when=FIRST_EXCEPTION)
                    for one in done:
                        one.result()
            except BaseException:
                self.stop()
                raise
            finally:
                threads.shutdown(wait=True, cancel_futures=True)
                lines.close()

    def _links(
        self, upload_id: UUID, file: Summed, numbers: Sequence[int]
    ) -> Iterator[Sequence[UploadPartLink]]:
        for start in range(0, len(numbers), LINKS_AT_ONCE):
            some = numbers[start : start + LINKS_AT_ONCE]
            wish = [
                UploadPartIn(part_number=number, checksum=file.parts[number - 1]) for number in some
            ]
            yield self.client.ingestion.sign_parts(upload_id, parts=wish).links

    def _part(
        self, lines: _Lines, file: Summed, view: memoryview, link: UploadPartLink, told: Told
    ) -> None:
        start = (link.part_number - 1) * file.part_bytes
        with view[start : start + file.part_bytes] as body:
            for number in range(1, TRIES_MAX + 1):
                if self._stopped.is_set():
                    return
                said = lines.put(link.url, link.headers, body)
                if said == "":
                    told(len(body))
                    return
                if number == TRIES_MAX:
                    raise Retry(
                        f"{file.planned.path}: part {link.part_number} was not taken ({said}); "
                        f"repeat the command, and it goes on here"
                    )


class _Lines:
    """Connections to the store, one a thread, kept open from part to part."""

    def __init__(self) -> None:
        self._own = threading.local()
        self._all: list[http.client.HTTPConnection] = []
        self._secure = ssl.create_default_context()

    def put(self, url: str, headers: object, body: memoryview) -> str:
        """Send a part; what the store said where it did not take it, else nothing."""
        parts = urlsplit(url)
        line = self._line(parts.scheme, parts.netloc)
        try:
            line.request("PUT", f"{parts.path}?{parts.query}", body, dict(headers))  # type: ignore[call-overload]
            answer = line.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            line.close()  # the next try connects anew
            return f"{type(error).__name__}: {error}"
        if answer.status == 200:
            return ""
        return f"{answer.status}: {said[:200].decode(errors='replace')}"

    def _line(self, scheme: str, place: str) -> http.client.HTTPConnection:
        lines: dict[str, http.client.HTTPConnection] = self._own.__dict__
        if place not in lines:
            line = (
                http.client.HTTPSConnection(place, timeout=SECONDS_MAX, context=self._secure)
                if scheme == "https"
                else http.client.HTTPConnection(place, timeout=SECONDS_MAX, blocksize=1024**2)
            )
            lines[place] = line
            self._all.append(line)
        return lines[place]

    def close(self) -> None:
        """End them all."""
        for line in self._all:
            line.close()
