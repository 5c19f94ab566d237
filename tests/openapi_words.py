"""Ids and words of real rows, by the names under which the API tells them and asks for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.straight_in import Answer

WORDS_MAX = 25  # of one name
WORD_CHARACTERS_MAX = 300
PAGE = 5  # rows of each list
POSITION = "genoflow-position"
POSITIONS = ("min_position", "at_position", "position", "last-event-id")
# Under which other name an answer tells what a question asks for.
ALSO: Mapping[str, tuple[str, ...]] = {
    "run": ("instrument_run_id",), "job_id": ("run_id",), "qc_job_id": ("request_id", "job_id"),
    "as_of": ("recorded_at",), "recorded_from": ("recorded_at",), "due_before": ("due_at",),
    "recorded_before": ("recorded_at",), "waits_since": ("since",), "version": ("version",),
    "source_event_id": ("event_id",), "causation_id": ("event_id",), "type": ("type", "assay"),
}  # fmt: skip


@dataclass
class Words:
    """What answers told, and what a question may name."""

    told: dict[str, list[Any]] = field(default_factory=dict)
    next_of: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, word: Any) -> None:
        """Keep a word that stands under this name."""
        kept = self.told.setdefault(name, [])
        if word not in kept and len(kept) < WORDS_MAX and len(str(word)) <= WORD_CHARACTERS_MAX:
            kept.append(word)

    def of(self, path: str, name: str) -> list[Any]:
        """What this parameter of a route may be: an id with a slash in it is no part of a path."""
        if name == "after":
            return self.next_of.get(path, [])
        if name in POSITIONS:
            return self.told.get(POSITION, [])
        names = (name, f"{name}_id", *ALSO.get(name, ()))
        found = [word for one in names for word in self.told.get(one, ())]
        return [word for word in found if f"{{{name}}}" not in path or "/" not in str(word)]

    def learn(self, path: str, answer: Answer) -> None:
        """Keep what an answer of this route tells."""
        if answer.status != 200 or "json" not in answer.headers["content-type"][0]:
            return
        body = json.loads(answer.body)
        if isinstance(body, dict) and isinstance(body.get("next"), str):
            self.next_of.setdefault(path, []).append(body["next"])
        for position in answer.headers.get(POSITION, ()):
            self.add(POSITION, position)
        self._walk("", body)

    def _walk(self, name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, one in value.items():
                self._walk(key, one)
        elif isinstance(value, list):
            for one in value:
                self._walk(name, one)
        elif isinstance(value, str | int) and name:
            self.add(name, value)
