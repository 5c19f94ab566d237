"""What an upload states: whose file it is, of which read set, and what is registered with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from genoflow.api.formats import COMES_WITH, MATERIALS, Format, format_named, role_of
from genoflow.api.ports import Belonging
from genoflow.api.refusal import Refusal
from genoflow.api.upload_metadata import SampleMetadata
from genoflow.events.event import Event
from genoflow.events.expected_file import ExpectedFile
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_claimed import SampleClaimed
from genoflow.events.sample_registered import SampleRegistered
from genoflow.events.types import (
    FileRole,
    InstrumentRunId,
    Lane,
    Md5,
    Name,
    ProjectId,
    ReadSetId,
    SampleId,
    Sha256,
    SubjectRef,
)
from genoflow.events.upload_initiated import FILENAME_CHARACTERS_MAX, UploadInitiated
from genoflow.projections.paging import Where, one
from genoflow.projections.samples import READ_SETS, SAMPLES
from genoflow.projections.store import Connection
from genoflow.projections.within import within

MEBIBYTE = 1024**2
PART_BYTES = 16 * MEBIBYTE  # a second at 130 Mbit/s: little is sent twice after a crash
PARTS_MAX = 10_000  # S3's own limit; parts of a file beyond 160 GB are longer
DIGEST_CHARACTERS = 12  # 48 bits tell the deliveries of one sample apart
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
ROLES_MAX = 8


class AboutFile(BaseModel):
    """What the sender says of a file beside its bytes."""

    model_config = ConfigDict(extra="forbid")

    role: FileRole | None = Field(
        None, description="what it is to its read set; a FASTQ file is R1, R2, I1 or I2",
        examples=["R1"],
    )  # fmt: skip
    read_set_id: ReadSetId | None = Field(
        None, description="whose file it is; none means a read set of its own", examples=["up-S7"]
    )
    expected_roles: list[FileRole] | None = Field(
        None, min_length=1, max_length=ROLES_MAX,
        description="every file of a read set that is new, this one among them",
        examples=[["R1", "R2"]],
    )  # fmt: skip
    lane: Lane | None = Field(None, description="of the flow cell", examples=[1])
    instrument_run_id: InstrumentRunId | None = Field(
        None, description="which run of an instrument read it: its sheet has to hold the sample",
        examples=["260301_A00123_0042_AHXXXXXXXX"],
    )  # fmt: skip
    subject_ref: SubjectRef | None = Field(
        None, description="whose sample it is where that is new: opaque, never a name or a number "
        "of a record", examples=["P-7"],
    )  # fmt: skip
    sample_type: Name | None = Field(
        None, description="such as blood, saliva or FFPE, of a sample that is new",
        examples=["blood"],
    )  # fmt: skip
    sequencing_platform: Name | None = Field(None, examples=["NovaSeq X"])
    library_prep: Name | None = Field(None, examples=["PCR-free"])
    sequencing_date: date | None = Field(None, examples=["2026-03-01"])


class UploadIn(AboutFile):
    """A file that is to be sent in parts."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "filename": "S7_R1.fastq.gz", "size_bytes": 52_428_800, "sample_id": "S7",
                    "role": "R1", "expected_roles": ["R1", "R2"],
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                }
            ]
        },
    )  # fmt: skip

    filename: Annotated[str, Field(min_length=1, max_length=FILENAME_CHARACTERS_MAX)] = Field(
        description="as it is called; its end says the format"
    )
    size_bytes: int = Field(ge=1, le=2**53 - 1, description="how long it is")
    sample_id: SampleId = Field(description="whose file it is")
    project_id: ProjectId | None = Field(None, description="for which project; a partner's own")
    sha256: Sha256 = Field(description="of the whole file: validation compares it")
    md5: Md5 | None = Field(None, description="of the whole file")
    sample_metadata: SampleMetadata | None = Field(
        None, description="all metadata of the sample, as its project's schema has them",
        examples=[{"tissue": "blood"}],
    )  # fmt: skip
    checksum_algorithm: Annotated[str, Field(pattern="^(SHA256|CRC64NVME)$")] = Field(
        "SHA256", description="by which the store checks each part"
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """An upload as it will be stated, and what is registered with it."""

    fact: UploadInitiated
    registers: tuple[Event, ...]
    instrument_run_id: str | None = None

    @property
    def claims(self) -> tuple[SampleClaimed, ...]:
        """What will be told of the run that the file names: checked now, before it is stored."""
        if self.instrument_run_id is None:
            return ()
        fact = self.fact
        return (
            SampleClaimed(
                instrument_run_id=self.instrument_run_id, sample_id=fact.sample_id,
                read_set_id=fact.read_set_id, bucket=fact.bucket, object_key=fact.object_key,
                version_id="null",
            ),
        )  # fmt: skip

    @property
    def belongs(self) -> Belonging:
        """What the object carries."""
        fact = self.fact
        return Belonging(
            fact.sample_id, fact.read_set_id, fact.role, fact.declared_sha256, fact.lane,
            fact.declared_md5, self.instrument_run_id,
        )  # fmt: skip


def part_bytes_of(size_bytes: int) -> int:
    """How long each part of a file is but the last: whole MiB, and not too many parts."""
    least = -(-size_bytes // PARTS_MAX)
    return max(PART_BYTES, -(-least // MEBIBYTE) * MEBIBYTE)


def lengths_of(size_bytes: int, part_bytes: int) -> list[int]:
    """How long each part is."""
    count = -(-size_bytes // part_bytes)
    return [part_bytes] * min(count - 1, PARTS_MAX) + [size_bytes - (count - 1) * part_bytes]


def key_of(account: UUID, upload_id: UUID, filename: str) -> str:
    """Where the file will be: under a name of its own, in letters that every store keeps."""
    plain = _UNSAFE.sub("_", filename.replace("\\", "/").rpartition("/")[2]).strip(".") or "file"
    return f"uploads/{account}/{upload_id}/{plain[-100:]}"


def checked(wish: UploadIn, bytes_max: int) -> tuple[Format, str]:
    """The format and the role; a Refusal before a byte is sent where the file is not taken in."""
    if wish.size_bytes > bytes_max:
        raise Refusal(
            413, f"size_bytes: {wish.size_bytes:,} is more than the {bytes_max:,} that one file "
            f"may have here; send it in parts that are files of their own",
            code="FILE_TOO_LARGE", details={"field": "size_bytes", "rejected_value": None},
        )  # fmt: skip
    said = format_named(wish.filename)
    return said, role_of(said, wish.role)


async def sent(
    connection: Connection,
    wish: UploadIn,
    upload_id: UUID,
    *,
    bucket: str,
    account: UUID,
    bytes_max: int,
    sees_only: frozenset[str] | None,
) -> Sent:
    """What is stated about this upload; a Refusal where the sample or the read set forbids it."""
    said, role = checked(wish, bytes_max)
    registers = [*await _sample(connection, wish, sees_only)]
    read_set_id = wish.read_set_id or f"up-{wish.sha256[:DIGEST_CHARACTERS]}"
    registers += await _read_set(connection, wish, role, read_set_id)
    fact = UploadInitiated(
        sample_id=wish.sample_id,
        upload_id=upload_id,
        bucket=bucket,
        object_key=key_of(account, upload_id, wish.filename),
        filename=wish.filename,
        size_bytes=wish.size_bytes,
        part_bytes=part_bytes_of(wish.size_bytes),
        checksum_algorithm=wish.checksum_algorithm,
        format=said.name,
        role=role,
        read_set_id=read_set_id,
        lane=wish.lane,
        project_id=wish.project_id,
        sequencing_platform=wish.sequencing_platform,
        library_prep=wish.library_prep,
        sequenced_on=wish.sequencing_date,
        declared_md5=wish.md5,
        declared_sha256=wish.sha256,
    )
    return Sent(fact, tuple(registers), wish.instrument_run_id)


async def _sample(
    connection: Connection, wish: UploadIn, sees_only: frozenset[str] | None
) -> Sequence[Event]:
    """The registration of a sample that is new; nothing of one that may be sent for."""
    if sees_only is not None and wish.project_id not in sees_only:
        raise Refusal(
            403, "project_id: is none of your projects; name the one that the file is sent for",
            details={"field": "project_id", "rejected_value": wish.project_id},
        )  # fmt: skip
    where = Where().add("sample_id = {}", wish.sample_id)
    known = await one(connection, SAMPLES, where)
    if known is None:
        return [
            SampleRegistered(
                sample_id=wish.sample_id,
                subject_ref=wish.subject_ref,
                project_id=wish.project_id,
                specimen=wish.sample_type,
                registered_by="upload",
            )
        ]
    if sees_only is not None:
        mine = await one(connection, SAMPLES, where, await within(connection, sees_only))
        if mine is None:
            raise Refusal(
                403, f"sample_id: {wish.sample_id} is no sample of your projects; name one of them",
                details={"field": "sample_id", "rejected_value": wish.sample_id},
            )  # fmt: skip
    elif wish.project_id is not None and known["project_id"] not in (None, wish.project_id):
        raise Refusal(
            409, f"project_id: sample {wish.sample_id} is of another project; leave project_id "
            f"out, or name the right sample",
            details={"field": "project_id", "rejected_value": wish.project_id},
        )  # fmt: skip
    return []


async def _read_set(
    connection: Connection, wish: UploadIn, role: str, read_set_id: str
) -> Sequence[Event]:
    """The registration of a read set that is new; nothing of one that is known and counts."""
    where = Where().add("sample_id = {}", wish.sample_id).add("read_set_id = {}", read_set_id)
    known: dict[str, Any] | None = await one(connection, READ_SETS, where)
    if known is not None:
        if known["state"] == "invalidated":
            raise Refusal(
                409, f"read_set_id: {read_set_id} does not count any more ({known['reason']}); "
                f"leave read_set_id out, and the file is a read set of its own",
                details={"field": "read_set_id", "rejected_value": read_set_id},
            )  # fmt: skip
        return []
    roles = wish.expected_roles or [role]
    first = [one for one in roles if one in MATERIALS and one not in COMES_WITH]
    lonely = [one for one in roles if one not in first and COMES_WITH.get(one) not in roles]
    if role not in roles or len(first) != 1 or lonely:
        alone = f"{COMES_WITH[role]} with it" if role in COMES_WITH else "one of R1, BAM, CRAM, VCF"
        raise Refusal(
            422, f"expected_roles: {', '.join(roles)} is no read set of this file: it holds {role} "
            f"and {alone}, or name a read set that is known as read_set_id",
            details={"field": "expected_roles", "rejected_value": None},
        )  # fmt: skip
    return [
        ReadSetRegistered(
            sample_id=wish.sample_id,
            read_set_id=read_set_id,
            material=MATERIALS[first[0]],
            expected_files=tuple(ExpectedFile(role=one) for one in dict.fromkeys(roles)),
            read_sets_of_sample=1,  # it came by itself; no demultiplexing counted others
        )
    ]
