"""From RunRequested until its pipeline's script begins, beside Nextflow started by hand.

Ours takes the whole way: the append, `genoflow work`, the job, its inputs out of the store, and
Nextflow as the job starts it. By hand is Nextflow's own command line, with the options that its own
launcher gives, on files that are here already. Both run the same script, whose first statement
leaves the time; nothing is awaited behind it but the end of the run, which is not timed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks import stage_run
from benchmarks.contest import SECONDS, Comparison, Contestant, Figures, Row, compete, row_of
from benchmarks.material import Material
from benchmarks.scale_material import requested
from benchmarks.stage_run import Program
from genoflow.deploy.local.artifacts import PARTS, prefetch
from genoflow.deploy.local.stack import LocalStack
from genoflow.deploy.run_pipeline import nextflow
from genoflow.deploy.settings import Settings, as_environment, inherited_environment, read_settings
from genoflow.deploy.wiring import ensure_bucket, open_s3
from genoflow.events import topics
from genoflow.events.event import begin
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin
from genoflow.events.reference_file import ReferenceFile
from genoflow.events.run_exited import RunExited
from genoflow.events.run_requested import RunRequested
from genoflow.processors.running.engine import code_sha256
from genoflow.processors.running.nextflow import MAIN, OFFLINE, SMALL, Nextflow, opened
from genoflow.processors.submit_run import NAME, SUBMIT_RUN

OURS = "RunRequested, genoflow work"
BY_HAND = "nextflow run, by hand"
BY_HAND_LEAN = "nextflow run, with our options"
COMPARISONS = (
    Comparison("begin", OURS, BY_HAND, unit=SECONDS, target=1.1),
    Comparison("begin", OURS, BY_HAND_LEAN, unit=SECONDS, note="its classes kept, as ours has it"),
)
# What the launcher that Nextflow comes with gives its Java, besides what it opens.
GIVEN = ("-Dfile.encoding=UTF-8", "-XX:+TieredCompilation", "-XX:TieredStopAtLevel=1")
BUCKET = "begin"
FASTA = b">chr1\nACGTACGT\n"
READS = b"@A:1:F:1:1:1:1 1:N:0:ACGT\nACGT\n+\nFFFF\n"
SECONDS_MAX = 120.0  # of one run: of a machine that is busy beyond any use
LOOK_SECONDS = 0.02
SCRIPT = """new File(params.marker).text = System.currentTimeMillis()
process ONE {
    publishDir "${params.outdir}/vcf/_case"
    output: path 'called.vcf'
    script: 'echo called > called.vcf'
}
workflow { ONE() }
"""


@dataclass(frozen=True, slots=True)
class Lab:
    """Where all of it happens."""

    settings: Settings
    log: KafkaLog
    worker: Program
    pipeline: Path
    engine: Nextflow

    async def by_order(self) -> float:
        """Seconds from the append until the script of this run began."""
        marker = self.settings.home / f"marker-{uuid4()}"
        fact = _wish(self.pipeline, marker)
        begun = time.time()
        place = await self.log.append(fact)
        seconds = await _marked(marker, self.worker) - begun
        await _exited(self.log, fact, (place.topic, place.partition), place.offset)
        return seconds

    async def by_hand(self, options: Sequence[str], class_path: Sequence[Path]) -> float:
        """Seconds from the start of Nextflow until the script began."""
        marker = self.settings.home / f"marker-{uuid4()}"
        engine = self.engine
        with tempfile.TemporaryDirectory(dir=self.settings.home) as folder:
            command = [
                str(engine.java), *options, *opened(), "-cp", os.pathsep.join(map(str, class_path)),
                MAIN, "run", str(self.pipeline), "--marker", str(marker), "--outdir", folder,
            ]  # fmt: skip
            said = Path(folder) / "said"
            environment = {
                **inherited_environment(), **OFFLINE, "NXF_HOME": folder,
                "JAVA_HOME": str(engine.java.parent.parent),
            }  # fmt: skip
            begun = time.time()
            with said.open("wb") as out:
                running = await asyncio.create_subprocess_exec(
                    *command, cwd=folder, env=environment, stdout=out, stderr=out,
                    stdin=asyncio.subprocess.DEVNULL,
                )  # fmt: skip
            if await asyncio.wait_for(running.wait(), SECONDS_MAX) != 0:
                raise AssertionError(f"{BY_HAND}: {said.read_text(encoding='utf-8')[-2_000:]}")
            return float(marker.read_text(encoding="ascii")) / 1_000 - begun


def _wish(pipeline: Path, marker: Path) -> RunRequested:
    """A run of that script for one small sample, under an id of its own."""
    known = requested(uuid4().int % 10**9)
    [member] = known.members
    files = tuple(
        one.model_copy(update={"bucket": BUCKET, "object_key": "reads", "version_id": "null",
                               "sha256": hashlib.sha256(READS).hexdigest()})
        for one in member.files
    )  # fmt: skip
    fasta = ReferenceFile(
        kind="fasta", uri=f"s3://{BUCKET}/fasta", size_bytes=len(FASTA),
        sha256=hashlib.sha256(FASTA).hexdigest(),
    )  # fmt: skip
    changed: dict[str, Any] = {
        "members": (member.model_copy(update={"files": files}),), "bucket": BUCKET,
        "pipeline_uri": pipeline.as_uri(), "pipeline_sha256": code_sha256(pipeline),
        "parameters_json": json.dumps({"marker": str(marker)}), "reference_files": (fasta,),
    }  # fmt: skip
    envelope = known.envelope
    fact = RunRequested(**dict(known) | changed)
    return begin(fact, occurred_at=envelope.occurred_at, actor=envelope.actor, by=envelope.producer)


async def _marked(marker: Path, worker: Program) -> float:
    """When the script left its marker."""
    async with asyncio.timeout(SECONDS_MAX):
        while not (marker.exists() and (said := marker.read_text(encoding="ascii"))):
            worker.check()
            await asyncio.sleep(LOOK_SECONDS)
    return float(said) / 1_000


async def _exited(log: KafkaLog, fact: RunRequested, place: tuple[str, int], offset: int) -> None:
    """Wait until its job is over: the next run has the machine for itself."""
    async with asyncio.timeout(SECONDS_MAX), await log.reader({place: offset}) as reader:
        while True:
            for record in await reader.poll(1.0):
                event = record.event
                if isinstance(event, RunExited) and event.run_id == fact.run_id:
                    return


@contextlib.asynccontextmanager
async def lab(log: KafkaLog) -> AsyncIterator[Lab]:
    """A store with what the run takes, and a worker that submits runs."""
    with tempfile.TemporaryDirectory(prefix="genoflow-bench-") as folder:
        home = Path(folder)
        own = Settings(
            home=home, cache=read_settings().cache, kafka=log.address, postgres=None, s3=None,
            registry=None, topic_prefix=log.wire_name(""), partitions=topics.PARTITIONS_EMBEDDED,
        )  # fmt: skip
        await prefetch(own, lambda _: None, PARTS)
        pipeline = home / "pipeline"
        pipeline.mkdir()
        (pipeline / "main.nf").write_text(SCRIPT, encoding="ascii")
        async with LocalStack(own, ("s3",)):
            async with TopicAdmin(log, partitions=topics.PARTITIONS_EMBEDDED) as admin:
                await admin.apply(topics.declared([SUBMIT_RUN.changelog]))
            client = open_s3(own)
            ensure_bucket(client, BUCKET)
            for name, body in (("reads", READS), ("fasta", FASTA)):
                client.put_object(Bucket=BUCKET, Key=name, Body=body)
            environment = inherited_environment() | as_environment(own)
            command = [str(Path(sys.executable).with_name("genoflow")), "work", NAME]
            async with stage_run.serving("work", command, environment) as worker:
                yield Lab(own, log, worker, pipeline, await asyncio.to_thread(nextflow, own))


async def measure(log: KafkaLog, material: Material, rounds: int) -> list[Row]:
    """Begin a run by each way in turn; what the material holds is not needed."""
    del material
    async with lab(log) as there:
        engine = there.engine
        plain = engine.class_path[:-1]  # without our observer
        kept = (*SMALL, *engine.kept)

        async def ours() -> Figures:
            return {SECONDS: await there.by_order()}

        async def by_hand() -> Figures:
            return {SECONDS: await there.by_hand(GIVEN, plain)}

        async def lean() -> Figures:
            return {SECONDS: await there.by_hand(kept, engine.class_path)}

        best = await compete(
            [Contestant(OURS, ours), Contestant(BY_HAND, by_hand), Contestant(BY_HAND_LEAN, lean)],
            rounds,
        )
    return [row_of(comparison, best) for comparison in COMPARISONS]
