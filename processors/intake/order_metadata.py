"""What an order says of its samples: taken off before it is read, since the case has no such."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genoflow.processors.intake.orders import OrderRefused, Problem

FIELD = "metadata"  # of a member


@dataclass(frozen=True, slots=True)
class Carried:
    """All metadata of the sample of one member, not checked, and where they were written."""

    place: str  # of the order
    member: int  # its number, as problems count
    metadata: Mapping[str, object]


def taken_off(document: Any, place: str) -> tuple[Any, list[Carried]]:
    """An order without metadata, and these; OrderRefused where some are no JSON object."""
    members = document.get("members") if isinstance(document, dict) else None
    if not isinstance(members, list):
        return document, []
    bare: list[Any] = []
    carried: list[Carried] = []
    problems: list[Problem] = []
    for number, member in enumerate(members):
        if not isinstance(member, dict):
            bare.append(member)
            continue
        bare.append({name: value for name, value in member.items() if name != FIELD})
        said = member.get(FIELD)
        if isinstance(said, dict):
            carried.append(Carried(place, number, said))
        elif said is not None:
            fact = "are no JSON object; write names with values, or leave them out"
            problems.append(Problem(f"members.{number}.{FIELD}", fact))
    if problems:
        raise OrderRefused(problems)
    return {**document, "members": bare}, carried
