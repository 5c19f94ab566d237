"""What machines cost: a table with its date and place, and what a task comes to by it."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from genoflow.events.errors import Refused
from genoflow.events.event import explain
from genoflow.events.task_resources import TaskResources

HOUR_SECONDS = Decimal(3_600)
GIGABYTE = Decimal(10**9)
MILLIONTH = Decimal("0.000001")  # as the log keeps money
BYTES_MAX = 1_000_000  # of a table: every type of machine of a region has 200 kB

Usd = Annotated[Decimal, Field(ge=0, le=1_000)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Shares(_Part):
    """What a launcher's machines cost by the part of them that a task asks for."""

    cpu_hour_usd: Usd
    memory_gb_hour_usd: Usd


class Machine(_Part):
    """One type of machine, whole."""

    cpus: Annotated[int, Field(ge=1, le=1_024)]
    memory_gb: Annotated[Decimal, Field(gt=0, le=100_000)]
    hour_usd: Usd


class Prices(_Part):
    """A table of prices; a launcher that it does not name has none, and costs are unknown there."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    as_of: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    region: str
    source: str
    spot_share: Annotated[Decimal, Field(gt=0, le=1)] = Decimal(1)  # of what stands here
    launchers: dict[str, Shares]
    machines: dict[str, Machine] = {}

    def cost_of(self, launcher: str, used: TaskResources, seconds: float | None) -> Decimal | None:
        """What a task comes to that held its cores and memory so long; None where nobody knows.

        By its machine where that is known: of cores and memory the larger share, as the rest of
        it can be nobody's. Else by what it asked for.
        """
        shares = self.launchers.get(launcher)
        if shares is None or seconds is None or used.cpus is None:
            return None
        hours = Decimal(str(seconds)) / HOUR_SECONDS
        held = used.memory_bytes if used.memory_bytes is not None else used.peak_rss_bytes
        memory_gb = Decimal(held or 0) / GIGABYTE
        machine = self.machines.get(used.machine_type or "")
        if machine is not None:
            part = max(Decimal(used.cpus) / machine.cpus, memory_gb / machine.memory_gb)
            hourly = min(part, Decimal(1)) * machine.hour_usd
        else:
            hourly = used.cpus * shares.cpu_hour_usd + memory_gb * shares.memory_gb_hour_usd
        return (hourly * self.spot_share * hours).quantize(MILLIONTH, rounding=ROUND_HALF_EVEN)


def read_prices(path: Path) -> Prices:
    """The table in this file; Refused says what is wrong with it."""
    try:
        with path.open("rb") as file:
            body = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise Refused(
            f"{path}: cannot be read ({error.strerror}); name a table of prices"
        ) from error
    if len(body) > BYTES_MAX:
        raise Refused(f"{path}: is larger than {BYTES_MAX:,} bytes; keep the machines that you use")
    try:
        return Prices.model_validate_json(body)
    except ValidationError as error:
        raise Refused(
            f"{explain(str(path), error)}; `genoflow run cost prices` prints a table to begin with"
        ) from error
