"""A replay finds what is decided otherwise, and nothing where nothing is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from genoflow.deploy.replay.compare import NO_LONGER, NOT_OPENED
from genoflow.deploy.replay.recorded import Digests, read_told
from genoflow.processors.decision import NOTHING
from genoflow.processors.flow import PROCESSORS
from tests.replays import replayed, told, tried, whole_flow

every_row = pytest.mark.parametrize("name", PROCESSORS)
# -- unchanged code decides what it decided


@every_row
async def test_unchanged_code_decides_the_same_of_any_history_under_kills(name: str) -> None:
    log, lives = tried(name)
    report = await replayed(log, PROCESSORS[name])
    assert lives >= 3
    assert report.decisions > 0
    assert told(report) == []


@every_row
async def test_unchanged_code_decides_the_same_of_the_whole_flow_under_kills(name: str) -> None:
    _, log, kills = whole_flow()
    report = await replayed(log, PROCESSORS[name])
    assert kills >= 3
    assert report.records == report.records
    assert told(report) == []


# -- and it bites


@every_row
async def test_a_row_that_decides_nothing_misses_everything(name: str) -> None:
    log, _ = tried(name)
    row = PROCESSORS[name]
    report = await replayed(log, row, by=replace(row, decide=lambda _state, _event: NOTHING))
    recorded = await read_told(log, row, Digests())
    kinds = Counter(one.kind for one in report.differences)
    assert report.differences
    assert kinds == Counter({NO_LONGER: recorded.events, NOT_OPENED: len(recorded.effects)})
