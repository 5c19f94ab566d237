"""Files of published documents, held to the checksums under which they were published."""

from __future__ import annotations

import hashlib
from typing import IO
from urllib.parse import unquote, urlsplit

from genoflow.events.errors import Refused
from genoflow.processors.ports import UNVERSIONED, ByteStore

PIECE_BYTES = 4 * 1024**2


def place_of(uri: str) -> tuple[str, str] | None:
    """Bucket and key of an address in the object store; None where it is elsewhere."""
    parts = urlsplit(uri)
    if parts.scheme != "s3":
        return None
    return parts.netloc, unquote(parts.path.lstrip("/"))


def fetch_published(
    store: ByteStore, uri: str, sha256: str, file: IO[bytes], bytes_max: int
) -> None:
    """Write a published file to this one; Refused where its bytes are others, or too many."""
    place = place_of(uri)
    if place is None:
        raise Refused(f"{uri}: is not in the object store; publish it with s3://…")
    digest, done = hashlib.sha256(), 0
    # Its key is made of its checksum: what stands there now is the only version that there is.
    for piece in store.chunks(*place, UNVERSIONED, PIECE_BYTES):
        done += len(piece)
        if done > bytes_max:
            raise Refused(f"{uri}: has more than {bytes_max:,} bytes; publish a smaller one")
        digest.update(piece)
        file.write(piece)
    if digest.hexdigest() != sha256:
        raise Refused(
            f"{uri}: its bytes are not those that were published (SHA-256 {sha256}); put them "
            f"there again"
        )
    file.flush()
