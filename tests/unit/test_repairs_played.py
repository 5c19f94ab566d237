"""A small share of `benchmarks.repairs`, and that its verdict can be no."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.repairs import (
    BOUND,
    PAGE,
    SEED,
    SUBJECTS,
    Outcome,
    outcome_of,
    page,
    played,
    refuse,
)
from benchmarks.repairs_lab import Lab
from benchmarks.repairs_subjects import subject
from genoflow.events.alert_raised import AlertRaised

SUBJECTS_PLAYED = 30


async def test_what_is_lost_is_noticed_and_brought(tmp_path: Path) -> None:
    found = await played(3, SUBJECTS_PLAYED, tmp_path)
    refuse(found)
    assert len(found.found) >= 5
    assert found.own
    assert found.open_alerts == 0
    with pytest.raises(AssertionError):
        refuse(_with(found, came=None))
    with pytest.raises(AssertionError):
        refuse(_with(found, came=BOUND + timedelta(seconds=1)))
    with pytest.raises(AssertionError):
        refuse(replace(found, false_subjects=frozenset({"S1"})))
    with pytest.raises(AssertionError):
        refuse(replace(found, strangers=1))


def _with(found: Outcome, came: timedelta | None) -> Outcome:
    first, *others = found.found
    return replace(found, found=(replace(first, came=came), *others))


async def test_without_repairs_nothing_comes(tmp_path: Path) -> None:
    async with Lab(
        3, SUBJECTS_PLAYED // 3, tmp_path, story=subject, repairs=False, hours_max=80.0
    ) as lab:
        await lab.play()
        found = outcome_of(lab)
    assert found.found
    assert all(one.came is None for one in found.found)
    assert {one.subject for one in lab.lost.values()} >= {
        one.subject_key for one, _ in lab.alerts.values() if isinstance(one, AlertRaised)
    }


def test_the_page_shows_a_whole_run() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"Seed {SEED}:" in text
    assert f"| subjects | {SUBJECTS:,} (" in text
    rows = page(SEED, Outcome(SUBJECTS, 0, (), 0, frozenset(), 0, (), 0, 0.0, 0, 0)).splitlines()
    names = [row.split(" | ")[0] for row in rows if row.startswith("| ")]
    assert [name for name in names if f"{name} | " not in text] == []
