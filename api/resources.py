"""Machines and times as clients write them: 64GB and PT2H30M."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

UNITS = {"TB": 10**12, "GB": 10**9, "MB": 10**6, "KB": 10**3}
PARTS = (("H", 3_600), ("M", 60))


class MachineOut(BaseModel):
    """What a step needs at most; null where nobody said."""

    cpu: int | None = Field(examples=[16])
    memory: str | None = Field(examples=["64GB"])
    disk: str | None = Field(examples=["500GB"])


def resources(said: Mapping[str, Any] | None) -> MachineOut | None:
    """What an event says, with units."""
    if said is None:
        return None
    return MachineOut(
        cpu=said["cpus"], memory=_size(said["memory_bytes"]), disk=_size(said["disk_bytes"])
    )


def _size(said: int | None) -> str | None:
    if said is None:
        return None
    for unit, factor in UNITS.items():
        if said and said % factor == 0:
            return f"{said // factor}{unit}"
    return f"{said}B"


def duration(seconds: float | None) -> str | None:
    """A length of time as ISO 8601, such as PT2H30M; whole seconds."""
    if seconds is None:
        return None
    left, text = round(seconds), "PT"
    for letter, each in PARTS:
        count, left = divmod(left, each)
        text += f"{count}{letter}" if count else ""
    return f"{text}{left}S" if left or text == "PT" else text
