"""validate-files on real Kafka and a real object store, its bytes read in a child process."""

from __future__ import annotations

import gzip
import hashlib
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from genoflow.events import topics
from genoflow.events.case_joined import CaseJoined
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_rejected import FileRejected
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.validated import Validated
from genoflow.processors.adapters.children import ChildPool
from genoflow.processors.adapters.s3 import S3Store
from genoflow.processors.intake.landing import landed
from genoflow.processors.validate_files import VALIDATE_FILES
from tests.alignments import bam, contigs, cram, vcf
from tests.reads import bgzf, fastq
from tests.servers import Bucket
from tests.spec import heard
from tests.workers import Lab, until

PARTITIONS = topics.PARTITIONS_EMBEDDED
FLOW = "genoflow.processors.flow:FLOW"


@pytest.fixture
async def real(
    kafka_address: str,
    suffix: str,
    s3_bucket: Bucket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    no_ends: None,
) -> AsyncIterator[Lab]:
    """A log on the broker, and children that read the bucket of this test."""
    at = s3_bucket.addresses
    for name, value in {
        "S3": at.s3, "S3_ACCESS_KEY": at.s3_access_key, "S3_SECRET_KEY": at.s3_secret_key,
        "S3_REGION": at.s3_region, "HOME": str(tmp_path),
    }.items():  # fmt: skip
        monkeypatch.setenv(f"GENOFLOW_{name}", value)
    children = ChildPool((sys.executable, "-m", "genoflow.deploy.child", FLOW))
    async with KafkaLog(kafka_address, prefix=f"v{suffix}.", partitions=PARTITIONS) as log:
        async with TopicAdmin(log, partitions=PARTITIONS) as admin:
            await admin.apply(topics.declared([VALIDATE_FILES.changelog]))
        yield Lab(log, children=children)
        await children.close()


async def test_files_are_read_where_they_are_and_judged_once(real: Lab, s3_bucket: Bucket) -> None:
    store, whole = S3Store(s3_bucket.client), bgzf(fastq(2_000), 60_000)
    of_sample = {"gf-sample": "S1", "gf-read-set": "RS1", "gf-lane": "1"}
    bodies = {"R1": whole, "R2": gzip.compress(fastq(2_000, mate=2))[:-100]}
    for role, body in bodies.items():
        head = await store.put(s3_bucket.name, role, body, {**of_sample, "gf-role": role})
        await real.log.append(heard(landed(head)))
        await real.log.append(heard(landed(head)))  # two reporters
    gone = FileLanded(
        bucket=s3_bucket.name, object_key="gone", version_id="null", size_bytes=9, etag="e",
        last_modified_at=datetime(2026, 3, 1, tzinfo=UTC), sample_id="S1", role="I1",
    )  # fmt: skip
    await real.log.append(heard(gone))

    async def judged() -> list[Event]:
        records = [*await real.said("Validated"), *await real.said("FileRejected")]
        return [record.event for record in records]

    async def all_judged() -> bool:
        return len(await judged()) >= 3

    async with real.working(VALIDATE_FILES) as running:
        await until(all_judged, running)
    validated, *rejected = await judged()
    assert isinstance(validated, Validated)
    assert (validated.role, validated.reads, validated.compression) == ("R1", 2_000, "bgzf")
    assert validated.sha256 == hashlib.sha256(whole).hexdigest()
    assert validated.envelope.effect_id is not None
    said = {e.role: e for e in rejected if isinstance(e, FileRejected)}
    assert {role: e.reason_code for role, e in said.items()} == {"R2": "truncated", "I1": "gone"}
    assert said["R2"].at_byte == len(bodies["R2"])

    head = await store.put(
        s3_bucket.name, "R2 again", gzip.compress(fastq(2_000, mate=2)),
        {**of_sample, "gf-role": "R2"},
    )  # fmt: skip
    await real.log.append(heard(landed(head)))

    async def sent_again() -> bool:
        return len(await real.said("Validated")) == 2

    async with real.working(VALIDATE_FILES) as running:
        await until(sent_again, running)
    first, second = [record.event for record in await real.said("Validated")]
    assert isinstance(first, Validated)
    assert isinstance(second, Validated)
    assert first.read_names_sha256 == second.read_names_sha256
    assert len(await judged()) == 4


async def test_other_material_is_held_to_its_order(real: Lab, s3_bucket: Bucket) -> None:
    store = S3Store(s3_bucket.client)
    order = CaseJoined(
        sample_id="S1", case_id="C1", case_kind="single", role="single", subject_ref="P1",
        declared_sex="unknown", assay="wgs", material="BAM", reference="small-1",
        priority="routine",
    )  # fmt: skip
    await real.log.append(heard(order))
    other = bam(SQ=contigs(3_000, AS="other-2"))
    bodies = {"a": ("BAM", bam()), "b": ("CRAM", cram()), "c": ("VCF", vcf(mode="wz")),
              "d": ("BAM", other)}  # fmt: skip
    for key, (role, body) in bodies.items():
        metadata = {"gf-sample": "S1", "gf-role": role}
        head = await store.put(s3_bucket.name, key, body, metadata)
        await real.log.append(heard(landed(head)))

    async def all_judged() -> bool:
        return len(await real.said("Validated")) + len(await real.said("FileRejected")) == 4

    async with real.working(VALIDATE_FILES) as running:
        await until(all_judged, running)
    events = [record.event.payload() for record in await real.said("Validated")]
    assert {(one["object_key"], one["format"], one["reference"]) for one in events} == {
        ("a", "BAM", "small-1"), ("b", "CRAM", "small-1"), ("c", "VCF", "small-1"),
    }  # fmt: skip
    [rejected] = [record.event.payload() for record in await real.said("FileRejected")]
    assert (rejected["object_key"], rejected["reason_code"]) == ("d", "wrong build")
