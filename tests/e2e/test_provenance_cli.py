"""Provenance of results that were really worked out: read again, and contradicted by one file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from genoflow.deploy.addresses import Addresses
from tests.e2e.runs import ROWS, Lab, opened, published
from tests.e2e.workers import fails, succeeds, until, working
from tools.provenance_schema import PATH

PUBLISHING = ("check-results", "publish-results", "answer-case")


@pytest.fixture
def lab(stack: Addresses, suffix: str, tmp_path: Path) -> Iterator[Lab]:
    """A deployment of this test's own."""
    with opened(stack, suffix, tmp_path) as lab:
        yield lab


def told(lab: Lab, name: str) -> dict[str, Any]:
    """The document, as programs get it."""
    found: dict[str, Any] = json.loads(
        succeeds(lab.settings, "result", "provenance", name, "--json")
    )
    return found


@pytest.mark.long
@pytest.mark.timeout(480)  # one run of Nextflow: 30 s on two idle cores
def test_a_run_is_traced_to_its_files_and_a_file_that_is_gone_is_found(
    lab: Lab, tmp_path: Path
) -> None:
    published(lab)
    lab.ready("CASE-A", "single", A="single")
    with working(lab.settings, tmp_path / "worker.log", "--once", *ROWS, *PUBLISHING):
        for kind in ("RunStarted", "RunSucceeded", "ResultsPublished"):
            until(partial(lab.said, kind, "CASE-A"), kind)
    [asked], [left] = lab.said("RunRequested", "CASE-A"), lab.said("ResultsPublished", "CASE-A")
    found = told(lab, "CASE-A")
    jsonschema.validate(found, json.loads(PATH.read_text(encoding="utf-8")))
    assert found["run"]["run_id"] == str(asked.run_id)
    assert found["run"]["published_event_id"] == str(left.envelope.event_id)
    assert {one["sha256"] for one in found["outputs"]["files"]} == {o.sha256 for o in left.files}
    assert {file["sha256"] for one in found["inputs"] for file in one["files"]} == {
        file.sha256 for file in asked.members[0].files
    }
    assert found["pipeline"]["code_sha256"] == asked.pipeline_sha256
    [attempt] = found["attempts"]
    assert (attempt["engine"], attempt["exit_code"], attempt["ended"]) == (
        "nextflow",
        0,
        "succeeded",
    )
    assert {one["process"] for one in found["tasks"]} >= {"ALIGN", "CALL", "REPORT"}
    assert {one["ended"] for one in found["tasks"]} == {"completed"}
    assert all(found[name]["published_event_id"] for name in ("pipeline", "reference", "profile"))
    assert found["causes_elsewhere"] == []
    assert told(lab, str(asked.run_id)) == found

    sound = json.loads(succeeds(lab.settings, "results", "provenance", "CASE-A", "--verify",
                                "--json"))  # fmt: skip
    assert (sound["differs"], sound["not_in_the_store"]) == ([], [])
    assert sound["files"] == len(asked.members[0].files) + len(left.files) + 2
    gone = left.files[0]
    lab.client.delete_object(Bucket=gone.bucket, Key=gone.object_key, VersionId=gone.version_id)
    lines = succeeds(lab.settings, "results", "provenance", gone.sha256, "--verify", code=1)
    assert f"output {gone.kind}" in lines
    assert "1 differ" in lines
    assert "no file of results" in fails(lab.settings, "results", "provenance", "CASE-Z")
    assert "decisions" in succeeds(lab.settings, "results", "provenance", "CASE-A")
