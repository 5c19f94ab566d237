"""The demonstration as a newcomer runs it, and the lines that it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import httpx2
import pytest

from genoflow.deploy.commands.demo import next_lines
from genoflow.deploy.local.state import read_status
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import every_topic
from tests.servers import cli_environment, embedded_settings

pytestmark = pytest.mark.timeout(480)  # each play takes 65 s on two idle cores
DEMO_SECONDS_MAX = 460  # it gives up by itself before that
GENOFLOW = str(Path(sys.executable).parent / "genoflow")


@dataclass(frozen=True, slots=True)
class Played:
    """A demo that has ended, with its stack still up."""

    settings: Settings
    output: str
    prefix: str


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
        found = re.search(r"timeline (DEMO-\d+)-A", done.stdout)
        assert found, done.stdout
        yield Played(settings, done.stdout, found[1])
    finally:
        genoflow(settings, "down")


def timed(output: str) -> list[str]:
    """What was printed while it was played, without the seconds."""
    return re.findall(r"^ *[\d.]+ s  (.*)$", output, re.MULTILINE)


def test_the_cast_gets_its_results(played: Played) -> None:
    lines = timed(played.output)
    for letter in "ABCDE":
        last = [one for one in lines if one.startswith(f"{played.prefix}-{letter}  ")][-1]
        assert last.endswith("run published")
    assert re.search(rf"{played.prefix}-B cannot go on: R2 .* truncated at byte", played.output)
    assert f"$ genoflow qc top-up {played.prefix}-C" in played.output
    assert f"waits for {played.prefix}-E (normal)" in played.output
    assert re.search(rf"{played.prefix}-F .*QC failed; failed QC .* no reads", played.output)
    assert re.search(r"first Validated after \d+ s, all is over after \d+ s", played.output)
    assert len({*lines}) == len(lines), "each line only once"


def test_a_worker_was_killed_and_nothing_was_lost_or_repeated(played: Played) -> None:
    assert re.search(r"kill -9 \d+: the worker is dead", played.output)
    assert re.search(r"lost 0 of \d+ facts", played.output)
    assert re.search(r"repeated 0 among \d+ events", played.output)


def test_the_watchtower_alerts_of_each_fact_once(played: Played) -> None:
    lines = timed(played.output)
    said = "the watchtower alerts (warning): "
    raised = [one.removeprefix(said) for one in lines if one.startswith(said)]
    over = [one.partition("; ")[0] for one in lines if one.startswith("the alert is over: ")]
    samples = [f"{played.prefix}-{letter}" for letter in "BCF"]
    assert sorted(re.findall(rf"{played.prefix}-[A-F]", " ".join(raised))) == samples
    assert len(raised) == len(samples)
    assert {one.removeprefix("the alert is over: ") for one in over} < {*raised}
    assert re.search(r"alerted 3 times, of 3 facts .*; 2 of these alerts are over", played.output)
    top = played.output.partition("genoflow top --once")[2].partition("genoflow sample why")[0]
    assert f"{played.prefix}-F" in top, "what nobody has mended still stands"
    for state, letters in (("raised", "F"), ("resolved", "BC")):
        listed = genoflow(played.settings, "alerts", "list", "--state", state).stdout
        told = {*re.findall(rf"{played.prefix}-([A-F])", listed)}
        assert told == {*letters}, listed


def test_it_ends_with_why_and_the_timeline(played: Played) -> None:
    why = played.output.partition(f"genoflow sample why {played.prefix}-C")[2]
    assert f"{played.prefix}-C passed QC of its reads in round 2" in why
    assert "which is published" in why
    told = genoflow(played.settings, "timeline", f"{played.prefix}-A").stdout
    assert told in played.output
    types = [line.split()[2] for line in told.splitlines()]
    order = ("SequencingRunStarted", "ReadSetRegistered", "Validated", "QcRequested", "QcPassed")
    assert sorted(order, key=types.index) == [*order]


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


@pytest.mark.parametrize("number", range(len(next_lines("DEMO-001"))))
def test_each_line_that_the_demo_proposes_works(played: Played, number: int) -> None:
    line, _about = next_lines(played.prefix)[number]
    assert f".venv/bin/{line}" in played.output
    done = genoflow(played.settings, *line.split()[1:])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_api_that_the_demo_leaves_answers_its_lines(played: Played) -> None:
    lines = re.findall(r"curl -s -H 'X-API-Key: (\S+)' '(\S+)'", played.output)
    assert len(lines) == 2
    for key, url in lines:
        answer = httpx2.get(url, headers={"X-API-Key": key}, timeout=30)
        assert answer.status_code == 200, answer.text
        assert f"{played.prefix}-C" in answer.text
        assert httpx2.get(url, timeout=30).status_code == 401
    states = read_status(played.settings).services
    assert all(states[name].state == "ready" for name in ("read-models", "api", "tower"))
    listed = genoflow(played.settings, "projection", "list").stdout.splitlines()
    assert all(", 0 behind" in line for line in listed)
    assert "nobody can sign in" not in (played.settings.home / "logs" / "api.log").read_text()
    assert re.search(r"admin: .*\n +its password, shown only now: \S{12,}", played.output)


def test_a_second_demo_finds_the_stack_and_plays_under_other_ids(played: Played) -> None:
    before = read_status(played.settings).processes
    with playing(played.settings) as (demo, lines):
        said = list(takewhile(lambda line: "DEMO-002-A  " not in line, lines))
        os.killpg(demo.pid, signal.SIGINT)  # what follows is as it was the first time
        said += lines
        assert demo.wait(timeout=60) == 130
    assert any(f"{len(every_topic())} topics, 0 of them new" in line for line in said)
    assert not [line for line in said if played.prefix in line]
    assert not [line for line in said if "password" in line], "it was shown once"
    assert read_status(played.settings).processes == before, "the stack was there before"
    assert all(process.alive() for process in before)


def test_the_line_that_stops_it_stops_it(played: Played) -> None:
    assert "stop it with:  .venv/bin/genoflow down" in played.output
    processes = read_status(played.settings).processes
    assert processes
    assert genoflow(played.settings, "down").returncode == 0
    assert [process for process in processes if process.alive()] == []


def test_an_interrupted_demo_leaves_nothing_running(tmp_path: Path) -> None:
    settings = embedded_settings(tmp_path)
    try:
        with playing(settings) as (demo, lines):
            next(line for line in lines if "kafka" in line and "starting" in line)
            processes = read_status(settings).processes
            os.killpg(demo.pid, signal.SIGINT)  # as a terminal: to all that is in the foreground
            said = "".join(lines)
            assert demo.wait(timeout=60) == 130
        assert "interrupted" in said
        assert processes
        assert [p for p in (*processes, *read_status(settings).processes) if p.alive()] == []
    finally:
        genoflow(settings, "down")


@contextmanager
def playing(settings: Settings) -> Iterator[tuple[subprocess.Popen[str], Iterator[str]]]:
    """A demo in the foreground of a terminal of its own, and its lines as they come."""
    with subprocess.Popen(
        [GENOFLOW, "demo"], env=cli_environment(settings), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    ) as demo:  # fmt: skip
        try:
            assert demo.stdout is not None
            yield demo, iter(demo.stdout)
        finally:
            demo.kill()
