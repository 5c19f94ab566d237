"""A small share of `python -m tests.faults tower`, and proof that its verdict bites."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from genoflow.deploy.addresses import Addresses
from tests.e2e.workers import settings_of, succeeds
from tests.faults import tower
from tests.tower_histories import lab, recount
from tests.towers import folded
from tests.unit.test_tower_fold import logged


@pytest.mark.long
async def test_windows_and_alerts_outlive_kills_and_a_stop(
    stack: Addresses, tmp_path: Path
) -> None:
    settings = settings_of(stack, secrets.token_hex(4), tmp_path)
    succeeds(settings, "topics", "apply")
    row = await tower.play(tower.SMALL, settings, tmp_path, lambda _: None)
    assert row.is_passed, row
    assert (row.kills, row.stops) == (tower.SMALL.kills, tower.SMALL.stops)
    assert row.alerts > 10
    assert row.windows > 10


async def test_the_verdict_sees_one_record_too_many_or_too_few() -> None:
    _, records = await logged(lab(seed=4, runs=5, samples=5))
    whole = recount(records)
    assert tower.differences(folded(records), whole) == []
    assert tower.differences(folded(records[:-1]), whole)
    assert tower.differences(folded(records), recount(records[:-1]))
