"""Watches a job until it has left its outcome, or its launcher says that it never will."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

from genoflow.events.errors import Parked, Retry
from genoflow.events.event import Event
from genoflow.processors.job_outcome import outcome_key
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.ports import JobState, Ports
from genoflow.processors.processor import Job

JOB_LOOK_SECONDS = (0.2, 0.5, 1, 2, 5, 15)  # a short job is seen at once, a long one costs little


async def watched(kind: Job, effect: OpenEffect, arguments: Any, ports: Ports) -> Sequence[Event]:
    """What follows from a job: found where an earlier owner had it begun, else begun now."""
    store, launcher = ports.store, ports.launcher
    if store is None or launcher is None:
        raise Parked(f"{effect.name}: this worker has no launcher or no object store; wire one")
    name, key = effect.effect_id, outcome_key(effect.effect_id)
    for pause in itertools.chain(JOB_LOOK_SECONDS, itertools.repeat(JOB_LOOK_SECONDS[-1])):
        try:
            state = await launcher.find(name)  # asked before the outcome, not after
            outcome = await store.get(ports.outcome_bucket, key)
        except Retry:
            # Who is asked is away; the job works on. How long it may take is the effect's limit.
            await asyncio.sleep(pause)
            continue
        if outcome is not None:
            return kind.collect(arguments, outcome)
        if state is JobState.ENDED:
            fact = f"the job ended and left no outcome at {ports.outcome_bucket}/{key}"
            if kind.lost is not None:
                return kind.lost(arguments, fact)
            raise Parked(
                f"{effect.name} {name}: {fact}; read what the launcher kept of it, remove that to "
                f"have it begun again, then requeue it"
            )
        if state is JobState.UNKNOWN:
            if kind.lost is not None:
                return kind.lost(
                    arguments, "the launcher was told to begin it and knows no such job"
                )
            await launcher.launch(name, kind.order(arguments))
        await asyncio.sleep(pause)
    raise AssertionError("pauses are endless")
