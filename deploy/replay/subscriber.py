"""A named reader put back to where it was at a time: it is delivered what came since once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from genoflow.deploy.backup.broker import Broker
from genoflow.events.errors import Refused
from genoflow.processors.processor import Processor


class Move(NamedTuple):
    """One partition of a reader: where it stands, and where it is to go on."""

    topic: str
    partition: int
    place: int
    back_to: int


async def planned(
    broker: Broker, name: str, since: datetime, rows: Mapping[str, Processor]
) -> list[Move]:
    """How a reader goes back to a time; never forward, since what it has not read would be lost."""
    if name in rows:
        raise Refused(
            f"{name}: is a processor, whose place stands on its changelog with its state; see what "
            f"it would decide otherwise with `genoflow replay decide {name}`"
        )
    groups = await broker.groups()
    if name not in groups:
        readers = sorted(groups.keys() - rows.keys())
        known = f"there are {', '.join(readers)}" if readers else "there is none"
        raise Refused(f"{name}: no reader of this name has kept a place here; {known}")
    moves: list[Move] = []
    for topic, places in groups[name].items():
        at = await broker.log.offsets_at(topic, since)
        moves += [
            Move(topic, number, place, at[topic, number])
            for number, place in sorted(places.items())
            if at[topic, number] < place
        ]
    return moves


async def move(broker: Broker, name: str, moves: Sequence[Move]) -> None:
    """Put the reader there; Refused while it runs."""
    wanted: dict[str, dict[int, int]] = {}
    for one in moves:
        wanted.setdefault(one.topic, {})[one.partition] = one.back_to
    try:
        await broker.set_group(name, wanted)
    except Refused as error:
        raise Refused(
            f"{name}: its place cannot be moved while it reads; stop every program that reads "
            f"under this name, and try again"
        ) from error
