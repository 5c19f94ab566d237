"""Requests about parked events, appended in order and followed until the worker has answered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from genoflow.deploy.parked import Parking
from genoflow.deploy.parked_outcome import Watch
from genoflow.deploy.parked_rehearsal import Foretold, Rehearsal, row_of
from genoflow.deploy.porch import stand
from genoflow.deploy.worker_status import read_standing
from genoflow.events.codec import Codec
from genoflow.events.errors import Contradicted
from genoflow.events.event_discarded import EventDiscarded
from genoflow.events.log.port import EventLog
from genoflow.processors.processor import Processor
from genoflow.processors.step import Request

# A worker that runs answers within a second; ten leave room for a rebalance and a long queue.
WAIT_SECONDS = 10.0


@dataclass(slots=True)
class Decided:
    """One request and what is to be said of it."""

    parking: Parking
    request: Request
    lines: list[str] = field(default_factory=list)
    is_parked_again: bool = False
    watch: Watch | None = None  # none: nobody is going to answer soon


class Deciding:
    """Takes requests in the order of their events; nothing is appended on a dry run."""

    def __init__(
        self, log: EventLog, codec: Codec, rows: Mapping[str, Processor], *, dry_run: bool
    ) -> None:
        self._log = log
        self._codec = codec
        self._rows = rows
        self._dry_run = dry_run

    async def decide(self, pairs: Sequence[tuple[Parking, Request]]) -> list[Decided]:
        """Check all, then append all, then wait for what comes of them."""
        for parking, request in pairs:
            refuse_other(parking, request.envelope.event_id)
            row_of(self._rows, parking)
        decided = [Decided(parking, request) for parking, request in pairs]
        fresh = [one for one in decided if not _already(one)]
        if self._dry_run:
            rehearsal = Rehearsal(self._log, self._codec, self._rows)
            for one in fresh:
                _foretell(one, await rehearsal.play(one.parking, one.request))
            return decided
        owners = await self._owners(fresh)
        for one in fresh:
            await self._append(one, owners)
        deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
        for one in fresh:
            await _follow(one, deadline)
        return decided

    async def _owners(self, decided: Sequence[Decided]) -> dict[tuple[str, int], str]:
        """Which worker answers for each of these tasks, where one runs."""
        rows = {one.parking.address.processor for one in decided}
        wanted = [self._rows[name] for name in self._rows if name in rows]
        standing = await read_standing(self._log, wanted, datetime.now(UTC))
        return {
            (task.processor, task.partition): task.worker
            for task in standing.tasks
            if task.worker is not None
        }

    async def _append(self, one: Decided, owners: Mapping[tuple[str, int], str]) -> None:
        address = one.parking.address
        worker = owners.get((address.processor, address.partition))
        if worker is not None:
            one.watch = Watch(self._log, row_of(self._rows, one.parking), one.parking)
            await one.watch.begin()
        position = await stand(self._log, self._codec, one.request)
        one.lines.append(f"{_name(one)}: {one.request.type()} stands at {position}")
        if worker is None:
            one.lines.append(
                f"  nobody works on {address.processor} there now; it is taken when a worker is "
                f"started with `genoflow work`"
            )


def refuse_other(parking: Parking, request_id: UUID) -> None:
    """Contradicted where a person has decided otherwise before."""
    # Two may decide at once: the worker takes the request that stands first. The other finds that
    # nothing is parked at its place any more and is left alone, unless it was parked again there.
    answer = parking.answer
    if answer is None or answer.request.envelope.event_id == request_id:
        return
    raise Contradicted(
        f"{parking.event_id}: {answer.request.envelope.actor.id} has answered it with "
        f"{answer.request.type()} at {answer.position}; nothing was appended; if it was parked "
        f"again since, `genoflow parked list` shows it under an id of its own"
    )


def _already(one: Decided) -> bool:
    answer = one.parking.answer
    if answer is None:
        return False
    one.lines.append(
        f"{_name(one)}: {answer.request.type()} stands at {answer.position} already; "
        f"nothing was appended again"
    )
    return True


def _name(one: Decided) -> str:
    what = "effect of " if one.parking.is_effect else ""
    return f"{one.parking.event_id} {what}{one.parking.fact.subject_key}"


async def _follow(one: Decided, deadline: float) -> None:
    if one.watch is None:
        return
    came = await one.watch.until(one.request, deadline)
    if came is None:
        one.lines.append(
            f"  not taken within {WAIT_SECONDS:g} s; it stands on the log and will be, see "
            f"`genoflow workers`"
        )
        return
    one.lines.append(f"  {came.words}")
    one.is_parked_again = came.is_end and not came.is_good


def _foretell(one: Decided, found: Foretold) -> None:
    """Say what the worker would do, one line a fact."""
    given_up = isinstance(one.request, EventDiscarded)
    what = "discarded" if given_up else "requeued"
    one.lines.append(f"{_name(one)}: would be {what}")
    if found.ignored:
        one.lines.append(f"  and left alone: {found.ignored}")
        return
    one.lines += [
        f"  would append {event.type()} {event.key} {event.envelope.event_id}"
        for event in found.appended
    ]
    one.lines += [
        f"  would begin the effect {effect.name} {effect.effect_id}" for effect in found.opened
    ]
    one.lines += [
        f"  would close the effect {effect.name} {effect.effect_id}" for effect in found.closed
    ]
    if found.parked is not None:
        one.lines.append(f"  would be parked again: {found.parked.error}")
        one.is_parked_again = True
    elif not one.parking.is_effect:
        more = "" if found.is_all else " and more"
        taken = f"{found.taken:,}{more} of its key's events"
        one.lines.append(f"  {taken} would go through, the parked one {_fate(given_up)}")


def _fate(given_up: bool) -> str:
    return "left out" if given_up else "among them"
