"""From an object's head to FileLanded: the one place that reads what a file belongs to."""

from __future__ import annotations

from genoflow.events.file_landed import FileLanded
from genoflow.processors.ports import ObjectHead

# The names under which a file carries what it belongs to; S3 gives them in lower case.
SAMPLE = "gf-sample"
READ_SET = "gf-read-set"
RUN = "gf-run"
LANE = "gf-lane"
ROLE = "gf-role"
MD5 = "gf-md5"
SHA256 = "gf-sha256"


def landed(head: ObjectHead) -> FileLanded:
    """The fact that this object is complete, with whatever its metadata says that it belongs to."""
    metadata = head.metadata
    lane = metadata.get(LANE)
    return FileLanded(
        bucket=head.bucket,
        object_key=head.key,
        version_id=head.version_id,
        size_bytes=head.size_bytes,
        etag=head.etag,
        last_modified_at=head.last_modified_at,
        sample_id=metadata.get(SAMPLE),
        read_set_id=metadata.get(READ_SET),
        instrument_run_id=metadata.get(RUN),
        lane=int(lane) if lane and lane.isdecimal() else None,
        role=metadata.get(ROLE),
        declared_md5=metadata.get(MD5),
        declared_sha256=metadata.get(SHA256),
    )


def belonging(
    *,
    sample_id: str,
    read_set_id: str,
    instrument_run_id: str | None,
    lane: int | None,
    role: str,
    md5: str | None,
    sha256: str | None,
) -> dict[str, str]:
    """The metadata of a file that belongs to this read set, as `landed` reads it."""
    named = {
        SAMPLE: sample_id,
        READ_SET: read_set_id,
        RUN: instrument_run_id,
        LANE: None if lane is None else str(lane),
        ROLE: role,
        MD5: md5,
        SHA256: sha256,
    }
    return {name: value for name, value in named.items() if value is not None}
