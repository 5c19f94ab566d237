"""The machine's own clock."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The clock port over the system's time of day, in UTC."""

    def now(self) -> datetime:
        """The time now, as the machine has it."""
        return datetime.now(UTC)
