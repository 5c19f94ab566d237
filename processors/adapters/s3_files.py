"""Files of any size into S3, by boto3's own transfer in parts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genoflow.processors.adapters.s3_errors import at


class S3Uploads:
    """The port of programs that leave large files; one client may be shared by threads."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def upload(self, path: Path, bucket: str, key: str, metadata: Mapping[str, str]) -> None:
        """Write a file as an object with this metadata; each part goes with its checksum."""
        with at(bucket, key), path.open("rb") as file:
            self._client.upload_fileobj(file, bucket, key, ExtraArgs={"Metadata": dict(metadata)})
