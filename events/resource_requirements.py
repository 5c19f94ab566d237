"""What a step of a pipeline needs of a machine."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Bytes, Part, Small


class ResourceRequirements(Part):
    """At most; nothing where nobody said."""

    cpus: Small | None = Field(None, description="cores")
    memory_bytes: Bytes | None = Field(None, description="memory")
    disk_bytes: Bytes | None = Field(None, description="space for what it works on")
