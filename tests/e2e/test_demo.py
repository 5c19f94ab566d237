"""The demonstration as a newcomer runs it, and the lines that it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from genoflow.deploy.commands.demo import next_lines
from genoflow.deploy.local.state import read_status
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import every_topic
from tests.servers import cli_environment, embedded_settings

DEMO_SECONDS_MAX = 120
GENOFLOW = str(Path(sys.executable).parent / "genoflow")


@dataclass(frozen=True, slots=True)
class Played:
    """A demo that has ended, with its stack still up."""

    settings: Settings
    output: str
    sample: str


def genoflow(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one command line with these settings."""
    return subprocess.run(
        [GENOFLOW, *words], env=cli_environment(settings), capture_output=True, text=True,
        check=False, timeout=DEMO_SECONDS_MAX,
    )  # fmt: skip


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """One demo for all tests of this file."""
    settings = embedded_settings(tmp_path_factory.mktemp("demo"))
    done = genoflow(settings, "demo")
    try:
        assert done.returncode == 0, done.stderr
        found = re.search(r"timeline (DEMO-\w+)", done.stdout)
        assert found, done.stdout
        yield Played(settings, done.stdout, found[1])
    finally:
        genoflow(settings, "down")


def test_every_event_is_printed_as_it_comes_back(played: Played) -> None:
    assert "15 events appended, 15 read back, 0 missing" in played.output
    assert len(re.findall(r"FileLanded .*gf\.sample\.v1\[\d\]@\d+", played.output)) == 6
    assert len(re.findall(r"FileChecksummed .*gf\.sample\.v1\[\d\]@\d+", played.output)) == 6
    assert "6 files read whole by a worker, their checksums compared" in played.output
    first, landed = played.output.index("SequencingRunStarted"), played.output.index("FileLanded")
    assert first < landed


def test_the_timeline_tells_the_sample_and_what_it_follows_from(played: Played) -> None:
    told = genoflow(played.settings, "timeline", played.sample).stdout
    types = [line.split()[2] for line in told.splitlines()]
    # When the worker sets its deadline and reads the sheet depends on when it has started; which
    # of its processors is first to have read a file is chance.
    said = [one for one in types if one not in ("DeadlineSet", "SampleRegistered")]
    assert said[:6] == [
        "SequencingRunStarted", "SampleSheetAttached", "SequencingRunCompleted",
        "ReadSetRegistered", "FileLanded", "FileLanded",
    ]  # fmt: skip
    assert sorted(said[6:]) == ["FileChecksummed"] * 2 + ["Validated"] * 2
    assert types.count("DeadlineSet") == 1
    assert types.count("SampleRegistered") == 2  # by the porch, and by who reads the sheet


def test_the_worker_of_the_demo_ends_with_it(played: Played) -> None:
    log = (played.settings.home / "logs" / "worker.log").read_text()
    assert "has drained and left" in log
    assert "parked" not in log
    assert genoflow(played.settings, "parked", "list").stdout == "nothing is parked\n"


def test_a_subject_that_nobody_knows_is_said_to_be_so(played: Played) -> None:
    told = genoflow(played.settings, "timeline", "NOBODY")
    assert told.returncode == 1
    assert "'NOBODY'" in told.stderr
    assert "genoflow events tail" in told.stderr


@pytest.mark.parametrize("number", range(len(next_lines("S"))))
def test_each_line_that_the_demo_proposes_works(played: Played, number: int) -> None:
    line, _about = next_lines(played.sample)[number]
    assert f".venv/bin/{line}" in played.output
    done = genoflow(played.settings, *line.split()[1:])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_a_second_demo_finds_the_stack_and_adds_another_run(played: Played) -> None:
    began = time.monotonic()
    again = genoflow(played.settings, "demo")
    assert again.returncode == 0, again.stderr
    assert "_0002_" in again.stdout
    assert f"{len(every_topic())} topics, 0 of them new" in again.stdout
    pids = read_status(played.settings).processes
    assert all(process.alive() for process in pids)
    assert time.monotonic() - began < DEMO_SECONDS_MAX


def test_the_line_that_stops_it_stops_it(played: Played) -> None:
    assert "stop it with:  .venv/bin/genoflow down" in played.output
    processes = read_status(played.settings).processes
    assert processes
    assert genoflow(played.settings, "down").returncode == 0
    assert [process for process in processes if process.alive()] == []


def test_an_interrupted_demo_leaves_nothing_running(tmp_path: Path) -> None:
    settings = embedded_settings(tmp_path)
    with subprocess.Popen(
        [GENOFLOW, "demo"], env=cli_environment(settings), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    ) as demo:  # fmt: skip
        try:
            assert demo.stdout is not None
            for line in demo.stdout:
                if "kafka" in line and "starting" in line:
                    break
            processes = read_status(settings).processes
            os.killpg(demo.pid, signal.SIGINT)  # as a terminal: to all that is in the foreground
            said = demo.stdout.read()
            assert demo.wait(timeout=60) == 130
            assert "interrupted" in said
            assert processes
            assert [p for p in (*processes, *read_status(settings).processes) if p.alive()] == []
        finally:
            demo.kill()
            genoflow(settings, "down")
