"""Golden logs: recorded histories, and what each processor decided on them.

A log is a story in JSON lines, in the order in which things happened:

    event     came in                       fact     the processor said
    outcome   of an effect came in          opens    an effect, by id, with its arguments
                                            closes   an effect that is not wanted any more

A replay feeds what is on the left and compares what is on the right, key by key. It does no
effects: their outcomes stand in the log. Where a decision changed on purpose, make the logs anew
(`python -m tests.golden write`): what came in stays as it was recorded, and git shows what moved.
Where a row decides on more types than before, delete its log first, and it is recorded from a seed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from genoflow.events.envelope import Envelope
from genoflow.events.event import Event
from genoflow.events.registry import released
from genoflow.processors.flow import PROCESSORS
from genoflow.processors.ledger import OpenEffect
from genoflow.processors.processor import Processor, Timer
from genoflow.processors.step import Step
from tests.examples import somebody, someone
from tests.histories import history, pretended
from tests.partition import Partition
from tests.spec import Plain, canonical, difference

FOLDER = Path(__file__).parent
FED = ("event", "outcome")
SEEDS = 1_000
LAG = 3  # how many events later a recorded effect was done


def path_of(row: Processor) -> Path:
    """Where the log of a row stands."""
    return FOLDER / f"{row.name}.jsonl"


def read(row: Processor) -> list[Plain]:
    """The lines of a row's log."""
    return [json.loads(line) for line in path_of(row).read_text("utf-8").splitlines()]


def write(row: Processor) -> Path:
    """Make the log of a row anew: from what came in when it was recorded, else from a seed."""
    path = path_of(row)
    lines = replay(row, read(row)) if path.exists() else _recorded(row)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_text(text, "utf-8")
    return path


def replay(row: Processor, lines: Iterable[Plain]) -> list[Plain]:
    """The story as the row tells it now, from what came in."""
    stage = _Stage(row)
    for line in lines:
        if "event" in line:
            stage.happens(_event(line["event"]))
        elif "outcome" in line:
            stage.is_done(line["outcome"])
    return stage.lines


def changes(recorded: Sequence[Plain], replayed: Sequence[Plain]) -> str:
    """What was decided otherwise, key by key; empty where nothing was."""
    old, new = _by_key(recorded), _by_key(replayed)
    found = [
        f"{key}:\n{text}"
        for key in sorted({**old, **new})
        if (text := difference(old.get(key, []), new.get(key, [])))
    ]
    return "\n".join(found)


def _by_key(lines: Sequence[Plain]) -> dict[str, list[Plain]]:
    by_key: dict[str, list[Plain]] = {}
    for line in lines:
        [(what, said)] = line.items()
        if what not in FED:
            by_key.setdefault(f"{said['topic']} {said['key']}", []).append(line)
    return by_key


class _Stage:
    """A row, and the story of what goes in and comes out."""

    def __init__(self, row: Processor) -> None:
        self.lines: list[Plain] = []
        self.partition = Partition(row)
        self._row = row
        self._told = 0

    def happens(self, event: Event) -> None:
        """An event comes in."""
        self.lines.append({"event": _plain(event)})
        self.partition.put(event)
        self._work()

    def is_done(self, outcome: Plain) -> None:
        """The outcome of an effect comes in; nothing where the row has not opened it."""
        self.lines.append({"outcome": outcome})
        model = released().model
        events = [model(e["type"]).model_validate(e["payload"]) for e in outcome["events"]]
        at = datetime.fromisoformat(outcome["occurred_at"])
        self.partition.finish(UUID(outcome["effect_id"]), *events, occurred_at=at)
        self._work()

    def _work(self) -> None:
        self.partition.work()
        for step in self.partition.steps[self._told :]:
            self.lines += list(self._said(step))
        self._told = len(self.partition.steps)

    def _said(self, step: Step) -> Iterator[Plain]:
        done = {event.envelope.effect_id for event in step.events}
        for event in step.events:
            yield {"fact": canonical(event, with_id=True)}
        for effect in step.opened:
            yield {"opens": {**self._named(effect), "arguments": effect.arguments}}
        for effect in step.closed:
            if effect.effect_id not in done:
                yield {"closes": self._named(effect)}

    def _named(self, effect: OpenEffect) -> Plain:
        return {
            "topic": self._row.reads.name,
            "key": effect.subject_key,
            "name": effect.name,
            "id": str(effect.effect_id),
        }


def _plain(event: Event) -> Plain:
    envelope = event.envelope
    return {
        "key": event.key,
        "type": event.type(),
        "id": str(envelope.event_id),
        "correlation_id": str(envelope.correlation_id),
        "occurred_at": envelope.occurred_at.isoformat(),
        "payload": event.payload(),
    }


def _event(plain: Plain) -> Event:
    model = released().model(plain["type"])
    event = model.model_validate(plain["payload"])
    return event.enveloped(
        Envelope(
            event_id=plain["id"],
            type=plain["type"],
            schema_version=model.about.version,
            subject=event.key,
            occurred_at=plain["occurred_at"],
            correlation_id=plain["correlation_id"],
            actor=somebody(),
            producer=someone(),
        )
    )


# -- recording


def _recorded(row: Processor) -> list[Plain]:
    """The first story in which everything happens that the row decides on, and it says all."""
    for seed in range(SEEDS):
        events = history(row, seed)
        if {type(event) for event in events} >= set(row.on) - set(row.said):
            lines = _played(row, events)
            if _says_everything(row, lines):
                return lines
    raise AssertionError(f"{row.name}: no history of {SEEDS} makes it say everything")


def _says_everything(row: Processor, lines: Sequence[Plain]) -> bool:
    said = {line["fact"]["type"] for line in lines if "fact" in line}
    opened = {line["opens"]["name"] for line in lines if "opens" in line}
    return said == {kind.type() for kind in row.said} and opened == {e.name for e in row.effects}


def _played(row: Processor, events: Sequence[Event]) -> list[Plain]:
    stage = _Stage(row)
    timers = {kind.name: kind for kind in row.effects if isinstance(kind, Timer)}
    opened: dict[UUID, int] = {}
    for number, event in enumerate(events):
        now = event.envelope.occurred_at
        for effect in stage.partition.open_effects:
            kind = timers.get(effect.name)
            begun = opened.setdefault(effect.effect_id, number)
            if _due(kind, effect) <= now if kind else number - begun >= LAG:
                stage.is_done(_outcome(row, effect, now))
        stage.happens(event)
    while waiting := stage.partition.open_effects:
        stage.is_done(_outcome(row, waiting[0], now))
    return stage.lines


def _due(kind: Timer, effect: OpenEffect) -> datetime:
    return kind.due_at(kind.arguments(**effect.arguments))


def _outcome(row: Processor, effect: OpenEffect, now: datetime) -> dict[str, Any]:
    return {
        "effect_id": str(effect.effect_id),
        "occurred_at": now.isoformat(),
        "events": [{"type": e.type(), "payload": e.payload()} for e in pretended(row, effect)],
    }


def rows() -> tuple[Processor, ...]:
    """Every row that has to have a log."""
    return tuple(PROCESSORS.values())
