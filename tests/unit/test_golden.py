"""Recorded histories replay to the same decisions; a changed decision is shown, key by key."""

from __future__ import annotations

from dataclasses import replace

import pytest

from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.flow import PROCESSORS
from tests.golden import logs

every_row = pytest.mark.parametrize("name", PROCESSORS)


def test_every_processor_has_a_log_and_every_log_a_processor() -> None:
    assert {path.stem for path in logs.FOLDER.glob("*.jsonl")} == set(PROCESSORS)


@every_row
def test_an_old_log_replays_to_the_same_decisions(name: str) -> None:
    row = PROCESSORS[name]
    recorded = logs.read(row)
    found = logs.changes(recorded, logs.replay(row, recorded))
    assert not found, f"{name} decides otherwise than it did (python -m tests.golden):\n{found}"


@every_row
def test_a_log_holds_everything_that_its_processor_says(name: str) -> None:
    row, lines = PROCESSORS[name], logs.read(PROCESSORS[name])
    came_in = {line["event"]["type"] for line in lines if "event" in line}
    outcomes = [line["outcome"] for line in lines if "outcome" in line]
    came_in |= {said["type"] for outcome in outcomes for said in outcome["events"]}
    missing = {kind.type() for kind in row.on} - came_in
    assert not missing, f"delete {logs.path_of(row).name}, then python -m tests.golden write"
    said = {line["fact"]["type"] for line in lines if "fact" in line}
    assert said == {kind.type() for kind in row.said}
    opened = {line["opens"]["name"] for line in lines if "opens" in line}
    assert opened == {effect.name for effect in row.effects}


@every_row
def test_making_a_log_anew_keeps_what_came_in(name: str) -> None:
    row = PROCESSORS[name]
    recorded = logs.read(row)
    assert logs.replay(row, recorded) == recorded


@every_row
def test_a_row_that_decides_nothing_is_shown_key_by_key(name: str) -> None:
    row = replace(PROCESSORS[name], decide=lambda _state, _event: NOTHING)
    recorded = logs.read(row)
    found = logs.changes(recorded, logs.replay(row, recorded))
    told = [line[what] for line in recorded for what in ("fact", "opens") if what in line]
    assert told
    for said in told:
        assert f"{said['topic']} {said['key']}:\n--- expected\n+++ found" in found


def test_a_deadline_that_is_no_longer_cancelled_is_shown() -> None:
    row = PROCESSORS["clock-sample"]

    def keeps(state: object, event: object) -> Decision:
        return replace(row.decide(state, event), closes=())

    recorded = logs.read(row)
    found = logs.changes(recorded, logs.replay(replace(row, decide=keeps), recorded))
    assert '-  "closes": {' in found
