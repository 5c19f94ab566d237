"""One rule that a file breaks, and where."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from genoflow.events.types import NO_NUL, Bytes, Choices, Count, Name, Part

# Of one file, errors first: 50 of 500 bytes are 25 kB, and all of them are counted beside.
FILE_FINDINGS_MAX = 50

Message = Annotated[str, StringConstraints(pattern=NO_NUL, min_length=1, max_length=300)]


class FileFinding(Part):
    """A rule of docs/validation.md that a file breaks, and where it does."""

    code: Name = Field(description="of the rule, such as `fastq-lengths-differ`")
    severity: Annotated[str, Choices("error", "violation", "note")] = Field(
        description="errors reject a file; violations do where that was asked for"
    )
    message: Message = Field(description="what is wrong there")
    line: Count | None = Field(None, description="counted from 1")
    record: Count | None = Field(None, description="counted from 1; header lines are none")
    byte: Bytes | None = Field(None, description="of the stored bytes: where its block begins")
