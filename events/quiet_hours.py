"""Hours in which people are not told of alerts."""

from __future__ import annotations

from pydantic import Field

from genoflow.events.types import Identifier, Part, Severity, TimeOfDay, Weekday, Zone


class QuietHours(Part):
    """Alerts of these severities wait until the hours are over; they are raised all the same."""

    name: Identifier = Field(description="by which rules name them")
    zone: Zone = Field(description="of the IANA database, such as Europe/Berlin")
    days: tuple[Weekday, ...] = Field(min_length=1, max_length=7, description="on which they begin")
    from_time: TimeOfDay = Field(description="on the clock of the zone")
    until_time: TimeOfDay = Field(
        description="the same; of the next day where it is not after from_time"
    )
    severities: tuple[Severity, ...] = Field(
        min_length=1, max_length=3, description="which alerts wait"
    )
