"""Bad input on real servers: each ends as an event with its reason, and `why` tells the way on."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import ensure_bucket, open_log, open_s3
from genoflow.events import topics
from genoflow.events.demultiplex_failed import DemultiplexFailed
from genoflow.events.file_landed import FileLanded
from tests import qc_facts
from tests.e2e.workers import facts, fails, happens, settings_of, succeeds, until, working
from tests.partition import MOMENT
from tests.reads import bgzf, fastq
from tests.sequencing import ATTACHED, COMPLETED, RUN, STARTED, mirrored

ROWS = (
    "request-demultiplex", "join-case", "checksum-files", "validate-files", "check-qc",
    "measure-reads", "judge-reads",
)  # fmt: skip
PROFILE = {
    "kind": "qc-profile", "document_id": "any", "version": "1", "title": "Some reads",
    "assays": ["wgs"], "run_thresholds": [], "results_thresholds": [], "top_ups_max": 2,
    "reads_thresholds": [{"metric": "mean_coverage", "unit": "x", "required_min": 0.000001}],
}  # fmt: skip


@pytest.fixture(scope="module")
def settings(stack: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A deployment with a worker for the rows from a file to a verdict on its reads."""
    home = tmp_path_factory.mktemp("bad")
    suffix = secrets.token_hex(4)
    found = settings_of(stack, suffix, home, raw_bucket=f"raw-{suffix}")
    client = open_s3(found)
    ensure_bucket(client, found.raw_bucket)
    client.close()
    succeeds(found, "topics", "apply")
    reference = {"kind": "reference", **qc_facts.reference().payload()}
    succeeds(found, "catalog", "publish", "-", said=json.dumps([PROFILE, reference]))
    with working(found, home / "worker.log", "--once", *ROWS):
        yield found


def of(settings: Settings, kind: str, sample: str, number: int = 1) -> list[dict[str, Any]]:
    """The events of a type about a sample, once there are so many."""

    def enough() -> list[dict[str, Any]]:
        found = [event.payload() for event in facts(settings, kind) if event.key == sample]
        return found if len(found) >= number else []

    return until(enough, f"{number} {kind} of {sample}")


@pytest.mark.long
def test_a_truncated_file_is_rejected_and_the_command_of_why_mends_it(
    settings: Settings, tmp_path: Path
) -> None:
    order = {
        "case_id": "CASE-B", "kind": "single", "assay": "wgs", "reference": "GRCh38",
        "members": [{"sample_id": "B", "role": "single", "subject_ref": "P2"}],
    }  # fmt: skip
    first, second, cut = (tmp_path / name for name in ("1.fq.gz", "2.fq.gz", "cut.fq.gz"))
    first.write_bytes(bgzf(fastq(500, mate=1)))
    second.write_bytes(bgzf(fastq(500, mate=2)))
    cut.write_bytes(second.read_bytes()[:-1_000])
    both = ("reads", "send", "B", "--r1", str(first), "--r2")
    assert "B: sample registered" in succeeds(settings, *both, str(cut))
    succeeds(settings, "case", "open", "-", said=json.dumps(order))
    [rejected] = of(settings, "FileRejected", "B")
    assert rejected["reason_code"] == "truncated"

    why = succeeds(settings, "sample", "why", "B")
    [command] = re.findall(r"`genoflow (reads send B --r2 FILE --read-set \S+)`", why)
    assert "was rejected: truncated" in why
    again = succeeds(settings, *both, str(cut))
    assert again.count("stands on the log already, unchanged") == 2
    words = shlex.split(command.replace("FILE", str(second)))
    assert "in place of" in succeeds(settings, *words)
    assert {one["role"] for one in of(settings, "Validated", "B", 2)} == {"R1", "R2"}
    of(settings, "QcPassed", "B")
    assert "unchanged: it is valid" in succeeds(settings, *words)
    landed = facts(settings, "FileLanded")
    assert [event.payload()["role"] for event in landed if event.key == "B"] == ["R1", "R2", "R2"]


def test_what_cannot_be_sent_is_refused_by_place_fact_and_way_out(
    settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "1.fq.gz"
    file.write_bytes(bgzf(fastq(5)))
    send = ("reads", "send")
    named = fails(settings, *send, "MRN-1234567", "--r1", str(file))
    assert "identifier of a person; use an opaque reference" in named
    assert "1234567" not in named
    assert "Identifier" not in (odd := fails(settings, *send, "a b", "--r1", str(file))), odd
    assert "has no read set RS9" in fails(
        settings, *send, "Z", "--r1", str(file), "--read-set", "RS9"
    )
    known = {event.key for event in facts(settings, "SampleRegistered")}
    assert known.isdisjoint({"MRN-1234567", "a b", "Z"})


def test_orders_that_a_system_leaves_are_placed_or_refused_with_their_reasons(
    settings: Settings, tmp_path: Path
) -> None:
    order = {
        "case_id": "CASE-L", "kind": "single", "assay": "wgs", "reference": "GRCh38",
        "members": [{"sample_id": "L", "role": "single", "subject_ref": "P9"}],
    }  # fmt: skip
    (tmp_path / "good.json").write_text(json.dumps(order))
    (tmp_path / "bad.json").write_text(json.dumps(order | {"kind": "trio"}))
    watch = ("case", "watch", str(tmp_path), "--once", "--every", "0.1")
    assert "CASE-L opened" in succeeds(settings, *watch)
    reason = (tmp_path / "refused" / "bad.json.reason.txt").read_text()
    assert "a trio case needs a proband and has none; add the sample in that role" in reason
    (tmp_path / "done" / "good.json").rename(tmp_path / "good.json")  # as if it had ended before
    assert "stands on the log already" in succeeds(settings, *watch)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["done", "refused"]
    of(settings, "CaseJoined", "L")
    why = succeeds(settings, "sample", "why", "L")
    assert "L waits for its reads: no read set is registered for it" in why


def test_a_file_of_nobody_waits_until_a_person_says_whose_it_is(
    settings: Settings, tmp_path: Path
) -> None:
    first, second = tmp_path / "1.fq.gz", tmp_path / "2.fq.gz"
    first.write_bytes(bgzf(fastq(50, seed=3, mate=1)))
    second.write_bytes(bgzf(fastq(50, seed=3, mate=2)))
    cut = tmp_path / "cut.fq.gz"
    cut.write_bytes(second.read_bytes()[:-100])
    succeeds(settings, "reads", "send", "N", "--r1", str(first), "--r2", str(cut))
    of(settings, "FileRejected", "N")
    client = open_s3(settings)
    put = client.put_object(Bucket=settings.raw_bucket, Key="lost/2", Body=second.read_bytes())
    client.close()
    file = FileLanded(
        bucket=settings.raw_bucket, object_key="lost/2", version_id=put.get("VersionId", "null"),
        size_bytes=second.stat().st_size, etag=put["ETag"].strip('"'), last_modified_at=MOMENT,
    )  # fmt: skip
    happens(settings, file)
    place = f"{settings.raw_bucket}/lost/2"
    assert "unassigned" in succeeds(settings, "file", "list")
    why = succeeds(settings, "file", "why", place)
    [command] = re.findall(r"`genoflow (file assign [^`]+)`", why)
    [read_set] = of(settings, "ReadSetRegistered", "N")
    given = {"SAMPLE": "N", "ID": str(read_set["read_set_id"]), "ROLE": "R2", "WHY": "by its label"}
    words = [given.get(word, word) for word in shlex.split(command)]
    assert "landed as R2" in succeeds(settings, *words)
    assert {one["role"] for one in of(settings, "Validated", "N", 2)} == {"R1", "R2"}
    assert "already" in succeeds(settings, *words)
    assert "belongs to N: by its label" in succeeds(settings, "file", "why", place)


# As long as each other, and good reads both of them.
TWO = [fastq(30, seed=seed) for seed in (1, 2)]


def registered(settings: Settings, sample: str, lab: Path) -> str:
    """A sample whose read set was sent; its name."""
    file = lab / "whole.fq.gz"
    file.write_bytes(bgzf(fastq(20, seed=len(sample))))
    succeeds(settings, "reads", "send", sample, "--r1", str(file))
    [read_set] = of(settings, "ReadSetRegistered", sample)
    return str(read_set["read_set_id"])


@pytest.mark.parametrize(
    ("sample", "taken_by", "fact"),
    [
        ("VANISHED", None, "there is no such object"),
        ("TAKEN", bgzf(fastq(20)), "another object has taken its place"),
        ("TWIN", TWO[1], "another object has taken its place"),
    ],
    ids=["gone", "another length", "the same length"],
)
def test_a_file_that_disappears_or_is_replaced_is_rejected(
    settings: Settings, tmp_path: Path, sample: str, taken_by: bytes | None, fact: str
) -> None:
    """The bucket keeps no versions, so what landed can be taken away before it is read."""
    read_set = registered(settings, sample, tmp_path)
    place, body = {"Bucket": settings.raw_bucket, "Key": f"{sample}/1"}, TWO[0]
    client = open_s3(settings)
    put = client.put_object(**place, Body=body)
    client.delete_object(**place)
    if taken_by is not None:
        client.put_object(**place, Body=taken_by)
    client.close()
    file = FileLanded(
        bucket=place["Bucket"], object_key=place["Key"], version_id="null", size_bytes=len(body),
        etag=put["ETag"].strip('"'), last_modified_at=MOMENT, sample_id=sample,
        read_set_id=read_set, role="R1",
    )  # fmt: skip
    happens(settings, file)
    [rejected] = of(settings, "FileRejected", sample)
    assert rejected["reason_code"] == "gone"
    assert fact in rejected["reason"]
    why = succeeds(settings, "sample", "why", sample)
    assert "was rejected: gone" in why
    assert f"`genoflow reads send {sample} --r1 FILE --read-set {read_set}`" in why


def test_a_demultiplexing_that_failed_is_tried_again_by_the_command_of_why(
    settings: Settings,
) -> None:
    def attempts() -> list[int]:
        async def read() -> list[int]:
            async with open_log(settings) as log:
                records = log.read_topic(topics.SEQUENCING_RUN.name)
                asked = "DemultiplexRequested"
                return [r.event.payload()["attempt"] async for r in records if r.type == asked]

        return asyncio.run(read())

    happens(settings, STARTED, ATTACHED, COMPLETED, mirrored())
    until(lambda: attempts() == [1], "the first attempt")
    assert "is being demultiplexed" in succeeds(settings, "run", "why", RUN)
    assert "wait for its end" in fails(
        settings, "demultiplex", "again", RUN, "--reason", "impatience"
    )
    failed = DemultiplexFailed(
        instrument_run_id=RUN, attempt=1, sheet_revision=1, tool="picard",
        reason_code="out of memory", reason="it had too little memory; give it more",
    )  # fmt: skip
    happens(settings, failed)
    why = succeeds(settings, "run", "why", RUN)
    assert "could not be demultiplexed in attempt 1: out of memory" in why
    [command] = re.findall(r"`genoflow (demultiplex again [^`]+)`", why)
    words = shlex.split(command.replace("WHY", "'more memory'"))
    assert "attempt 2 is asked for" in succeeds(settings, *words)
    until(lambda: attempts() == [1, 2], "the second attempt")


def test_a_sample_whose_case_was_cancelled_waits_for_nothing(settings: Settings) -> None:
    order = {
        "case_id": "CASE-X", "kind": "single", "assay": "wgs", "reference": "GRCh38",
        "members": [{"sample_id": "X", "role": "single", "subject_ref": "P8"}],
    }  # fmt: skip
    succeeds(settings, "case", "open", "-", said=json.dumps(order))
    of(settings, "CaseJoined", "X")
    succeeds(settings, "case", "cancel", "CASE-X", "--reason", "ordered twice")
    of(settings, "CaseLeft", "X")
    why = succeeds(settings, "sample", "why", "X")
    assert "X is no member of case CASE-X any more, which was cancelled (ordered twice)" in why
    assert "waits" not in why
