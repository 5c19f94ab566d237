"""An upload as `genoflow upload` does it, beside boto3's own transfer of the same file.

Both send to the same store from the same process. Ours goes through a served API, whose rows a
running `genoflow project` feeds: checksums of the whole first, links, parts, the end. The anchor is
`upload_file` as boto3 is set by itself, with the checksums of parts that it makes by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import stage_run
from benchmarks.contest import MEGABYTES, Comparison, Contestant, Figures, Row, compete, row_of
from benchmarks.get_by_key import BY, port_of
from benchmarks.material import Material
from genoflow.api.client import Client
from genoflow.api.identity.permissions import Permission, Role
from genoflow.deploy.api_services import open_services
from genoflow.deploy.local.stack import LocalStack
from genoflow.deploy.sending import Sending, Whose, planned, read_set_of, summed
from genoflow.deploy.settings import Settings, as_environment, inherited_environment, read_settings
from genoflow.deploy.wiring import ensure_raw_bucket, open_s3
from genoflow.events import topics
from genoflow.events.log.kafka import KafkaLog
from genoflow.events.log.kafka_topics import TopicAdmin

OURS = "genoflow upload"
SENT = "genoflow upload, checksums known"
BOTO3 = "boto3 upload_file"
COMPARISONS = (
    Comparison("upload", OURS, BOTO3, unit=MEGABYTES, target=0.9),
    Comparison("upload", SENT, BOTO3, unit=MEGABYTES, note="what a resumed upload does"),
)
MEBIBYTE = 1024**2


@dataclass(frozen=True, slots=True)
class Lab:
    """What serves, and who sends."""

    settings: Settings
    url: str
    key: str


@contextlib.asynccontextmanager
async def lab(log: KafkaLog) -> AsyncIterator[Lab]:
    """A store, an API, and rows that follow."""
    with tempfile.TemporaryDirectory(prefix="genoflow-bench-") as home:
        own = Settings(
            home=Path(home), cache=read_settings().cache, kafka=log.address, postgres=None,
            s3=None, registry=None, topic_prefix=log.wire_name(""),
            partitions=topics.PARTITIONS_EMBEDDED,
        )  # fmt: skip
        async with LocalStack(own, ("postgres", "s3")), contextlib.AsyncExitStack() as programs:
            async with TopicAdmin(log, partitions=topics.PARTITIONS_EMBEDDED) as admin:
                await admin.apply(topics.TOPICS)
            async with open_services(own) as services:
                made = await services.accounts.create("bench", None, frozenset({Role.ADMIN}), BY)
                scopes = [Permission.UPLOADS_READ, Permission.UPLOADS_WRITE]
                _, key = await services.keys.create(made, "bench", scopes, 1, BY)
            ensure_raw_bucket(own)
            environment = inherited_environment() | as_environment(own)
            genoflow = str(Path(sys.executable).with_name("genoflow"))
            serve = stage_run.serving("serve", [genoflow, "serve", "--port", "0"], environment)
            project = stage_run.serving("project", [genoflow, "project"], environment)
            port = await port_of(await programs.enter_async_context(serve))
            await programs.enter_async_context(project)
            yield Lab(own, f"http://127.0.0.1:{port}", key)


def file_of(path: Path, size_bytes: int) -> None:
    """A file that begins as FASTQ does; no byte of the rest is looked at on the way."""
    source = random.Random(size_bytes)
    with path.open("wb") as file:
        file.write(b"@A:1:F:1:1:1:1 1:N:0:ACGT\n")
        while file.tell() < size_bytes:
            file.write(source.randbytes(min(MEBIBYTE, size_bytes - file.tell())))


async def measure(log: KafkaLog, material: Material, rounds: int) -> list[Row]:
    """Send one file by both ways in turn; an event of the material stands for a mebibyte."""
    size = len(material.events) * MEBIBYTE
    async with lab(log) as there:
        path = there.settings.home / "S7_R1.fastq"
        file_of(path, size)
        client = Client(there.url, key=there.key)
        known, number = summed(planned(path, None), lambda _: None), iter(range(1_000))
        store = open_s3(there.settings)

        def send(is_known: bool) -> None:
            file = known if is_known else summed(planned(path, None), lambda _: None)
            whose, sending = Whose(f"S{next(number)}"), Sending(client)
            begun = sending.begin(file, whose, read_set_of([file], whose), ["R1"])
            sending.send(file, begun, lambda _: None)

        def boto3() -> None:
            store.upload_file(str(path), there.settings.raw_bucket, f"boto3/{next(number)}")

        def contestant(name: str, run: Callable[[], None]) -> Contestant:
            async def timed() -> Figures:
                begun = time.perf_counter()
                await asyncio.to_thread(run)
                return {MEGABYTES: size / 1e6 / (time.perf_counter() - begun)}

            return Contestant(name, timed)

        best = await compete(
            [
                contestant(OURS, lambda: send(False)),
                contestant(SENT, lambda: send(True)),
                contestant(BOTO3, boto3),
            ],
            rounds,
        )
        client.close()
    return [row_of(comparison, best) for comparison in COMPARISONS]
