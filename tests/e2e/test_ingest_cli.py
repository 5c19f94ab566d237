"""`genoflow ingest` on a real broker and a real object store, while files come and go."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_log
from genoflow.events import topics
from tests.e2e.workers import COMMAND_SECONDS_MAX, GENOFLOW, fails, settings_of, succeeds, until
from tests.servers import Bucket, cli_environment

OF_S1 = {"gf-sample": "S1", "gf-role": "R1"}


@pytest.fixture
def settings(stack: Addresses, suffix: str, tmp_path: Path, s3_bucket: Bucket) -> Settings:
    """A deployment of this test's own, with its topics and a bucket that keeps versions."""
    s3_bucket.client.put_bucket_versioning(
        Bucket=s3_bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )
    found = settings_of(stack, suffix, tmp_path / "home", raw_bucket=s3_bucket.name)
    succeeds(found, "topics", "apply")
    return found


def facts(settings: Settings) -> list[tuple[str, str]]:
    """What the log says of files: types and versions, in the order of each key."""

    async def read() -> list[tuple[str, str]]:
        async with open_log(settings) as log:
            events = [r.event async for r in log.read_topic(topics.SAMPLE.name)]
        return [(event.type(), event.payload()["version_id"]) for event in events]

    return asyncio.run(read())


def put(bucket: Bucket, key: str) -> str:
    answer = bucket.client.put_object(Bucket=bucket.name, Key=key, Body=b"x", Metadata=OF_S1)
    return str(answer["VersionId"])


@contextmanager
def listening(settings: Settings, said: Path, *words: str) -> Iterator[None]:
    """The porch as a process, with what it says in a file; it ends by SIGTERM, with 0."""
    with (
        said.open("w") as out,
        subprocess.Popen(
            [GENOFLOW, "ingest", "notifications", *words], env=cli_environment(settings),
            stdout=out, stderr=out,
        ) as process,
    ):  # fmt: skip
        try:
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(COMMAND_SECONDS_MAX) == 0
        finally:
            process.kill()


def test_files_land_while_the_porch_listens_and_a_crawl_finds_the_others(
    settings: Settings, s3_bucket: Bucket, tmp_path: Path
) -> None:
    first = put(s3_bucket, "in/a b.gz")
    said = tmp_path / "said"
    with listening(settings, said, "--reconcile-every", "0"):
        until(lambda: facts(settings) == [("FileLanded", first)], "it landed")
        second = put(s3_bucket, "in/a b.gz")
        s3_bucket.client.delete_object(Bucket=s3_bucket.name, Key="in/a b.gz")
        wanted = [("FileLanded", first), ("FileLanded", second), ("FileDeleted", second)]
        until(lambda: facts(settings) == wanted, "all of it is told")
    told = [line.split()[2:] for line in said.read_text().splitlines() if line.endswith("S1")]
    assert told == [["FileLanded", "S1"], ["FileLanded", "S1"], ["FileDeleted", "S1"]]
    assert "genoflow:" not in said.read_text()
    third = put(s3_bucket, "in/c.gz")  # nobody listens
    dry = succeeds(settings, "ingest", "reconcile", "--dry-run", code=3)
    assert dry.strip() == (
        f"{s3_bucket.name}: 2 objects with 3 versions; 1 FileLanded would be appended"
    )
    assert facts(settings) == wanted
    done = succeeds(settings, "ingest", "reconcile", "--prefix", "in/")
    assert "2 objects with 3 versions; 1 FileLanded were missing and stand on the log" in done
    assert sorted(facts(settings)) == sorted([*wanted, ("FileLanded", third)])
    again = succeeds(settings, "ingest", "reconcile", "--since", "2026-01-01")
    assert "the log lacks nothing that can be told" in again
    with listening(settings, said):  # the notice of the third comes now: it is told already
        fourth = put(s3_bucket, "in/d.gz")
        until(lambda: ("FileLanded", fourth) in facts(settings), "it landed")
    assert len(facts(settings)) == 5


@pytest.mark.long
def test_a_crawl_names_what_it_cannot_tell_and_lands_the_rest(
    settings: Settings, s3_bucket: Bucket, tmp_path: Path
) -> None:
    s3_bucket.client.put_object(
        Bucket=s3_bucket.name, Key="in/odd.gz", Body=b"x", Metadata={"gf-sample": "no id!"}
    )
    good = put(s3_bucket, "in/z.gz")
    complained = fails(settings, "ingest", "reconcile")
    assert "in/odd.gz: FileLanded.sample_id" in complained
    assert facts(settings) == [("FileLanded", good)]
    with listening(
        settings, tmp_path / "said", "--reconcile-every", "1"
    ):  # it crawls at once, and goes on
        after = put(s3_bucket, "in/y.gz")
        until(lambda: ("FileLanded", after) in facts(settings), "it landed")


def test_a_way_that_is_not_set_up_says_how_to_do_it(settings: Settings) -> None:
    complained = fails(settings, "ingest", "notifications", "--from", "sqs")
    assert "set GENOFLOW_NOTIFICATIONS_QUEUE to the address of the SQS queue" in complained
    nowhere = fails(settings, "ingest", "reconcile", "--bucket", "no-such-bucket-here")
    assert "there is no such bucket; make it, or name another in the settings" in nowhere
