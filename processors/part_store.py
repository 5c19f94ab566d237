"""The parts of files that callers send: a port."""

from __future__ import annotations

from typing import Protocol


class PartStore(Protocol):
    """Uploads in parts that somebody began and did not end."""

    async def drop(self, bucket: str, key: str, store_upload_id: str) -> None:
        """Free the parts; nothing where there are none, or the object is whole by now."""
