"""What is told of uploads in parts, and asked about them, in the words of the API."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

AN_ID = "0b3f6b0e-3a55-5f0e-8a53-5f2f0c6f2a10"
LINKS_MAX = 500  # of one answer: each is signed in 0.3 ms
SHA256_BASE64 = 44  # characters


class UploadBegunOut(BaseModel):
    """An upload that takes parts."""

    upload_id: UUID = Field(examples=[AN_ID])
    status: Literal["initiated", "landed", "abandoned"]
    file_path: str = Field(examples=["s3://raw/uploads/…/S7_R1.fastq.gz"])
    sample_id: str = Field(examples=["S7"])
    read_set_id: str = Field(examples=["up-9f86d081884c"])
    role: str = Field(examples=["R1"])
    size_bytes: int
    part_bytes: int = Field(description="how long each part is but the last")
    parts: int = Field(description="how many there are, numbered from 1")
    checksum_algorithm: str = Field(examples=["SHA256"])
    created_at: datetime
    expires_at: datetime = Field(description="what is not complete by then is given up")


class UploadPartIn(BaseModel):
    """A part that is to be sent."""

    model_config = ConfigDict(extra="forbid")

    part_number: int = Field(ge=1, le=10_000, examples=[1])
    checksum: str = Field(
        min_length=12, max_length=SHA256_BASE64, pattern=r"^[A-Za-z0-9+/]+={0,2}$",
        description="of its bytes, by the upload's algorithm, in base64",
        examples=["n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="],
    )  # fmt: skip


class UploadPartsIn(BaseModel):
    """Which parts are to be sent."""

    model_config = ConfigDict(extra="forbid")

    parts: list[UploadPartIn] = Field(min_length=1, max_length=LINKS_MAX)


class UploadPartLink(BaseModel):
    """Where a part goes: PUT exactly its bytes, with these headers."""

    part_number: int
    url: str = Field(description="whoever has it can send this part, and nothing else")
    headers: dict[str, str]
    expires_at: datetime


class UploadPartLinks(BaseModel):
    """Where parts go."""

    links: list[UploadPartLink]


class UploadPartOut(BaseModel):
    """A part that is in the store."""

    part_number: int
    size_bytes: int
    checksum: str | None = Field(description="in base64, by the upload's algorithm")


class UploadPartsOut(BaseModel):
    """What is in the store of an upload; nothing where it is whole or was given up."""

    upload_id: UUID
    status: Literal["initiated", "landed", "abandoned"]
    part_bytes: int | None
    parts: list[UploadPartOut]
    missing: list[int] = Field(description="the numbers of those that are still to be sent")


class UploadCompleteIn(BaseModel):
    """What the sender knows of its parts, if it wants that compared."""

    model_config = ConfigDict(extra="forbid")

    parts: list[UploadPartIn] | None = Field(
        None, max_length=10_000, description="all of them, to find one that took another's place"
    )


class UploadCompletedOut(BaseModel):
    """A file that is whole in the store."""

    upload_id: UUID = Field(examples=[AN_ID])
    status: Literal["uploaded"]
    file_path: str
    version_id: str
    sample_id: str
    size_bytes: int
    event_id: UUID = Field(description="of the fact that it landed")
