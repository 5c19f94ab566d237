"""From collected results to an answer, on real servers, with a person's decisions."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from uuid import UUID

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.events.case_ready import CaseReady
from genoflow.events.event import E, Event
from genoflow.events.measured import Measured
from genoflow.events.results_amended import ResultsAmended
from genoflow.events.results_held import ResultsHeld
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_superseded import RunSuperseded
from genoflow.events.threshold import Threshold
from genoflow.processors.running.names import run_id_of
from tests.e2e.workers import fails, happens, number_of, settings_of, succeeds, working
from tests.partition import MOMENT
from tests.run_facts import CASE, collected, member, ready, requested, result
from tests.spec import heard

ROWS = ("check-results", "publish-results", "answer-case", "supersede-runs")
COVERAGE = Threshold(metric="mean_coverage", unit="x", required_min=20.0)
WORDS = ("--role", "director", "--by", "a.b", "--reason")


@pytest.fixture(scope="module")
def settings(stack: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A deployment with a worker for the rows of results."""
    home = tmp_path_factory.mktemp("results")
    found = settings_of(stack, secrets.token_hex(4), home)
    succeeds(found, "topics", "apply")
    with working(found, home / "worker.log", "--once", *ROWS):
        yield found


def comes(settings: Settings, kind: type[E], run_id: UUID) -> E:
    """The one fact of this type about a run, once it is there."""
    [found] = number_of(settings, kind, str(run_id), 1)
    return found


def run_of(revision: int, coverage: float, sha256: str) -> tuple[UUID, list[Event]]:
    """A revision of the case, its run, and what that left."""
    declared: CaseReady = heard(ready(revision), MOMENT.replace(minute=revision))
    run_id = run_id_of(declared.envelope.event_id)
    one = member().model_copy(update={"round": revision})
    before = run_id_of(heard(ready(1), MOMENT.replace(minute=1)).envelope.event_id)
    asked = requested(
        run_id=run_id, case_revision=revision, members=(one,), thresholds=(COVERAGE,),
        supersedes_run_id=before if revision > 1 else None,
    )  # fmt: skip
    measured = Measured(
        metric="mean_coverage", value=coverage, unit="x", measured_on="S1", verdict="not judged"
    )
    left = collected(measured, run_id=run_id, files=(result(sha256=sha256),))
    return run_id, [declared, asked, left]


def test_results_are_held_released_amended_and_withdrawn(settings: Settings) -> None:
    """The first run is held and released; a top-up takes its place; that one is withdrawn."""
    first, facts = run_of(1, 11.0, "4" * 64)
    happens(settings, *facts)
    held = comes(settings, ResultsHeld, first)
    assert "mean_coverage of S1 is 11 x and has to be at least 20 x" in held.reasons[0]
    why = succeeds(settings, "run", "why", str(first))
    assert f"`genoflow results release {first} --role ROLE --reason TEXT`" in why
    words = ("results", "release", str(first), *WORDS, "a small panel")
    assert "nothing was appended" in succeeds(settings, *words, "--dry-run")
    assert succeeds(settings, *words).startswith(f"ResultsPublished {first}: 1 file; a small")
    released = comes(settings, ResultsPublished, first)
    assert (released.held_event_id, released.envelope.actor.id) == (held.envelope.event_id, "a.b")
    assert "are published already" in fails(settings, *words)

    later, facts = run_of(2, 43.0, "6" * 64)
    happens(settings, *facts)
    assert comes(settings, ResultsPublished, later).supersedes_run_id == first
    gone = comes(settings, RunSuperseded, first)
    assert (gone.reason_code, gone.superseded_by_run_id) == ("top-up", later)
    amended = comes(settings, ResultsAmended, later)
    assert [(one.what, one.after) for one in amended.changes] == [
        ("vcf", f"sha256 {'6' * 64}"), ("mean_coverage", "43 x"),
    ]  # fmt: skip
    shown = json.loads(succeeds(settings, "results", "show", CASE, "--json"))
    assert (shown["run"], shown["state"]) == (str(later), "amended")
    assert [one["sha256"] for one in shown["files"]] == ["6" * 64]
    assert "does not count any more" in fails(settings, "results", "withdraw", str(first), *WORDS,
                                              "a swap", "--reason-code", "wrong")  # fmt: skip

    wrong = ("results", "withdraw", str(later), "--reason-code", "wrong", *WORDS, "a swap")
    assert succeeds(settings, *wrong).startswith(f"ResultsRetracted {later}: 1 file; a swap")
    assert comes(settings, ResultsRetracted, later).changes[0].after == ""
    assert "were retracted already" in fails(settings, *wrong)
    text = succeeds(settings, "results", "show", str(later))
    assert "retracted: wrong: a swap" in text
    assert "nothing on the log is about it" in fails(
        settings, "results", "release", "x", *WORDS, "y"
    )
