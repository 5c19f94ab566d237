"""What a worker is doing, for people: never on the log, forgotten after a day."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from genoflow.processors.runner import Runner

if TYPE_CHECKING:
    from genoflow.processors.worker import Identity, Station

DOING_SHOWN_MAX = 100  # of one worker: a screen or two; the count tells of the rest


def status_of(
    identity: Identity,
    stations: Iterable[Station],
    runner: Runner,
    now: datetime,
    since: datetime | None,
) -> dict[str, Any]:
    """One worker: its tasks with their places, the effects it is doing, and since when it works."""
    loop_time = asyncio.get_running_loop().time()
    doing = runner.doing()
    return {
        "worker": identity.name,
        "version": identity.version,
        "revision": identity.revision,
        "at": now.isoformat(),
        "since": None if since is None else since.isoformat(),
        "tasks": [
            {
                "processor": station.processor.name,
                "topic": station.processor.reads.name,
                "partition": loop.partition,
                "position": loop.position,
                "records_taken": loop.records_taken,
                "open_effects": len(loop.task.effects) if loop.task else 0,
                "parked_effects": (
                    sum(effect.parked is not None for effect in loop.task.effects.values())
                    if loop.task
                    else 0
                ),
                "parked_keys": len(loop.task.parked) if loop.task else 0,
            }
            for station in stations
            for loop in station.loops.values()
        ],
        "effects_running": len(doing),
        "effects": [
            {
                "processor": one.owner.processor_name,
                "effect": one.effect.name,
                "effect_id": str(one.effect.effect_id),
                "subject": one.effect.subject_key,
                "try": one.number,
                "running_seconds": round(loop_time - one.since, 1),
                "progress": one.progress,
            }
            for one in doing[:DOING_SHOWN_MAX]
        ],
    }
