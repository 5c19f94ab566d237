"""Rules that nobody published, held against an exported log."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner

from genoflow.deploy.commands.alerts import alerts
from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.log.filters import Filter
from genoflow.events.log.transfer import export
from genoflow.events.run_succeeded import RunSucceeded
from tests.tower_histories import BEGIN
from tests.tower_rules import LATE
from tests.unit.test_tower_judge import Trial, learned

HOUR = timedelta(hours=1)


async def exported(folder: Path) -> Path:
    """A log in which thirty runs take 1,000 s, one takes ten times as long, and one goes on."""
    trial = Trial(LATE)
    await learned(trial)
    slow = await trial.run(50, 0, ends=False)
    await trial.run(51, 0, ends=False)
    await trial.tell(RunSucceeded, BEGIN + 4 * HOUR, run_id=slow, attempt=1)
    path = folder / "log.avro"
    await export(trial.log, path, [topics.RUN.name], Filter(), codec=trial.log.codec)
    return path


def written(folder: Path, **changes: Any) -> Path:
    """A file of rules."""
    path = folder / "rules.json"
    rule = {name: list(v) if isinstance(v, tuple) else v for name, v in (LATE | changes).items()}
    document = {
        "kind": "alert-rules", "document_id": "alerts", "version": "1", "title": "Late runs",
        "rules": [rule], "ladders": [], "quiet": [],
    }  # fmt: skip
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


async def test_it_says_what_would_have_been_said_and_when(tmp_path: Path) -> None:
    log = await exported(tmp_path)
    until = f"{BEGIN + 24 * HOUR:%Y-%m-%dT%H:%M:%S}"
    words = ["test", str(written(tmp_path)), "--on", str(log), "--until", until]
    found = await _run([*words, "--json"])
    slow, open_one = json.loads(found)
    assert slow["subject_key"] == str(UUID(int=51, version=4))
    assert slow["resolved_at"] == (BEGIN + 4 * HOUR).isoformat()
    assert open_one["resolved_at"] is None
    told = await _run(words)
    assert told.splitlines()[-1] == "2 alerts, 2 of which tell somebody; 1 are open"


async def test_a_rule_of_an_unknown_stage_is_refused_with_the_way_out(tmp_path: Path) -> None:
    log = await exported(tmp_path)
    with pytest.raises(Refused, match="stage: sleeping is none; there are sequence, demultiplex"):
        await _run(["test", str(written(tmp_path, stage="sleeping")), "--on", str(log)])


async def _run(words: list[str]) -> str:
    done = await asyncio.to_thread(CliRunner().invoke, alerts, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output
