"""A small share of what read models go through in `make faults`."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoflow.deploy.settings import read_settings
from genoflow.events import topics
from genoflow.events.log.memory import MemoryLog
from tests.faults.read_models import SMALL, Snapshot, apart, facts_of, is_as_calm, play_alone


@pytest.mark.long
async def test_rows_are_those_of_a_run_without_kills(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    row = await play_alone(SMALL, tmp_path, read_settings().cache, print)
    assert is_as_calm(row), row
    assert (row["kills"], row["inside"]) == (SMALL.kills, SMALL.inside)
    assert row["snapshots"] == SMALL.kills + 1
    assert row["events"] > 200
    assert set(row["ends"]) == {0}, row["ends"]


async def test_a_position_apart_from_its_rows_is_found() -> None:
    """One too few, one too many, and a repetition that was counted as a row."""
    async with MemoryLog(partitions=1) as log:
        facts = facts_of(SMALL)[0]
        for event in (*facts, facts[0]):
            await log.append(event)
        name = facts[0].topic
        [end] = (await log.ends(name)).values()
    below = sum(event.topic == name for event in facts)
    assert {event.topic for event in facts} <= set(topics.BY_NAME)
    right = Snapshot([(name, 0, end, len({e.envelope.event_id for e in facts if e.topic == name}))])
    assert await apart(log, [right]) == 0
    wrong = [Snapshot([(name, 0, end, right.rows[0][3] + by)]) for by in (-1, 1)]
    assert await apart(log, [right, *wrong]) == 2
    assert below >= right.rows[0][3]
