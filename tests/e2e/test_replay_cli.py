"""`genoflow replay decide` on a real broker, over a log that killed workers wrote."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.cli import EXIT_INTERRUPTED
from genoflow.deploy.commands.replay import EXIT_DIFFERENT
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_log
from genoflow.events import topics
from genoflow.events.divergence_found import DivergenceFound
from genoflow.events.event import Event
from genoflow.events.measurement import Measurement
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_passed import QcPassed
from genoflow.events.replay_completed import ReplayCompleted
from genoflow.events.replay_started import ReplayStarted
from genoflow.events.rerun_requested import RerunRequested
from genoflow.events.run_failed import RunFailed
from genoflow.events.subscribe import Subscription
from tests.asked import like
from tests.e2e.workers import (
    GENOFLOW,
    PATIENCE_SECONDS,
    facts,
    fails,
    genoflow,
    happens,
    said,
    settings_of,
    succeeds,
    until,
    working,
)
from tests.qc_facts import COVERAGE, requested
from tests.run_facts import requested as request_for_run
from tests.servers import cli_environment
from tests.tidy.source import ROOT

JUDGE = "judge-reads"
SAMPLES = {f"S{number:02}": 3.0 * number for number in range(1, 31)}  # and how deep each is read
SHARES = 3  # of the samples; a worker dies after each but the last
FIRST = "from __future__ import annotations\n"
SLEEP = "import time\n\ntime.sleep(60)\n"


def asked(sample: str) -> tuple[Event, Event]:
    """A sample is to be judged by its coverage, and this is what was measured."""
    question = requested(sample_id=sample, thresholds=(COVERAGE,))
    measured = QcMetricsRecorded(
        sample_id=sample, round=1, profile=question.profile,
        profile_version=question.profile_version, read_set_ids=question.read_set_ids,
        measurements=(Measurement(metric="mean_coverage", value=SAMPLES[sample], unit="x"),),
        engine="tests", engine_version="1",
    )  # fmt: skip
    return question, measured


def verdicts(settings: Settings) -> dict[str, str]:
    """What is said of each sample."""
    return {one.key: kind for kind in ("QcPassed", "QcFailed") for one in facts(settings, kind)}


@pytest.fixture(scope="module")
def settings(stack: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A deployment whose samples were judged by workers that were killed."""
    home = tmp_path_factory.mktemp("replay")
    found = settings_of(stack, secrets.token_hex(4), home)
    succeeds(found, "topics", "apply")
    names = list(SAMPLES)
    for share in range(1, SHARES + 1):
        with working(found, home / "worker.log", JUDGE) as worker:
            some = names[: len(names) * share // SHARES]
            new = some[len(names) * (share - 1) // SHARES :]
            happens(found, *(event for name in new for event in asked(name)))
            until(lambda some=some: len(verdicts(found)) >= len(some) - 2, "verdicts")  # type: ignore[misc]
            if share < SHARES:
                worker.send_signal(signal.SIGKILL)
            else:
                until(lambda: len(verdicts(found)) == len(names), "all verdicts")
    return found


def profile(path: Path, least: float) -> str:
    """The file of a profile that wants this coverage."""
    document = {
        "kind": "qc-profile", "document_id": "wgs-30x", "version": "2", "title": "Another",
        "assays": ["wgs"], "run_thresholds": [], "results_thresholds": [], "top_ups_max": 1,
        "reads_thresholds": [{"metric": "mean_coverage", "unit": "x", "required_min": least}],
    }  # fmt: skip
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def git(checkout: Path, *words: str) -> str:
    """What git says."""
    who = ("-c", "user.name=tests", "-c", "user.email=tests@example.org")
    done = subprocess.run(
        ["git", *who, "-C", str(checkout), *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this repository, to commit in."""
    place = tmp_path_factory.mktemp("clone") / "genoflow"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(place)], check=True)
    return place


def replayed(settings: Settings, *words: str, code: int = 0) -> dict[str, Any]:
    """The report of a replay."""
    found: dict[str, Any] = json.loads(
        succeeds(settings, "replay", "decide", JUDGE, "--json", *words, code=code)
    )
    return found


@pytest.mark.long
def test_the_code_that_wrote_a_log_decides_the_same(settings: Settings) -> None:
    found = replayed(settings)
    assert (found["differences"], found["decisions"]) == (0, len(SAMPLES))
    assert found["recorded"] == len(SAMPLES)
    assert "no difference" in succeeds(settings, "replay", "decide", JUDGE)


def test_another_threshold_lists_exactly_the_samples_that_it_touches(
    settings: Settings, tmp_path: Path
) -> None:
    least = 60.0
    words = ("--with-profile", profile(tmp_path / "profile.json", least))
    found = replayed(settings, *words, code=EXIT_DIFFERENT)
    groups = {(group["kind"], group["what"]): group["subjects"] for group in found["groups"]}
    assert COVERAGE.required_min == 30.0
    assert groups == {
        ("instead", "QcPassed → QcFailed"): [
            name for name, deep in SAMPLES.items() if 30 <= deep < least
        ],
        ("changed", "QcFailed: reason"): [name for name, deep in SAMPLES.items() if deep < 30],
    }
    text = succeeds(settings, "replay", "decide", JUDGE, *words, code=EXIT_DIFFERENT)
    assert "instead: QcPassed → QcFailed  10" in text


def test_another_revision_lists_exactly_the_samples_that_it_touches(
    settings: Settings, checkout: Path
) -> None:
    where = ("--repository", str(checkout), "--rev")
    assert replayed(settings, *where, "HEAD")["differences"] == 0
    path = checkout / "processors" / "judge_reads.py"
    text = path.read_text("utf-8")
    path.write_text(text.replace("    if not failures:\n", "    if True:\n"), "utf-8")
    git(checkout, "commit", "--quiet", "--all", "--message", "Let everything pass")
    found = replayed(settings, *where, "HEAD", code=EXIT_DIFFERENT)
    [group] = found["groups"]
    assert (group["kind"], group["what"]) == ("instead", "QcFailed → QcPassed")
    assert group["subjects"] == [name for name, deep in SAMPLES.items() if deep < 30]
    git(checkout, "reset", "--quiet", "--hard", "HEAD~1")
    assert len(git(checkout, "worktree", "list").splitlines()) == 1


def test_who_is_interrupted_leaves_no_tree_behind(
    settings: Settings, checkout: Path, tmp_path: Path
) -> None:
    path = checkout / "processors" / "flow.py"
    path.write_text(path.read_text("utf-8").replace(FIRST, FIRST + SLEEP), "utf-8")
    git(checkout, "commit", "--quiet", "--all", "--message", "Sleep")
    command = [GENOFLOW, "replay", "decide", JUDGE, "--repository", str(checkout), "--rev", "HEAD"]
    environment = cli_environment(settings) | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: list(tmp_path.glob("*/path/genoflow/events")), "the tree of the revision")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, "interrupted" in said) == (EXIT_INTERRUPTED, True)
    assert not list(tmp_path.glob("genoflow-replay-*"))
    assert len(git(checkout, "worktree", "list").splitlines()) == 1
    git(checkout, "reset", "--quiet", "--hard", "HEAD~1")


def test_what_was_found_stands_on_the_log_where_it_is_asked_for(
    settings: Settings, tmp_path: Path
) -> None:
    assert governance(settings) == []
    words = ("--with-profile", profile(tmp_path / "profile.json", 60.0), "--record", "--as", "mona")
    report = replayed(settings, *words, code=EXIT_DIFFERENT)
    started, *found, completed = governance(settings)
    assert isinstance(started, ReplayStarted)
    assert isinstance(completed, ReplayCompleted)
    assert (started.key, started.profile, started.profile_version) == (JUDGE, "wgs-30x", "2")
    assert started.envelope.actor.id == "mona"
    assert completed.differences == report["differences"]
    groups = {(group["kind"], group["what"]): group["subjects"] for group in report["groups"]}
    divergences = [one for one in found if isinstance(one, DivergenceFound)]
    assert {(one.kind, one.what): list(one.subjects) for one in divergences} == groups
    causes = {one.envelope.causation_id for one in (*found, completed)}
    assert causes == {started.envelope.event_id}
    assert replayed(settings)["differences"] == 0


async def read(settings: Settings, count: int) -> list[str]:
    """The ids of the next verdicts for a reader who keeps its place."""
    ids: list[str] = []
    async with (
        open_log(settings) as log,
        Subscription(log, name="reader", types=(QcPassed, QcFailed)) as mine,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        async for delivery in mine:
            ids.append(delivery.record.event_id)
            delivery.ack()
            if len(ids) == count:
                break
    return ids


def test_a_reader_is_put_back_to_a_time(settings: Settings) -> None:
    command = ("replay", "subscriber", "reader", "--from")
    assert "no reader of this name" in fails(settings, *command, "1h")
    first = asyncio.run(read(settings, len(SAMPLES)))
    assert "has read nothing" in succeeds(settings, *command, "2199-01-01T00:00:00Z")
    shown = succeeds(settings, *command, "1h")
    assert "gf.sample.v1[0]: stood at " in shown
    assert "would go on at 0" in shown
    assert "--apply" in shown
    assert "goes on at 0" in succeeds(settings, *command, "1h", "--apply")
    assert sorted(asyncio.run(read(settings, len(SAMPLES)))) == sorted(first)
    assert "is a processor" in fails(settings, "replay", "subscriber", JUDGE, "--from", "1h")


def test_a_reader_that_reads_stays_where_it_is(settings: Settings) -> None:
    async def tried() -> str:
        async with (
            open_log(settings) as log,
            Subscription[Event](log, name="busy", types=()) as mine,
        ):
            async with asyncio.timeout(PATIENCE_SECONDS):
                async for delivery in mine:
                    delivery.ack()
                    await mine.keep()
                    if mine.positions() and delivery.record.topic == topics.SAMPLE.name:
                        break
            return await asyncio.to_thread(
                fails, settings, "replay", "subscriber", "busy", "--from", "1h", "--apply"
            )

    assert "stop every program that reads under this name" in asyncio.run(tried())


def governance(settings: Settings) -> list[Event]:
    """What was done with the record, in order."""

    async def read() -> list[Event]:
        async with open_log(settings) as log:
            return [record.event async for record in log.read_topic(topics.GOVERNANCE.name)]

    return asyncio.run(read())


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("nobody",), "nobody: is no processor"),
        ((JUDGE, "--rev", "no-such"), "no-such: is no revision"),
        ((JUDGE, "--repository", "."), "--repository: says where --rev is"),
    ],
)
def test_what_cannot_be_replayed_is_refused(
    settings: Settings, words: tuple[str, ...], reason: str
) -> None:
    assert reason in fails(settings, "replay", "decide", *words)


def test_work_is_asked_for_again_by_one_line_and_only_once(
    stack: Addresses, postgres_url: str, suffix: str, tmp_path: Path
) -> None:
    found = settings_of(stack, suffix, tmp_path, postgres=postgres_url)
    succeeds(found, "topics", "apply")
    ids = [UUID(int=number) for number in range(1, 6)]
    for number, run_id in enumerate(ids):
        of: dict[str, Any] = {"run_id": run_id, "case_id": f"C{number}"}
        happens(
            found, request_for_run(**of, attempts_max=1),
            like(RunFailed, **of, attempt=1, will_retry=False, reason="no space left"),
        )  # fmt: skip
    words = ("replay", "reprocess", "run", "--where", "state = failed", "--reason", "mended")
    unfed = genoflow(found, *words)
    assert "0 chosen" in unfed.stdout
    assert "records behind the log" in unfed.stderr
    succeeds(found, "project", "--once")
    assert "5 would be asked about; nothing was appended" in succeeds(found, *words)
    part = json.loads(succeeds(found, *words, "--limit", "2", "--append", "--json"))
    assert (part["appended"], part["is_whole"]) == (2, False)
    at = ("--at-position", part["position"])
    done = succeeds(found, *words, *at, "--append", "--record", "--as", "mona")
    assert "3 were asked about" in done
    assert "was asked for again" in done
    assert "0 were asked about" in succeeds(found, *words, "--append")
    told = [said(found, RerunRequested, f"C{number}") for number in range(5)]
    assert [len(some) for some in told] == [1] * 5
    assert {some[0].reason for some in told} == {"mended"}
    began, over = governance(found)
    assert isinstance(began, ReplayStarted)
    assert isinstance(over, ReplayCompleted)
    assert (began.key, began.envelope.actor.id) == ("reprocess-run", "mona")
    assert (over.records, over.decisions) == (5, 3)
    complaint = fails(found, *words[:3], "--where", "boss = me", "--reason", "x")
    assert "is no column; there are advice, assay, attempt" in complaint
