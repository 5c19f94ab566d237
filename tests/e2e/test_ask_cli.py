"""Orders and questions through the console script, with a worker that hands the orders on."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from tests.e2e.workers import GENOFLOW, PARTITIONS, fails, succeeds
from tests.servers import cli_environment

WAIT_SECONDS_MAX = 60


@pytest.fixture
def settings(stack: Addresses, postgres_url: str, suffix: str, tmp_path: Path) -> Settings:
    """A deployment of this test's own, with its topics."""
    found = Settings(
        home=tmp_path / "home", kafka=stack.kafka, postgres=postgres_url, partitions=PARTITIONS,
        topic_prefix=f"t{suffix}.",
    )  # fmt: skip
    succeeds(found, "topics", "apply")
    return found


@pytest.fixture
def worker(settings: Settings) -> Iterator[None]:
    """A worker that hands orders on, ended with the test."""
    process = subprocess.Popen(
        [GENOFLOW, "work", "--once", "join-case"], env=cli_environment(settings),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def event(kind: str, **payload: Any) -> str:
    at = "2026-03-01T10:00:00Z"
    actor = {"kind": "person", "id": "a.b"}
    return json.dumps({"type": kind, "occurred_at": at, "actor": actor, "payload": payload}) + "\n"


FILES = (
    event("SampleRegistered", sample_id="S7", registered_by="sample sheet"),
    event(
        "ReadSetRegistered", sample_id="S7", read_set_id="L1.FC.1", material="FASTQ",
        read_sets_of_sample=1, expected_files=[{"role": "R1"}, {"role": "R2"}],
    ),
    event(
        "FileLanded", sample_id="S7", read_set_id="L1.FC.1", role="R1", bucket="raw",
        object_key="S7/r1.fastq.gz", version_id="1", size_bytes=1_234, etag="e",
        last_modified_at="2026-03-01T10:00:00Z",
    ),
)  # fmt: skip
ORDER = {
    "case_id": "C7", "kind": "single", "assay": "panel", "reference": "GRCh38",
    "members": [{"sample_id": "S7", "role": "single", "subject_ref": "P7"}],
}  # fmt: skip
TABLE = (
    "case_id,kind,assay,reference,sample_id,role,subject_ref\n"
    "C8,tumour-normal,panel,GRCh38,D,tumour,P8\nC8,,,,E,normal,P8\n"
)


def test_a_sample_waits_for_its_order_and_then_for_its_files(
    settings: Settings, worker: None
) -> None:
    succeeds(settings, "events", "append", "-", said="".join(FILES))
    waiting = succeeds(settings, "sample", "why", "S7")
    assert "S7 waits for an order: no case names it" in waiting
    assert "place one with `genoflow case open`" in waiting
    assert succeeds(settings, "case", "open", "-", said=json.dumps(ORDER)) == (
        "C7: opened (single, 1 member)\n"
    )
    assert "unchanged" in succeeds(settings, "case", "open", "-", said=json.dumps(ORDER))
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while "waits for an order" in (text := succeeds(settings, "sample", "why", "S7")):
        assert time.monotonic() < deadline, text
    assert "S7 waits for 1 of 2 files of read set L1.FC.1: R2" in text
    assert "C7 waits for S7 (single), which waits for 1 of 2 files" in succeeds(
        settings, "case", "why", "C7"
    )
    shown = json.loads(succeeds(settings, "sample", "show", "S7", "--json"))
    assert [one["case"] for one in shown["cases"]] == ["C7"]
    assert shown["files"][0]["size_bytes"] == 1_234
    assert "size bytes 1,234" in succeeds(settings, "sample", "show", "S7")
    for kind, name, types in (
        ("sample", "S7", {"SampleRegistered", "CaseJoined", "FileLanded"}),
        ("case", "C7", {"CaseOpened"}),
        ("file", "S7/r1.fastq.gz", {"FileLanded"}),
    ):
        happened = succeeds(settings, kind, "timeline", name, "--json").splitlines()
        found = {json.loads(line)["type"] for line in happened}
        assert found == types if kind == "file" else types <= found


def test_orders_are_checked_before_any_is_placed(settings: Settings, tmp_path: Path) -> None:
    table, wrong = tmp_path / "good.csv", tmp_path / "wrong.csv"
    table.write_text(TABLE)
    wrong.write_text(TABLE.replace("normal,P8", "normal,P9").replace("panel", ""))
    said = fails(settings, "case", "open", str(table), str(wrong))
    assert "wrong.csv: line 3, subject_ref: is another subject" in said
    assert "wrong.csv: assay: is missing; add it" in said
    assert "there is no case on the log yet" in succeeds(settings, "case", "list")
    assert "C8: would be opened (tumour-normal, 2 members)" in succeeds(
        settings, "case", "open", "--dry-run", str(table)
    )
    succeeds(settings, "case", "open", "--as", "a.b", str(table))
    other = {**ORDER, "case_id": "C8"}
    assert "C8: kind: is tumour-normal on the log and single here" in fails(
        settings, "case", "open", "-", said=json.dumps(other)
    )
    (tmp_path / "latin.csv").write_bytes(TABLE.encode().replace(b"panel", b"p\xe4nel"))
    assert "is not UTF-8" in fails(settings, "case", "open", str(tmp_path / "latin.csv"))


def test_a_case_is_cancelled_and_listed_so(settings: Settings) -> None:
    succeeds(settings, "case", "open", "-", said=json.dumps(ORDER))
    assert "for an identifier of a person" in fails(
        settings, "case", "cancel", "C7", "--reason", "MRN-0012345"
    )
    assert "no case has this id" in fails(settings, "case", "cancel", "C9", "--reason", "x")
    fails(settings, "case", "cancel", "C7", code=2)
    cancel = ("case", "cancel", "C7", "--reason", "ordered twice")
    assert succeeds(settings, *cancel, "--dry-run") == "C7: would be closed, cancelled\n"
    assert succeeds(settings, *cancel) == "C7: closed, cancelled\n"
    assert succeeds(settings, *cancel) == "C7: was closed so before\n"
    assert "was closed already, cancelled (ordered twice)" in fails(
        settings, *cancel[:-1], "another reason", "--withdrawn"
    )
    [row] = succeeds(settings, "case", "list").splitlines()
    assert row.split() == ["C7", "cancelled", "CaseClosed", "just", "now"]
    [found] = succeeds(settings, "case", "list", "--json").splitlines()
    assert json.loads(found)["state"] == "cancelled"
    assert "C7 is closed, cancelled (ordered twice)" in succeeds(settings, "case", "why", "C7")


@pytest.mark.parametrize("kind", ["sample", "case", "run", "file"])
def test_an_empty_log_is_said_and_a_wrong_name_is_told(settings: Settings, kind: str) -> None:
    assert succeeds(settings, kind, "list") == f"there is no {kind} on the log yet\n"
    for question in ("show", "why"):
        assert f"`genoflow {kind} list` shows those" in fails(settings, kind, question, "X")
