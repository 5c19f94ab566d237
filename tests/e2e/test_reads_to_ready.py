"""From run folders and orders to cases that are ready, by the commands that README shows.

Two runs of a generated cast: A and B have enough reads, C a fifth of it until the second run tops
it up, D and E are tumour and normal of one case, F is on the sheet and gave no reads. A worker is
killed on the way.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import signal
from collections import Counter
from pathlib import Path

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import ensure_bucket, open_log, open_s3
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.processors.flow import PROCESSORS
from tests.e2e.workers import settings_of, succeeds, until, working
from tests.tidy.source import text_of

LATER = ("request-run", "submit-run", "collect-results")  # tests/e2e/test_run.py has them work
ROWS = tuple(name for name in PROCESSORS if name not in LATER)


def everything(settings: Settings) -> list[Event]:
    """Every event about runs, samples and cases."""

    async def read() -> list[Event]:
        async with open_log(settings) as log:
            return [
                record.event
                for topic in (topics.SEQUENCING_RUN, topics.SAMPLE, topics.CASE)
                async for record in log.read_topic(topic.name)
            ]

    return asyncio.run(read())


def keys(settings: Settings, kind: str) -> set[str]:
    """The subjects of which this was said."""
    return {event.key for event in everything(settings) if event.type() == kind}


def page() -> tuple[list[list[str]], list[list[str]]]:
    """The commands that README shows, before and after the worker's."""
    [block] = re.findall(
        r"<!-- executed by tests/e2e/test_reads_to_ready.py -->\n```sh\n(.*?)```",
        text_of("README.md"),
        re.DOTALL,
    )
    lines = [shlex.split(line, comments=True)[1:] for line in block.splitlines()]
    work = lines.index(["work"])
    assert lines[0] == ["up"]
    return lines[1:work], lines[work + 1 :]


def test_run_folders_and_orders_become_cases_that_are_ready(
    stack: Addresses, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(
        stack, suffix, tmp_path / "home", raw_bucket=f"raw-{suffix}",
        work_bucket=f"work-{suffix}", picard_memory_mb=512,
    )  # fmt: skip
    client = open_s3(settings)
    ensure_bucket(client, settings.raw_bucket)
    client.close()
    monkeypatch.chdir(tmp_path)
    before, (why_c, top_up, cases) = page()
    for words in before:
        succeeds(settings, *words)
    with working(settings, tmp_path / "first.log", "--once", *ROWS) as worker:
        until(lambda: keys(settings, "DemultiplexRequested"), "the demultiplexing is asked for")
        worker.send_signal(signal.SIGKILL)
    with working(settings, tmp_path / "second.log", "--once", *ROWS):
        until(
            lambda: keys(settings, "CaseReady") == {"CASE-1", "CASE-2", "CASE-4"}, "A, B, D and E"
        )
        until(lambda: keys(settings, "QcFailed") == {"SIM-C", "SIM-F"}, "C and F have failed")
        assert "mean_coverage is 0." in succeeds(settings, *why_c)
        assert "no reads" in succeeds(settings, "sample", "why", "SIM-F")
        succeeds(settings, *top_up)
        until(lambda: "CASE-3" in keys(settings, "CaseReady"), "C is ready after its top-up")
        assert "CASE-3" in succeeds(settings, *cases)
    said = everything(settings)
    assert Counter(e.key for e in said if e.type() == "QcPassed") == {
        f"SIM-{letter}": 1 for letter in "ABCDE"
    }
    assert Counter(e.key for e in said if e.type() == "QcFailed") == {"SIM-C": 1, "SIM-F": 1}
    assert Counter(e.key for e in said if e.type() == "CaseReady") == {
        f"CASE-{number}": 1 for number in range(1, 5)
    }
    assert succeeds(settings, "parked", "list") == "nothing is parked\n"
