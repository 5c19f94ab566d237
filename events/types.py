"""The types of which events are made: bounded, documented, their unit in the name of the field.

A text without a bound is an open door, so there is none: every string, list and number that an
event can hold has a limit here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
    WrapValidator,
)
from pydantic_core import CoreSchema, core_schema

ID_CHARACTERS_MAX = 100  # the samples table of the REST contract keeps 100
TEXT_CHARACTERS_MAX = 2_000  # a reason that a person reads: about one screen
KEY_CHARACTERS_MAX = 1_024  # S3's own limit for an object key, in bytes
ITEMS_MAX = 10_000  # a list in one event: a 1 MiB record has room for 10,000 items of 100 bytes
READS_MAX = 10**13  # a hundred NovaSeq X runs in one number: more is a mistake
ROWS_MAX = 4_000  # a sheet: eight lanes of 384 index pairs are 3,072 rows
METRICS_MAX = 1_000  # of one verdict: 50 metrics of 20 members
MEMBERS_MAX = 100  # of one case: a trio is 3, the largest pedigree on record is far below it
LINE_CHARACTERS_MAX = 1_200  # a line that names a subject, whose key has up to 1,104
ROUNDS_MAX = 1_000  # rounds, attempts and revisions: a person notices long before

# Postgres refuses U+0000 in a text, so a fact that held one could never be shown.
NO_NUL = r"^[^\x00]*$"

# Says whether bytes are being read (values may be newer than this code) or written (closed).
READING = "reading"


class Part(BaseModel):
    """A record inside an event: frozen, closed to unknown fields."""

    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="forbid", allow_inf_nan=False, ser_json_bytes="base64"
    )


def _utc(value: datetime) -> datetime:
    if value.tzinfo is UTC:
        return value  # as nearly all are, and a writer comes by for every event
    if value.utcoffset() is None:
        raise ValueError("has no time zone; give it as UTC, such as 2026-03-01T10:00:00Z")
    if value.utcoffset() != timedelta(0):
        value = value.astimezone(UTC)
    return value.replace(tzinfo=UTC)


class Choices:
    """Marks a string as one of a list that may grow: closed for writers, open for readers."""

    def __init__(self, *allowed: str) -> None:
        self.allowed = allowed

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """A bounded string that other values fail, unless an event is being read back."""

        def check(value: str, info: core_schema.ValidationInfo[Any]) -> str:
            if value in self.allowed or (info.context or {}).get(READING):
                return value
            raise ValueError(f"can be one of {', '.join(self.allowed)}")

        text = core_schema.str_schema(min_length=1, max_length=ID_CHARACTERS_MAX)
        return core_schema.with_info_after_validator_function(check, text)


def _to_the_millionth(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.000001"))  # as the wire holds it, so both ends print the same


def _strict_number(value: Any, handler: Callable[[Any], Any]) -> Any:
    if isinstance(value, bool | str | bytes):
        raise ValueError("is not a number")  # noqa: TRY004 -- pydantic reports ValueError only
    return handler(value)


Identifier = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", min_length=1, max_length=ID_CHARACTERS_MAX
    ),
]
SampleId = Identifier
SubjectRef = Identifier  # opaque: never a name, a birth date or a record number
LibraryId = Identifier
ReadSetId = Identifier
CaseId = Identifier
InstrumentRunId = Identifier
ProjectId = Identifier
RequestId = Identifier  # what the caller named a request: repeated, it is the same fact
DocumentId = Identifier
SubscriptionId = Identifier
AccountId = UUID  # opaque: the account's name stands in its own table and nowhere on the log
RunId = UUID  # UUIDv5 of what asked for the run
Name = Annotated[str, StringConstraints(pattern=NO_NUL, min_length=1, max_length=ID_CHARACTERS_MAX)]
Text = Annotated[str, StringConstraints(pattern=NO_NUL, max_length=TEXT_CHARACTERS_MAX)]
Reason = Annotated[
    str, StringConstraints(pattern=NO_NUL, min_length=1, max_length=TEXT_CHARACTERS_MAX)
]
Bucket = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
ObjectKey = Annotated[
    str, StringConstraints(pattern=NO_NUL, min_length=1, max_length=KEY_CHARACTERS_MAX)
]
Uri = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9+.-]*:[^\x00]*$", max_length=2_048)]
SubjectKey = Annotated[
    str, StringConstraints(pattern=NO_NUL, min_length=1, max_length=KEY_CHARACTERS_MAX + 80)
]
TopicName = Annotated[
    str, StringConstraints(pattern=r"^gf\.[a-z0-9.-]+$", min_length=4, max_length=200)
]
Md5 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
# A tag can be moved to another image, and a digest cannot.
ImageDigest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
GitCommit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
Index = Annotated[str, StringConstraints(pattern=r"^[ACGTN]{1,30}$")]
Cycles = Annotated[str, StringConstraints(pattern=r"^[YIUN0-9;*]+$", max_length=ID_CHARACTERS_MAX)]
Adapter = Annotated[str, StringConstraints(pattern=r"^[ACGTN]{1,100}$")]
ContentType = Annotated[
    str, StringConstraints(pattern=r"^[a-z]+/[A-Za-z0-9.+-]+$", max_length=ID_CHARACTERS_MAX)
]
Version = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+){0,2}$", max_length=20)]
Month = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
Utc = Annotated[datetime, AfterValidator(_utc)]
Count = Annotated[int, Field(ge=0, le=READS_MAX), WrapValidator(_strict_number)]
Bytes = Annotated[int, Field(ge=0, le=2**62), WrapValidator(_strict_number)]
# What S3 takes: a part has 5 MiB to 5 GiB, and an object 48.8 TB at most, in 10,000 parts.
PartBytes = Annotated[int, Field(ge=5 * 1024**2, le=5 * 1024**3), WrapValidator(_strict_number)]
SentBytes = Annotated[int, Field(ge=1, le=10_000 * 5 * 10**9), WrapValidator(_strict_number)]
Lane = Annotated[int, Field(ge=1, le=16), WrapValidator(_strict_number)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0), WrapValidator(_strict_number)]
Number = Annotated[float, WrapValidator(_strict_number)]
Seconds = Annotated[float, Field(ge=0.0, le=10.0**9), WrapValidator(_strict_number)]
Ordinal = Annotated[int, Field(ge=1, le=ROUNDS_MAX), WrapValidator(_strict_number)]
Small = Annotated[int, Field(ge=0, le=1_000_000), WrapValidator(_strict_number)]
# Of a whole that may be overspent: ten times as much is seen long before.
Percent = Annotated[int, Field(ge=1, le=1_000), WrapValidator(_strict_number)]
# A hundred years at most; what is kept for ever has no rule.
KeepDays = Annotated[int, Field(ge=1, le=36_500), WrapValidator(_strict_number)]
Partition = Annotated[int, Field(ge=0, le=100_000), WrapValidator(_strict_number)]
Offset = Annotated[int, Field(ge=0, le=2**62), WrapValidator(_strict_number)]
ExitCode = Annotated[int, Field(ge=0, le=255), WrapValidator(_strict_number)]
MoneyUsd = Annotated[
    Decimal, Field(max_digits=18, decimal_places=6, ge=0), AfterValidator(_to_the_millionth)
]
LongText = Annotated[str, StringConstraints(pattern=NO_NUL, max_length=65_536)]
HeaderValue = Annotated[bytes, Field(max_length=1_024)]
Blob = Annotated[bytes, Field(max_length=900_000)]  # a record of 1 MiB, less its envelope
FileRole = Annotated[
    str, Choices("R1", "R2", "I1", "I2", "BAM", "CRAM", "VCF", "BAI", "CRAI", "TBI", "OTHER")
]
Material = Annotated[str, Choices("FASTQ", "BAM", "CRAM", "VCF")]
CaseKind = Annotated[str, Choices("single", "tumour-normal", "trio")]
CaseRole = Annotated[
    str, Choices("single", "tumour", "normal", "proband", "mother", "father", "sibling")
]
Sex = Annotated[str, Choices("female", "male", "unknown")]
Priority = Annotated[str, Choices("routine", "urgent", "low")]
Orientation = Annotated[str, Choices("forward", "reverse complement")]
Target = Annotated[str, StringConstraints(pattern=NO_NUL, min_length=3, max_length=2_048)]
Channel = Annotated[str, Choices("email", "webhook", "sns", "slack")]
# One line of ids, numbers and codes; a free text stays where it was written.
Line = Annotated[
    str,
    StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", min_length=1, max_length=LINE_CHARACTERS_MAX),
]
AlertKind = Annotated[str, Choices("late", "missing", "rate", "drift", "event")]
Severity = Annotated[str, Choices("info", "warning", "critical")]
AlertGroup = Annotated[
    str, Choices("rule", "subject", "stage", "pipeline", "instrument", "project", "assay")
]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Zone = Annotated[
    str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$", max_length=60)
]
Weekday = Annotated[str, Choices("mon", "tue", "wed", "thu", "fri", "sat", "sun")]
# Below a half a quantile is no limit, and above 0.9999 it asks for ten thousand observations.
Quantile = Annotated[float, Field(ge=0.5, le=0.9999), WrapValidator(_strict_number)]
Margin = Annotated[float, Field(ge=1.0, le=100.0), WrapValidator(_strict_number)]
# How a metric scatters is not known from fewer runs than 20.
RunsMin = Annotated[int, Field(ge=20, le=10_000), WrapValidator(_strict_number)]
AtLeast = Annotated[int, Field(ge=1, le=1_000_000), WrapValidator(_strict_number)]
