"""The values of the tower's table: what they are called, what they hold, how they are written.

A key names the partition that its value was folded from, and each value carries the last offset
that it holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from genoflow.processors.watchtower.burn import Money, Purse
from genoflow.processors.watchtower.panes import Pane, Tally
from genoflow.processors.watchtower.quality_kept import (
    KeptChart,
    OrderQuality,
    QualityValue,
    Restart,
    RunQuality,
    SampleQuality,
)

Place = tuple[str, int]  # topic and partition


class Key(NamedTuple):
    """The name of a value: what it is, where it was folded from, and of what."""

    kind: str
    topic: str
    partition: int
    rest: str = ""

    @property
    def place(self) -> Place:
        """The partition that its value was folded from."""
        return self.topic, self.partition

    def written(self) -> bytes:
        """What `read_key` reads."""
        return json.dumps(self, ensure_ascii=False, separators=(",", ":")).encode()


class Alert(NamedTuple):
    """An alert that is open, and what of it is needed to say that it is over."""

    rule: str
    alert: str  # its id
    group: str  # the name of the value that keeps its group; empty where it is its own


class Wait(NamedTuple):
    """Something began, and its end is owed."""

    since: float  # seconds since 1970, by the fact's own time
    cause: str  # the event that opened it
    type: str
    alerts: tuple[Alert, ...] = ()  # that are open about it


class Subject:
    """What is known of one subject: what is owed, what was seen last."""

    __slots__ = ("about", "alerts", "at", "early", "last", "seen", "taken", "waits")

    def __init__(self) -> None:
        self.at = -1
        self.about: dict[str, str] = {}
        self.waits: dict[tuple[str, str], Wait] = {}  # by stage and item
        self.last: tuple[str, str, float] = ("", "", 0.0)  # id, type, when
        self.taken = 0.0  # when the log was told last: facts may be told long after they were true
        self.seen: list[str] = []
        # Ends whose begin has not come, and when they were: it may be told behind them.
        self.early: dict[tuple[str, str], float] = {}
        self.alerts: tuple[Alert, ...] = ()  # that an event of it raised

    def plain(self) -> dict[str, Any]:
        """What `of_plain` reads; it shares nothing with what is changed later."""
        waits = [[*name, *wait] for name, wait in self.waits.items()]
        return {
            "at": self.at, "about": dict(self.about), "waits": waits, "last": self.last,
            "seen": self.seen, "alerts": self.alerts, "taken": self.taken,
            "early": [[*name, when] for name, when in self.early.items()],
        }  # fmt: skip

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Subject:
        """The subject that was written so."""
        found = cls()
        found.at, found.about, found.seen = plain["at"], dict(plain["about"]), plain["seen"]
        event_id, kind, when = plain["last"]
        found.last, found.taken = (event_id, kind, when), plain.get("taken", when)
        for stage, item, since, cause, kind, alerts in plain["waits"]:
            found.waits[stage, item] = Wait(since, cause, kind, _alerts(alerts))
        found.alerts = _alerts(plain["alerts"])
        # What was written before there were any has none.
        found.early = {(stage, item): when for stage, item, when in plain.get("early", ())}
        return found


def _alerts(plain: Iterable[Iterable[str]]) -> tuple[Alert, ...]:
    return tuple(Alert(*one) for one in plain)


class Figures:
    """One pane, or how long one stage took: what was counted, up to an offset."""

    __slots__ = ("at", "pane")

    def __init__(self) -> None:
        self.at = -1
        self.pane: Pane = {}

    def tally(self, stage: str) -> Tally:
        """What was counted of a stage, to count on."""
        found = self.pane.get(stage)
        if found is None:  # `setdefault` would make one each time: two thirds of a record's cost
            found = self.pane[stage] = Tally()
        return found

    def plain(self) -> dict[str, Any]:
        """What `of_plain` reads."""
        return {"at": self.at, "pane": {name: one.plain() for name, one in self.pane.items()}}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Figures:
        """The figures that were written so."""
        found = cls()
        found.at = plain["at"]
        found.pane = {name: Tally.of_plain(one) for name, one in plain["pane"].items()}
        return found


class Reached:
    """How far one partition was read, and the newest time that the log gave a record of it."""

    __slots__ = ("at", "newest")

    def __init__(self, at: int = -1, newest: float = 0.0) -> None:
        self.at, self.newest = at, newest

    def plain(self) -> dict[str, Any]:
        """What `of_plain` reads."""
        return {"at": self.at, "newest": self.newest}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Reached:
        """The place that was written so."""
        return cls(plain["at"], plain["newest"])


class Group:
    """Alerts of one rule that are told as one: who leads, and which are open."""

    __slots__ = ("at", "lead", "open", "over")

    def __init__(self) -> None:
        self.at = -1  # it is folded from no partition
        self.lead = ""
        self.open: list[str] = []  # the lead, too, until it is over itself
        self.over = ""  # the event that ended what the lead is about, while others are open

    def plain(self) -> dict[str, Any]:
        """What `of_plain` reads."""
        return {"lead": self.lead, "open": [*self.open], "over": self.over}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Group:
        """The group that was written so."""
        found = cls()
        found.lead, found.open, found.over = plain["lead"], [*plain["open"]], plain["over"]
        return found


Value = Subject | Figures | Money | Purse | Group | Reached | QualityValue
# In the order in which a batch is written.
KINDS: Mapping[str, type[Value]] = {
    "pane": Figures, "learned": Figures, "money": Money, "purse": Purse,
    "sample-quality": SampleQuality, "order-quality": OrderQuality, "run-quality": RunQuality,
    "restart": Restart, "group": Group, "chart": KeptChart, "subject": Subject, "place": Reached,
}  # fmt: skip
RANK = {kind: rank for rank, kind in enumerate(KINDS)}


def read_key(written: bytes) -> Key:
    """The key that was written so."""
    return Key(*json.loads(written))


def write_value(value: Value, reign: int) -> bytes:
    """A value, behind the reign of the keeper that writes it."""
    plain = json.dumps(value.plain(), ensure_ascii=False, separators=(",", ":"))
    return f"{reign} {plain}".encode()


def read_value(key: Key, written: bytes) -> Value:
    """The value that was written under this key."""
    return KINDS[key.kind].of_plain(json.loads(written.partition(b" ")[2]))
