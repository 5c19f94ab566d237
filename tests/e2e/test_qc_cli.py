"""From files that are whole to a case that is ready, on real servers, with a person's decisions."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.events.case_member import CaseMember
from genoflow.events.case_opened import CaseOpened
from genoflow.events.case_ready import CaseReady
from genoflow.events.event import Event
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_passed import QcPassed
from genoflow.events.top_up_requested import TopUpRequested
from tests import qc_facts
from tests.e2e.workers import genoflow, happens, number_of, settings_of, succeeds, until, working

ROWS = (
    "check-run-qc", "tell-samples", "check-qc", "measure-reads", "judge-reads", "tell-case",
    "await-members",
)  # fmt: skip
PROFILE = {
    "kind": "qc-profile", "document_id": "wgs-30x", "version": "1", "title": "Whole genome",
    "assays": ["wgs"], "run_thresholds": [], "results_thresholds": [], "top_ups_max": 2,
    "reads_thresholds": [{"metric": "mean_coverage", "unit": "x", "required_min": 45}],
}  # fmt: skip


@pytest.fixture(scope="module")
def settings(stack: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A deployment with a worker for the rows of quality control."""
    home = tmp_path_factory.mktemp("qc")
    found = settings_of(stack, secrets.token_hex(4), home)
    succeeds(found, "topics", "apply")
    with working(found, home / "worker.log", "--once", *ROWS):
        yield found


def published(settings: Settings, *documents: dict[str, Any]) -> str:
    """What `catalog publish` prints of these documents."""
    return succeeds(settings, "catalog", "publish", "-", said=json.dumps(list(documents)))


def of(sample_id: str, *events: Event) -> list[Event]:
    """The same facts of another sample."""
    return [type(event)(**dict(event) | {"sample_id": sample_id}) for event in events]


def opened(case_id: str, sample_id: str) -> CaseOpened:
    """An order for one sample."""
    member = CaseMember(sample_id=sample_id, role="single", subject_ref="P1")
    return CaseOpened(
        case_id=case_id, kind="single", members=(member,), assay="wgs", reference="GRCh38",
        source="tests",
    )  # fmt: skip


def test_a_case_becomes_ready_after_what_was_missing_was_published(settings: Settings) -> None:
    """The order names a reference that nobody has published: it waits, and says for what."""
    whole = of("T1", qc_facts.registered(instrument_run_id=qc_facts.RUN), *qc_facts.both())
    [order] = of("T1", qc_facts.joined("CASE-1"))
    happens(settings, opened("CASE-1", "T1"), order, *whole)
    library = qc_facts.demultiplexed().libraries[0].model_copy(update={"sample_id": "T1"})
    happens(settings, qc_facts.demultiplexed(libraries=(library,)))

    def why() -> str:
        rows = json.loads(succeeds(settings, "parked", "list", "--json"))["parked"]
        return next((row["error"] for row in rows if row["subject"] == "T1"), "")

    assert "no QC profile is published for its assay 'wgs'" in until(why, "the sample waits")
    reference = {"kind": "reference", **qc_facts.reference().payload()}
    lines = published(settings, PROFILE, reference).splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "wgs-30x 1 published", "GRCh38 1 published",
    ]  # fmt: skip
    until(lambda: "published already" in published(settings, PROFILE), "readers see it")
    done = genoflow(
        settings, "catalog", "publish", "-", said=json.dumps({**PROFILE, "title": "Other"})
    )
    assert (done.returncode, "give it a new one" in done.stderr) == (1, True)
    listed = succeeds(settings, "catalog", "list")
    assert ["qc-profile", "wgs-30x"] in [line.split()[:2] for line in listed.splitlines()]
    shown = json.loads(succeeds(settings, "catalog", "show", "wgs-30x"))
    assert (shown["version"], shown["kind"]) == ("1", "qc-profile")

    succeeds(settings, "parked", "requeue", "--all")
    [failed] = number_of(settings, QcFailed, "T1", 1)
    assert (failed.round, failed.reads_missing) == (1, 100)
    asked = succeeds(settings, "qc", "top-up", "T1", "--reason", "a short run", "--as", "a.b")
    assert asked.startswith("TopUpRequested T1: round 2; reads wanted 100; reason a short run (")
    [wish] = number_of(settings, TopUpRequested, "T1", 1)
    assert (wish.envelope.actor.id, wish.failed_event_id) == ("a.b", failed.envelope.event_id)

    happens(settings, *of("T1", qc_facts.registered("B"), *qc_facts.both("B")))
    [passed] = number_of(settings, QcPassed, "T1", 1)
    assert (passed.round, passed.read_set_ids) == (2, ("A", "B"))
    [ready] = number_of(settings, CaseReady, "CASE-1", 1)
    assert [(file.read_set_id, file.role) for file in ready.members[0].files] == [
        ("A", "R1"), ("A", "R2"), ("B", "R1"), ("B", "R2"),
    ]  # fmt: skip
    refused = genoflow(settings, "qc", "override", "T1", "--reason", "no")
    assert (refused.returncode, "nothing holds it back" in refused.stderr) == (1, True)


@pytest.mark.long
def test_a_person_lets_a_sample_go_on_once(settings: Settings) -> None:
    """An override is one decision, however often the command is repeated."""
    documents = [PROFILE, {"kind": "reference", **qc_facts.reference().payload()}]
    published(settings, *documents)
    order = of("T2", qc_facts.joined("CASE-2"))
    whole = of("T2", qc_facts.registered("C"), *qc_facts.both("C"))
    happens(settings, opened("CASE-2", "T2"), *order, *whole)
    number_of(settings, QcFailed, "T2", 1)
    words = ("qc", "override", "T2", "--reason", "enough for this question", "--role", "director")
    tried = succeeds(settings, *words, "--dry-run")
    assert "failed metrics mean_coverage" in tried
    assert "nothing was appended" in tried
    assert succeeds(settings, *words).startswith("QcOverridden T2: round 1")
    [ready] = number_of(settings, CaseReady, "CASE-2", 1)
    assert ready.members[0].round == 1
    again = genoflow(settings, *words)
    assert (again.returncode, "is overridden already" in again.stderr) == (1, True)
