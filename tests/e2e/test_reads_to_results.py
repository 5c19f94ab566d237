"""From run folders, a courier and orders to published results, by the commands that README shows.

A has enough reads, B comes by courier and its R2 is cut short at first, C has a fifth of what it
needs until a second run tops it up, D and E are tumour and normal of one case, F is on the sheet
and gave no reads. A worker is killed on the way.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.local.artifacts import NEXTFLOW_JARS, PICARD_JARS, ensure_jars
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import ensure_bucket, open_log, open_s3
from genoflow.events import topics
from tests.e2e.workers import settings_of, succeeds, until, working
from tests.tidy.source import text_of

WHOLE = {"CASE-1", "CASE-2", "CASE-3", "CASE-4"}


def said(settings: Settings, *kinds: str) -> list[Any]:
    """Every event of these types about runs, samples and cases."""

    async def read() -> list[Any]:
        async with open_log(settings) as log:
            return [
                record.event
                for topic in (topics.SEQUENCING_RUN, topics.SAMPLE, topics.CASE, topics.RUN)
                async for record in log.read_topic(topic.name)
                if record.type in kinds
            ]

    return asyncio.run(read())


def keys(settings: Settings, kind: str) -> set[str]:
    """The subjects of which this was said; cases where it was said of their runs."""
    return {whose(event) for event in said(settings, kind)}


def whose(event: Any) -> str:
    """The case of a fact about a run of a pipeline, else its subject."""
    return str(getattr(event, "case_id", None) or event.key)


@pytest.fixture
def settings(
    stack: Addresses, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """A deployment of this test's own, and a folder to work in."""
    found = settings_of(
        stack, suffix, tmp_path / "home", raw_bucket=f"raw-{suffix}",
        work_bucket=f"work-{suffix}", results_bucket=f"results-{suffix}", picard_memory_mb=512,
    )  # fmt: skip
    for jars in (PICARD_JARS, NEXTFLOW_JARS):
        asyncio.run(ensure_jars(found.cache, jars, lambda _: None))
    client = open_s3(found)
    ensure_bucket(client, found.raw_bucket)
    client.close()
    monkeypatch.chdir(tmp_path)
    return found


class Page:
    """The commands that README shows, one after the other."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        [block] = re.findall(
            r"<!-- executed by tests/e2e/test_reads_to_results.py -->\n```sh\n(.*?)```",
            text_of("README.md"),
            re.DOTALL,
        )
        self._settings = settings
        self._move = monkeypatch.chdir
        self._lines: Iterator[list[str]] = (
            shlex.split(line, comments=True) for line in block.splitlines()
        )
        assert next(self._lines) == ["genoflow", "up"]

    def before_work(self) -> None:
        """All that stands before the worker's line."""
        while self.next() != "work":
            pass

    def next(self) -> str:
        """Run the next line, and give what it prints; the worker's line is not run here."""
        program, *words = next(self._lines)
        if program == "cd":
            self._move(Path.cwd() / words[0])
            return ""
        assert program == "genoflow"
        return "work" if words == ["work"] else succeeds(self._settings, *words)

    def is_over(self) -> bool:
        """Whether nothing follows."""
        return next(self._lines, None) is None


@pytest.mark.timeout(480)  # two demultiplexings and four runs: 80 s on two idle cores
@pytest.mark.long
def test_run_folders_a_courier_and_orders_become_published_results(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(settings, monkeypatch)
    page.before_work()
    with working(settings, tmp_path / "first.log", "--once") as worker:
        until(lambda: keys(settings, "DemultiplexRequested"), "the demultiplexing is asked for")
        worker.send_signal(signal.SIGKILL)
    with working(settings, tmp_path / "second.log", "--once"):
        until(lambda: keys(settings, "FileRejected") == {"SIM-B"}, "B's R2 is rejected")
        why_b = page.next()
        assert "truncated at byte" in why_b
        assert "genoflow reads send SIM-B --r2 FILE" in why_b
        page.next()
        until(lambda: keys(settings, "CaseReady") == WHOLE - {"CASE-3"}, "A, B, D and E")
        until(lambda: keys(settings, "QcFailed") == {"SIM-C", "SIM-F"}, "C and F have failed")
        assert "mean_coverage is 5." in page.next()
        assert "no reads" in succeeds(settings, "sample", "why", "SIM-F")
        page.next()
        page.next()
        until(lambda: len(keys(settings, "ResultsPublished")) >= 2, "the first are published")
        until(lambda: "CASE-3" in keys(settings, "CaseReady"), "C is ready after its top-up")
        until(lambda: keys(settings, "ResultsPublished") == WHOLE, "all results are published")
        assert page.next().count("run published") == len(WHOLE)
        assert page.is_over()
    of_cases = ("CaseReady", "RunRequested", "RunSubmitted", "ResultsPublished")
    found = Counter((e.type(), whose(e)) for e in said(settings, "QcPassed", "QcFailed", *of_cases))
    assert found == Counter(
        [("QcPassed", f"SIM-{letter}") for letter in "ABCDE"]
        + [("QcFailed", "SIM-C"), ("QcFailed", "SIM-F")]
        + [(kind, case_id) for kind in of_cases for case_id in WHOLE]
    )
    assert succeeds(settings, "parked", "list") == "nothing is parked\n"
