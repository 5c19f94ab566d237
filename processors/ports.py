"""What processors need of the outside world, in their own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


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


class ObjectStore(Protocol):
    """Where files are: written once, asked for their head, never joined by their names."""

    async def put(
        self, bucket: str, key: str, body: bytes, metadata: Mapping[str, str]
    ) -> ObjectHead:
        """Write an object whole, with what it belongs to as metadata, and return its head."""

    async def head(self, bucket: str, key: str) -> ObjectHead:
        """What the store has under this key now."""
