"""`genoflow top` beside a tower and a worker at work, on a real log and without Postgres."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import select
import subprocess
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from genoflow.deploy.settings import Settings
from genoflow.deploy.top.shown import Shown
from genoflow.deploy.wiring import open_log
from genoflow.events.alert_acknowledged import AlertAcknowledged
from genoflow.events.event import Event
from genoflow.events.run_requested import RunRequested
from genoflow.events.run_started import RunStarted
from genoflow.events.run_submitted import RunSubmitted
from genoflow.events.run_succeeded import RunSucceeded
from tests.e2e.workers import GENOFLOW, fails, running, said, succeeds, until, working
from tests.integration.test_tower import append, settings
from tests.servers import cli_environment
from tests.spec import heard
from tests.tower_histories import Teller
from tests.tower_rules import LATE, rules

__all__ = ["settings"]  # a fixture

SLOW = UUID(int=77, version=4)
SECONDS_MAX = 60.0
LATE_SOON = LATE | {"floor_seconds": 1.0, "ceiling_seconds": 900.0}


def a_slow_run(now: datetime) -> Iterable[Event]:
    """Twenty-five runs that took a minute, and one that goes on since an hour."""
    teller = Teller(seed=31, at=now)
    for number in range(25):
        at, run_id = now - timedelta(hours=2), UUID(int=number + 1, version=4)
        named = {"run_id": run_id, "attempt": 1}
        yield teller.tell(RunRequested, at, run_id=run_id, pipeline="germline", assay="wgs")
        yield teller.tell(RunSubmitted, at, **named)
        yield teller.tell(RunStarted, at, **named)
        yield teller.tell(RunSucceeded, at + timedelta(minutes=1), **named)
    at = now - timedelta(hours=1)
    yield teller.tell(RunRequested, at, run_id=SLOW, pipeline="germline", assay="wgs")
    yield teller.tell(RunSubmitted, at, run_id=SLOW, attempt=1)
    yield teller.tell(RunStarted, at, run_id=SLOW, attempt=1)


def shown(settings: Settings) -> Shown:
    """What a program is told."""
    return Shown.model_validate_json(succeeds(settings, "top", "--once", "--json"))


def test_it_shows_what_the_tower_alerts_and_workers_say(settings: Settings, tmp_path: Path) -> None:
    empty = shown(settings)
    assert (empty.tower.state, empty.stuck_total, empty.alerts) == ("empty", 0, ())
    assert "is `genoflow tower` running?" in succeeds(settings, "top", "--once")

    async def begin() -> None:
        async with open_log(settings) as log:
            await log.append(heard(rules(LATE_SOON)))
            await append(log, a_slow_run(datetime.now(UTC)))

    asyncio.run(begin())
    assert shown(settings).tower.ends_at is not None
    with (
        running(settings, tmp_path / "tower.log", "tower", "--once"),
        working(settings, tmp_path / "work.log", "settle-run"),
    ):
        found = until(lambda: _settled(settings), "the alert, and a worker with all partitions")
        assert found is not None
        [row] = [one for one in found.stuck if one.stage == "run"]
        assert (row.subject, row.owed_by, row.last_type) == (str(SLOW), "settle-run", "RunStarted")
        assert 110 < row.limit_seconds < 130  # twice what nine of ten took
        assert row.waited_seconds > 3_600
        _compare(settings, found)
        text = succeeds(settings, "top", "--once")
        assert str(SLOW) in text
        assert "the tower has counted everything" in text
        assert max(len(line) for line in text.splitlines()) <= 80
        _live(settings)
    assert "needs a terminal; --once prints" in fails(settings, "top", code=2)
    assert "--json is for --once" in fails(settings, "top", "--json", code=2)


def _settled(settings: Settings) -> Shown | None:
    found = shown(settings)
    busy = [one for one in found.processors if one.processor == "settle-run"]
    is_settled = found.alerts and found.workers and busy[0].workers and not busy[0].lag
    return found if is_settled and found.tower.state == "current" else None


def _compare(settings: Settings, found: Shown) -> None:
    """The same alerts as another command lists, and the same workers."""
    listed = {
        one["alert_id"]: one
        for one in json.loads(succeeds(settings, "alerts", "list", "--json"))
        if one["state"] != "resolved"
    }
    mine = {str(one.alert_id): json.loads(one.model_dump_json()) for one in found.alerts}
    assert set(mine) == set(listed)
    assert found.stuck[0].alerts[0] in {one.alert_id for one in found.alerts}
    for alert_id, one in mine.items():
        other = listed[alert_id]
        for name in ("rule", "severity", "state", "headline", "subject_key", "part_of", "step"):
            assert one[name] == other[name]
        assert datetime.fromisoformat(one["raised_at"]) == datetime.fromisoformat(
            other["raised_at"]
        )
    workers = json.loads(succeeds(settings, "workers", "--json"))["workers"]
    assert [one.worker for one in found.workers] == [one["worker"] for one in workers]
    [worker] = found.workers
    assert worker.since == datetime.fromisoformat(workers[0]["since"])
    assert (worker.processors, worker.partitions) == (1, 2)


def _live(settings: Settings) -> None:
    """The screen itself, in a terminal: it shows the alert, and `a` takes it up."""
    own, its = pty.openpty()
    with subprocess.Popen(
        [GENOFLOW, "top", "--every", "0.5", "--as", "kim"],
        env=cli_environment(settings) | {"TERM": "xterm-256color", "COLUMNS": "180", "LINES": "50"},
        stdin=its, stdout=its, stderr=its,
    ) as process:  # fmt: skip
        os.close(its)
        try:
            _see(own, "late-run", process)
            os.write(own, b"a")
            _see(own, "you look after", process)
            os.write(own, b"on it\r")
            _see(own, "acknowledged", process)
            os.write(own, b"q")
            _see(own, None, process)
            assert process.wait(timeout=SECONDS_MAX) == 0
        finally:
            process.kill()
            os.close(own)
    [word] = until(lambda: _words(settings), "the acknowledgement")
    assert (word.envelope.actor.id, word.reason) == ("kim", "on it")


def _words(settings: Settings) -> list[AlertAcknowledged]:
    [alert] = [one for one in shown(settings).alerts if one.subject_key == str(SLOW)]
    return said(settings, AlertAcknowledged, str(alert.alert_id))


def _see(terminal: int, words: str | None, process: subprocess.Popen[bytes]) -> None:
    """Read what is drawn until these words are among it, or to the end."""
    drawn = ""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        readable, _, _ = select.select([terminal], [], [], 0.2)
        if readable:
            try:
                drawn += os.read(terminal, 65_536).decode(errors="replace")
            except OSError:  # it has ended
                assert words is None, drawn[-2_000:]
                return
        elif process.poll() is not None:
            assert words is None, drawn[-2_000:]
            return
        if words is not None and words in drawn:
            return
    raise AssertionError(f"not within {SECONDS_MAX:g} s: {words}; drawn: {drawn[-2_000:]}")
