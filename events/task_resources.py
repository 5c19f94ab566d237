"""What one task was given and what it took."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Bytes, MoneyUsd, Name, Number, Part, Seconds, Small


class TaskResources(Part):
    """What a task asked for and what it used, as far as the executor says."""

    cpus: Small | None = Field(None, description="cores that it asked for")
    memory_bytes: Bytes | None = Field(None, description="memory that it asked for")
    cpu_percent: Number | None = Field(None, description="mean use; 100 is one core")
    cpu_seconds: Seconds | None = Field(None, description="that its cores worked, all together")
    peak_rss_bytes: Bytes | None = Field(None, description="the most memory that it held")
    read_bytes: Bytes | None = Field(None, description="from storage")
    write_bytes: Bytes | None = Field(None, description="to storage")
    machine_type: Name | None = Field(None, description="such as an instance type")
    cost_usd: MoneyUsd | None = Field(None, description="at the price that the launcher was told")
