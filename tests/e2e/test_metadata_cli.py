"""Metadata of samples at the command line: with an order, with files, and as they are said now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import ensure_bucket, open_s3
from genoflow.events.case_opened import CaseOpened
from genoflow.events.file_landed import FileLanded
from genoflow.events.sample_metadata_amended import SampleMetadataAmended
from genoflow.events.sample_unlisted import SampleUnlisted
from tests.asked import like
from tests.e2e.workers import fails, happens, said, settings_of, succeeds
from tests.spec import heard

SCHEMA = {
    "kind": "metadata-schema", "document_id": "cohort", "version": "1.0", "title": "Cohort",
    "projects": ["P-12"],
    "schema": {
        "type": "object", "required": ["tissue"], "additionalProperties": False,
        "properties": {"tissue": {"type": "string"}, "age": {"type": "integer"}},
    },
}  # fmt: skip


@pytest.fixture
def settings(stack: Addresses, suffix: str, tmp_path: Path) -> Settings:
    """A deployment of this test's own, whose project P-12 has a schema."""
    found = settings_of(stack, suffix, tmp_path / "home", raw_bucket=f"raw-{suffix}")
    client = open_s3(found)
    ensure_bucket(client, found.raw_bucket)
    client.close()
    succeeds(found, "topics", "apply")
    succeeds(found, "catalog", "publish", "-", said=json.dumps(SCHEMA))
    return found


def order(**metadata: Any) -> str:
    member = {"sample_id": "S7", "role": "single", "subject_ref": "P1", "metadata": metadata}
    return json.dumps(
        {
            "case_id": "C1", "kind": "single", "assay": "panel", "reference": "GRCh38",
            "project_id": "P-12", "members": [member],
        }
    )  # fmt: skip


@pytest.mark.long
def test_metadata_come_with_orders_and_files_and_are_shown(
    settings: Settings, tmp_path: Path
) -> None:
    refused = fails(settings, "case", "open", "-", said=order(colour="red"))
    assert "members.0.metadata.tissue: is missing" in refused
    assert "members.0.metadata.colour: is not known" in refused
    assert said(settings, CaseOpened, "C1") == []
    nothing = fails(settings, "sample", "metadata", "S7")
    assert "nothing on the log is about it" in nothing
    for _ in range(2):
        succeeds(settings, "case", "open", "-", said=order(tissue="blood", age=41))
    [fact] = said(settings, SampleMetadataAmended, "S7")
    assert (fact.schema_id, fact.project_id, fact.request_id != "") == ("cohort", "P-12", True)
    printed = succeeds(settings, "sample", "metadata", "S7")
    assert json.loads(printed) == {"tissue": "blood", "age": 41}
    again = tmp_path / "again.json"
    again.write_text(printed)
    assert "reason" in fails(settings, "sample", "metadata", "S7", str(again), code=2)
    reads, said_now = tmp_path / "R1.fastq", tmp_path / "said.json"
    reads.write_text("@r1\nACGT\n+\nIIII\n")
    said_now.write_text('{"colour": "red"}')
    send = ("reads", "send", "S8", "--r1", str(reads), "--run", "RUN1", "--metadata", str(said_now))
    assert "S8: its metadata would be said" in succeeds(settings, *send, "--dry-run")
    for _ in range(2):
        succeeds(settings, *send)
    [landed] = said(settings, FileLanded, "S8")
    assert landed.instrument_run_id == "RUN1"
    assert len(said(settings, SampleMetadataAmended, "S8")) == 1
    shown = json.loads(succeeds(settings, "sample", "show", "S8", "--json"))
    assert shown["metadata"]["values"] == {"colour": "red"}
    wrong = (*send[:5], "--run", "no run", "--new")
    assert "instrument_run_id" in fails(settings, *wrong)
    assert succeeds(settings, "sample", "list", "--unlisted") == (
        "there is no unlisted sample on the log yet\n"
    )
    happens(settings, heard(like(SampleUnlisted, sample_id="S8", instrument_run_id="RUN1")))
    assert "S8 " in succeeds(settings, "sample", "list", "--unlisted")
