"""A store of files in memory whose beginnings are read as they are in the real one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from genoflow.processors.adapters.s3_headings import S3Headings
from genoflow.processors.ports import ObjectArchived, ObjectGone


@dataclass
class Shelf:
    """Objects by bucket and key; the byte store of a test."""

    objects: dict[str, bytes] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    fetched: dict[str, int] = field(default_factory=dict)  # bytes of each

    def chunks(
        self, bucket: str, key: str, version_id: str, size_bytes: int, etag: str = ""
    ) -> Iterator[bytes]:
        """The port of byte stores."""
        name = f"{bucket}/{key}"
        if name in self.archived:
            raise ObjectArchived(f"s3://{name}: it is archived; restore it first")
        if name not in self.objects:
            raise ObjectGone(f"s3://{name}: there is no such object; put it there again")
        body = self.objects[name]
        for at in range(0, len(body), size_bytes):
            piece = body[at : at + size_bytes]
            self.fetched[name] = self.fetched.get(name, 0) + len(piece)
            yield piece

    def headings(self) -> S3Headings:
        """What reads the beginning of these."""
        return S3Headings(self)
