"""A small file in one request: what is checked, what is stored, and what is told of it."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from genoflow.api import middleware
from genoflow.deploy.catalog_documents import parse_documents
from genoflow.events.sample_metadata_amended import SampleMetadataAmended
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.projections.sample_metadata import values_in
from tests.doors import refused
from tests.integration.uploading import Sender, over_s3, sending
from tests.sending import FakeUploads
from tests.servers import Bucket
from tests.spec import heard

READS = gzip.compress(b"@A:1:F:1:1:1:1 1:N:0:ACGT\nACGT\n+\nIIII\n" * 100)


async def form(
    sender: Sender, name: str = "S7_R1.fastq.gz", body: bytes = READS, key: str | None = None,
    **fields: str,
) -> httpx2.Response:  # fmt: skip
    """What a form is answered."""
    headers = sender.headers | ({"Idempotency-Key": key} if key else {})
    return await sender.door.client.post(
        "/v1/ingestion/upload", files={"file": (name, body)}, data={"sample_id": "S7"} | fields,
        headers=headers,
    )  # fmt: skip


async def test_a_file_in_a_form_lands(tables_url: str, s3_bucket: Bucket, tmp_path: Path) -> None:
    settings, store = over_s3(s3_bucket, tmp_path)
    async with sending(tables_url, store, settings) as sender:
        sha256 = hashlib.sha256(READS).hexdigest()
        about = {"subject_ref": "P-7", "sample_type": "blood", "sequencing_date": "2026-03-01"}
        answer = await form(
            sender, project_id="P1", checksum=sha256, metadata=json.dumps(about), key="one"
        )
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert (told["status"], told["validation_results"], told["role"]) == (
            "uploaded", None, "R1",
        )  # fmt: skip
        [landed] = await sender.landed()
        fact = landed.event
        assert told["event_id"] == str(fact.external_id()) == str(fact.envelope.event_id)
        assert told["file_path"] == f"s3://{fact.bucket}/{fact.object_key}"
        assert (fact.sample_id, fact.role, fact.declared_sha256) == ("S7", "R1", sha256)
        stored = s3_bucket.client.get_object(Bucket=fact.bucket, Key=fact.object_key)
        assert stored["Body"].read() == READS
        again = await form(sender, project_id="P1", checksum=sha256,
                           metadata=json.dumps(about), key="one")  # fmt: skip
        assert (again.json(), again.headers["Idempotency-Replayed"]) == (told, "true")
        await sender.follow()
        found = await sender.get(f"/upload/{told['upload_id']}")
        assert (found["status"], found["filename"]) == ("uploaded", "S7_R1.fastq.gz")
        sample = (await sender.door.client.get("/v1/samples/S7", headers=sender.headers)).json()
        assert (sample["subject_ref"], sample["project_id"], sample["specimen"]) == (
            "P-7", "P1", "blood",
        )  # fmt: skip


WRONG: tuple[tuple[dict[str, Any], int, str], ...] = (
    ({"name": "S7.docx"}, 422, "no format"),
    ({"body": b"@r1\nA\n+\nI\n"}, 422, "not compressed"),
    ({"name": "x.fastq", "body": b""}, 422, "is empty"),
    ({"checksum": "0" * 64}, 422, "checksum: is not that"),
    ({"checksum": "0" * 32}, 422, "checksum: is not that"),
    ({"checksum": "abc"}, 422, "neither an MD5"),
    ({"metadata": "{"}, 422, "no JSON"),
    ({"metadata": "[]"}, 422, "no object"),
    ({"metadata": '{"strange": 1}'}, 422, "strange"),
    ({"metadata": '{"role": "BAM"}'}, 422, "none of a file of FASTQ"),
    ({"sample_id": "MRN12345"}, 422, "identifier of a person"),
    ({"sample_id": "a b"}, 422, "sample_id"),
    ({"strange": "x"}, 422, "is no field"),
    ({"metadata": '{"instrument_run_id": "MRN12345"}'}, 422, "identifier of a person"),
)


async def test_what_is_wrong_with_a_form_is_told_and_nothing_is_kept(
    tables_url: str, tmp_path: Path, s3_bucket: Bucket
) -> None:
    settings, _ = over_s3(s3_bucket, tmp_path)
    store = FakeUploads()
    async with sending(tables_url, store, settings) as sender:
        for given, status, said in WRONG:
            assert said in refused(await form(sender, **given), status)["message"], given
        client, address = sender.door.client, "/v1/ingestion/upload"
        refused(await client.post(address, json={}, headers=sender.headers), 422)
        refused(await client.post(address, data={"sample_id": "S7"}, headers=sender.headers), 422)
        refused(await client.post(address, content=b"x", headers=sender.headers | {
            "Content-Type": "multipart/form-data; boundary=b"}), 400)  # fmt: skip
        assert (store.whole, await sender.landed()) == ({}, [])
        (await form(sender, key="k")).raise_for_status()
        other = gzip.compress(b"@r2\nA\n+\nI\n")
        await sender.follow()
        await sender.door.services.pool.execute("delete from identity.requests")
        refused(await form(sender, key="k", body=other), 422, "IDEMPOTENCY_KEY_REUSED")


SCHEMA = {
    "kind": "metadata-schema", "document_id": "cohort", "version": "1.0", "title": "Cohort",
    "projects": ["P-12"],
    "schema": {
        "type": "object", "required": ["tissue"], "additionalProperties": False,
        "properties": {"tissue": {"type": "string", "enum": ["blood"]}},
    },
}  # fmt: skip


async def said(sender: Sender) -> list[tuple[str, dict[str, Any], str | None]]:
    """What stands on the log of metadata."""
    facts = [one.event async for one in sender.log.read_topic("gf.sample.v1")]
    return [
        (one.sample_id, values_in(one), one.schema_version)
        for one in facts
        if isinstance(one, SampleMetadataAmended)
    ]


async def test_metadata_of_the_sample_come_with_its_file_or_neither_does(tables_url: str) -> None:
    store = FakeUploads()
    async with sending(tables_url, store) as sender:
        [schema] = parse_documents([("a", json.dumps(SCHEMA))], [], PrivacyGuard(()))
        await sender.log.append(heard(schema))
        about: dict[str, Any] = {"project_id": "P-12", "key": "one"}
        for wrong, fault in (
            ('{"colour": "red"}', "metadata.tissue: is missing; add it (schema cohort 1.0"),
            ('{"colour": "red"}', "metadata.colour: is not known"),
            ('{"tissue": ["blood"]}', "tissue"), ("[]", "is no object"), ("{", "is no JSON"),
        ):  # fmt: skip
            answer = await form(sender, **about, sample_metadata=wrong)
            assert fault in refused(answer, 422)["message"]
        both = json.dumps({"sample_metadata": {"tissue": "blood"}})
        twice = await form(sender, **about, sample_metadata='{"tissue": "blood"}', metadata=both)
        assert "is a field of metadata, too" in refused(twice, 422)["message"]
        begun = {"filename": "S8.bam", "size_bytes": 9, "sample_id": "S8", "sha256": "0" * 64,
                 "project_id": "P-12", "instrument_run_id": "RUN1"}  # fmt: skip
        bad = await sender.post("/uploads", begun | {"sample_metadata": {"tissue": "red"}})
        assert "metadata.tissue" in refused(bad, 422)["message"]
        assert (store.open, store.whole, await said(sender)) == ({}, {}, [])
        assert "S7" not in [one.key async for one in sender.log.read_topic("gf.sample.v1")]
        for _ in range(2):
            right = await form(sender, **about, sample_metadata='{"tissue": "blood"}')
            assert right.status_code == 201, right.text
            await sender.follow()
            await sender.door.services.pool.execute("delete from identity.requests")
        headers = {"Idempotency-Key": "two"}
        for _ in range(2):
            wish = begun | {"sample_metadata": {"tissue": "blood"}}
            assert (await sender.post("/uploads", wish, **headers)).status_code == 201
            await sender.door.services.pool.execute("delete from identity.requests")
        assert sorted(await said(sender)) == [
            ("S7", {"tissue": "blood"}, "1.0"), ("S8", {"tissue": "blood"}, "1.0"),
        ]  # fmt: skip
        [upload] = store.open.values()
        assert upload.belongs.instrument_run_id == "RUN1"  # so that its sheet is compared


async def test_a_form_may_be_longer_than_other_bodies_and_not_endless(
    tables_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sending(tables_url, FakeUploads()) as sender:
        long = b"@r1\nA\n+\nI\n" * 1_100_000
        assert len(long) > middleware.BODY_BYTES_MAX
        assert (await form(sender, "x.fastq", long)).status_code == 201
        monkeypatch.setattr(middleware, "FORM_BYTES_MAX", 1_000)
        refused(await form(sender, "x.fastq", long), 413)
