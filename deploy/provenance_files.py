"""Whether the files behind results are what the log says: every byte is read once more."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from genoflow.events.errors import Refused, Retry
from genoflow.events.stored_version import name_of
from genoflow.processors.ports import ByteStore
from genoflow.processors.published import place_of
from genoflow.projections.asking.provenance_parts import Provenance

PIECE_BYTES = 1024 * 1024
CURRENT = "null"  # the version that stands there now


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file, and what the log says of its bytes."""

    what: str
    bucket: str
    object_key: str
    version_id: str
    sha256: str
    md5: str | None = None
    size_bytes: int | None = None


@dataclass(slots=True)
class Looked:
    """What came of reading them."""

    files: int = 0
    size_bytes: int = 0
    not_here: list[str] = field(default_factory=list)  # which no store here holds
    differs: list[str] = field(default_factory=list)


def read_again(provenance: Provenance, store: ByteStore) -> Looked:
    """Read what entered, the reference, and what was left, and compare each with the log."""
    looked = Looked()
    for one in _wanted(provenance, looked.not_here):
        looked.files += 1
        looked.differs += _differs(one, store, looked)
    return looked


def _wanted(provenance: Provenance, not_here: list[str]) -> Iterator[Wanted]:
    for sample in provenance.inputs:
        for file in sample.files:
            yield Wanted(
                f"input {file.role} of {sample.sample_id}", file.bucket, file.object_key,
                file.version_id, file.sha256, file.md5, file.size_bytes,
            )  # fmt: skip
    named: list[tuple[str, str, str, int | None]] = [
        (f"{one.kind} of the reference", one.uri, one.sha256, one.size_bytes)
        for one in provenance.reference.files
    ]
    if provenance.targets is not None:
        named.append(("the targets", provenance.targets.uri, provenance.targets.sha256, None))
    for what, uri, sha256, size in named:
        place = place_of(uri)
        if place is None:
            not_here.append(f"{what}: {uri}")
            continue
        yield Wanted(what, *place, CURRENT, sha256, None, size)
    left = provenance.outputs
    if left.manifest_bucket and left.manifest_key and left.manifest_sha256:
        yield Wanted(
            "the list of outputs", left.manifest_bucket, left.manifest_key, CURRENT,
            left.manifest_sha256,
        )  # fmt: skip
    for one in left.files:
        yield Wanted(
            f"output {one.kind} of {one.sample_id or 'the case'}", one.bucket, one.object_key,
            one.version_id, one.sha256, None, one.size_bytes,
        )  # fmt: skip


def _differs(one: Wanted, store: ByteStore, looked: Looked) -> Iterator[str]:
    place = f"{one.what}, s3://{name_of(one)}"
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    size = 0
    try:
        for piece in store.chunks(one.bucket, one.object_key, one.version_id, PIECE_BYTES):
            sha256.update(piece)
            if one.md5 is not None:
                md5.update(piece)
            size += len(piece)
    except (Refused, Retry) as error:
        yield f"{place}: cannot be read: {error}"
        return
    looked.size_bytes += size
    found: tuple[tuple[str, Any, Any], ...] = (
        ("SHA-256", one.sha256, sha256.hexdigest()), ("MD5", one.md5, md5.hexdigest()),
        ("size", one.size_bytes, size),
    )  # fmt: skip
    for name, said, read in found:
        if said is not None and said != read:
            yield f"{place}: its {name} is {read}, and the log says {said}"
