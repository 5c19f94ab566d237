"""One header of a record on the log."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import HeaderValue, Name, Part


class RecordHeader(Part):
    """One header of a record, byte for byte."""

    header: Name = Field(description="its name")
    value: HeaderValue = Field(description="its bytes")
