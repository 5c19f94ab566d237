"""A file that landed is read once from end to end, and its checksums become a fact."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.file_checksum_mismatched import FileChecksumMismatched
from genoflow.events.file_checksummed import FileChecksummed
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.stored_version import name_of
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ports import ByteAttempt
from genoflow.processors.processor import Bytes, Processor, State

PIECE_BYTES = 8 * 1024**2  # a read of 8 MiB takes 0.1 s at 100 MB/s: often enough for progress


class Files(State):
    """The versions of files of one subject that were seen."""

    seen: tuple[str, ...] = ()


class ReadWhole(Arguments):
    """Which bytes to read, and what was said of them."""

    subject_topic: str
    subject_key: str
    bucket: str
    object_key: str
    version_id: str
    size_bytes: int = Field(ge=0)
    etag: str = ""  # by which it is known where the store keeps no versions
    declared_md5: str | None
    declared_sha256: str | None


def decide(state: Files, event: FileLanded) -> Decision:
    """Read every version of a file once, whoever reports it and how often."""
    if name_of(event) in state.seen:
        return NOTHING
    arguments = ReadWhole(
        subject_topic=event.topic,
        subject_key=event.key,
        bucket=event.bucket,
        object_key=event.object_key,
        version_id=event.version_id,
        size_bytes=event.size_bytes,
        etag=event.etag,
        declared_md5=event.declared_md5,
        declared_sha256=event.declared_sha256,
    )
    return Decision(effects=(Effect("checksum", arguments, lane=name_of(event)),))


def evolve(state: Files, event: FileLanded | FileQuarantined) -> Files:
    """Remember the version; one that is locked away before it lands here is not read."""
    name = name_of(event)
    return state if name in state.seen else Files(seen=(*state.seen, name))


def checksum(arguments: ReadWhole, attempt: ByteAttempt) -> Sequence[Event]:
    """Read the bytes once, for both checksums and their number."""
    md5, sha256, read_bytes = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    for piece in attempt.pieces(arguments, PIECE_BYTES):
        md5.update(piece)
        sha256.update(piece)
        read_bytes += len(piece)
    return [_verdict(arguments, read_bytes, md5.hexdigest(), sha256.hexdigest())]


def _verdict(said: ReadWhole, size_bytes: int, md5: str, sha256: str) -> Event:
    place = {
        "subject_topic": said.subject_topic,
        "subject_key": said.subject_key,
        "bucket": said.bucket,
        "object_key": said.object_key,
        "version_id": said.version_id,
        "size_bytes": size_bytes,
        "md5": md5,
        "sha256": sha256,
    }
    agrees = (
        size_bytes == said.size_bytes
        and said.declared_md5 in (None, md5)
        and said.declared_sha256 in (None, sha256)
    )
    if agrees:
        declared = said.declared_md5 is not None or said.declared_sha256 is not None
        return FileChecksummed(**place, declared=declared)
    return FileChecksumMismatched(
        **place,
        stored_size_bytes=said.size_bytes,
        declared_md5=said.declared_md5,
        declared_sha256=said.declared_sha256,
    )


CHECKSUM_FILES = Processor(
    "checksum-files",
    reads=topics.SAMPLE,
    on=(FileLanded,),
    folds=(FileQuarantined,),
    emits=(),
    decide=decide,
    evolve=evolve,
    state=Files,
    state_version=2,
    effects=(
        Bytes(
            "checksum",
            arguments=ReadWhole,
            emits=(FileChecksummed, FileChecksumMismatched),
            perform=checksum,
        ),
    ),
    about="computes the checksums of every file that lands, and compares those declared",
)
