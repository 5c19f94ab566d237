"""What the watchtower made of a play: it has read all of it, and alerted of each fact once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from genoflow.deploy.demo.lab import Play
from genoflow.deploy.local.state import State, read_status
from genoflow.deploy.settings import Settings
from genoflow.deploy.top.lookout import Followed
from genoflow.deploy.tower_shown import TowerTable
from genoflow.events import topics
from genoflow.events.alert_raised import AlertRaised
from genoflow.events.alert_resolved import AlertResolved
from genoflow.events.errors import StackFault
from genoflow.events.event import Event
from genoflow.events.file_rejected import FileRejected
from genoflow.events.log.port import EventLog
from genoflow.events.qc_failed import QcFailed

STANDS_SECONDS_MAX = 60.0  # it begins within ten; then it takes thousands of records a second
LOOK_SECONDS = 1.0
PLACES = ("place",)  # of all that the tower keeps
OF_RULES: tuple[type[Event], ...] = (FileRejected, QcFailed)  # what the rules of the play wait for


@dataclass(frozen=True, slots=True)
class Watched:
    """Alerts held against the facts that they are about."""

    facts: int
    raised: int
    over: int
    wrong: tuple[str, ...]

    def sentences(self) -> list[str]:
        """The figures, and each thing that is wrong."""
        return [
            f"the watchtower alerted {self.raised} times, of {self.facts} facts that a rule waits "
            f"for; {self.over} of these alerts are over, as what followed shows",
            *(f"wrong: {one}" for one in self.wrong),
        ]


async def watched(settings: Settings, log: EventLog, play: Play) -> Watched:
    """Wait until the tower has read the samples of the play, then compare."""
    of_samples, ends = [], dict[tuple[str, int], int]()
    async for record in log.read_topic(topics.SAMPLE.name):
        ends[record.topic, record.partition] = record.offset + 1
        if play.owns(record.key):
            of_samples.append(record.event)
    await _caught_up(settings, log, ends)
    return compared(
        play, of_samples, [one.event async for one in log.read_topic(topics.ALERT.name)]
    )


def compared(play: Play, of_samples: Iterable[Event], of_alerts: Iterable[Event]) -> Watched:
    """Hold the alerts of a play against the facts that its rules wait for."""
    facts = {
        event.envelope.event_id: f"{type(event).__name__} of {event.key}"
        for event in of_samples
        if isinstance(event, OF_RULES) and play.owns(event.key)
    }
    alerts: dict[str, AlertRaised] = {}
    over: set[str] = set()
    for event in of_alerts:
        if play.is_alerted(event):
            alerts.setdefault(event.key, event)
        elif isinstance(event, AlertResolved):
            over.add(event.key)
    about = Counter(one.last_event_id for one in alerts.values())
    unfounded = [one.headline for one in alerts.values() if one.last_event_id not in facts]
    return Watched(
        facts=len(facts),
        raised=len(alerts),
        over=len(over & alerts.keys()),
        wrong=(
            *(f"{said}: {about[one]} alerts" for one, said in facts.items() if about[one] != 1),
            *(f"{headline}: an alert, and no such fact" for headline in unfounded),
        ),
    )


async def _caught_up(settings: Settings, log: EventLog, ends: dict[tuple[str, int], int]) -> None:
    """Wait for as long as it goes on: a log may hold far more than this play."""
    followed, table = Followed(topics.TOWER.name), TowerTable(PLACES)
    taken, moved = -1, time.monotonic()
    while True:
        await followed.take_new(log, table.take)
        reached = table.tower().positions()
        if all(reached.get(place, 0) >= end for place, end in ends.items()):
            return
        now = time.monotonic()
        if (total := sum(reached.values())) != taken:
            taken, moved = total, now
        if now - moved > STANDS_SECONDS_MAX:
            raise StackFault(_why_it_stands(settings))
        await asyncio.sleep(LOOK_SECONDS)


def _why_it_stands(settings: Settings) -> str:
    tower = read_status(settings).services.get("tower")
    if tower is None or tower.state is State.STOPPED:
        return (
            f"the watchtower does not run in {settings.home}: its supervisor may be of an older "
            f"version; `genoflow down`, then the demo again"
        )
    return (
        f"the watchtower ({tower.state}) has read nothing for {STANDS_SECONDS_MAX:g} s, although "
        f"something is there; {settings.home}/logs/tower.log says why"
    )
