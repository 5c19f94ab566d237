"""`genoflow watch` on a real broker and a real object store, while a folder is being written."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_log, s3_client
from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.processors.adapters.directories import Directories
from genoflow.processors.adapters.s3_runs import WHOLE_BYTES_MAX, S3RunStore
from genoflow.processors.adapters.system_clock import SystemClock
from genoflow.processors.intake.illumina.folder import Illumina
from genoflow.processors.intake.run_folders import Held
from tests.e2e.workers import genoflow, settings_of, succeeds, until
from tests.servers import Bucket, cli_environment
from tests.sheets import RUN_ID, Library, run_files, sheet

PLAN = ((4, "N"), (8, "Y"), (4, "N"))
ONE, TWO = Library("S1", "AAAAAAAA"), Library("S2", "GGGGGGGG")
LARGE = os.urandom(WHOLE_BYTES_MAX * 2 + 17)  # three parts
ALL = [
    "SequencingRunStarted", "SampleSheetRefused", "SampleSheetAttached", "SequencingRunCompleted",
    "SequencingRunMirrored", "SampleSheetAmended",
]  # fmt: skip


@pytest.fixture
def settings(stack: Addresses, suffix: str, tmp_path: Path, s3_bucket: Bucket) -> Settings:
    """A deployment of this test's own, with its topics and its bucket."""
    found = settings_of(stack, suffix, tmp_path / "home", raw_bucket=s3_bucket.name)
    succeeds(found, "topics", "apply")
    return found


def write(folder: Path, files: dict[str, bytes]) -> None:
    for path, body in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(body)


def facts(settings: Settings) -> list[Event]:
    """What stands on the log about runs, in order."""

    async def read() -> list[Event]:
        async with open_log(settings) as log:
            return [r.event async for r in log.read_topic(topics.SEQUENCING_RUN.name)]

    return asyncio.run(read())


def told(settings: Settings) -> list[str]:
    return [event.type() for event in facts(settings)]


def test_a_folder_that_is_written_piece_by_piece(
    settings: Settings, s3_bucket: Bucket, tmp_path: Path
) -> None:
    share, folder = tmp_path / "share", tmp_path / "share" / RUN_ID
    whole = run_files(PLAN) | {"InterOp/Large.bin": LARGE}
    write(folder, {name: whole[name] for name in ("RunInfo.xml", "runParameters.xml")})
    log = tmp_path / "watch.log"
    with log.open("wb") as out:
        watcher = subprocess.Popen(
            [sys.executable, "-m", "genoflow.deploy.cli", "watch", str(share), "--every", "0.2"],
            env=cli_environment(settings), stdout=out, stderr=out,
        )  # fmt: skip
    try:
        until(lambda: told(settings) == ALL[:1], "the run is told")
        write(folder, {"SampleSheet.csv": sheet([ONE, replace(ONE, sample="S2")])})
        until(lambda: told(settings) == ALL[:2], "the sheet is refused")
        write(folder, {"SampleSheet.csv": sheet([ONE, TWO])})
        until(lambda: told(settings) == ALL[:3], "the sheet is attached")
        some = dict(list(whole.items())[:9])
        write(folder, some | {"RTAComplete.txt": b"done"})
        write(folder, {path: body for path, body in whole.items() if path not in some})
        until(lambda: told(settings) == ALL[:5], "the run is complete and copied")
        write(folder, {"SampleSheet.csv": sheet([ONE, replace(TWO, sample="S3")])})
        until(lambda: told(settings) == ALL, "the sheet is amended")
        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(timeout=20) == 0, log.read_text()
    finally:
        watcher.kill()
        watcher.wait()
    assert [line.split()[2].removesuffix(RUN_ID) for line in log.read_text().splitlines()] == ALL
    compare(s3_bucket, folder, facts(settings)[4])
    assert succeeds(settings, "watch", str(share), "--once", "--every", "0.05") == ""
    assert told(settings) == ALL, "a second watcher appends nothing"


def compare(bucket: Bucket, folder: Path, copied: Any) -> None:
    """Everything in the folder but the sheet is in the store, byte by byte, and in the manifest."""

    def body(key: str) -> bytes:
        with bucket.client.get_object(Bucket=bucket.name, Key=key)["Body"] as stream:
            return bytes(stream.read())

    there = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "SampleSheet.csv"
    }
    manifest = body(copied.manifest_key)
    assert hashlib.sha256(manifest).hexdigest() == copied.manifest_sha256
    listed = [line.split("\t") for line in manifest.decode().splitlines()]
    assert {path: sha for sha, _, path in listed} == {
        path: hashlib.sha256(data).hexdigest() for path, data in there.items()
    }
    assert {path: body(f"{copied.prefix}{path}") for path in there} == there
    assert copied.bucket == bucket.name


def test_once_says_what_it_could_not_take(settings: Settings, tmp_path: Path) -> None:
    share = tmp_path / "share"
    write(share / "MRN-0012345", run_files(PLAN))
    write(share / "MRN-0012345", {"SampleSheet.csv": sheet([ONE])})
    write(share / "empty", {"notes.txt": b"no run"})
    done = genoflow(settings, "watch", str(share), "--once", "--every", "0.05")
    assert done.returncode == 1
    assert "takes for an identifier of a person; use an opaque reference instead" in done.stderr
    assert "1 folders could not be taken" in done.stderr
    assert "Traceback" not in done.stderr
    assert told(settings) == []


def test_a_directory_that_is_not_there_is_said_with_a_way_out(
    settings: Settings, tmp_path: Path
) -> None:
    done = genoflow(settings, "watch", str(tmp_path / "nowhere"), "--once")
    assert done.returncode == 1
    assert "mount it, or watch another directory" in done.stderr


def test_directories_show_regular_files_and_follow_no_link(tmp_path: Path) -> None:
    folder = tmp_path / RUN_ID
    write(folder, run_files(PLAN))
    (folder / "link").symlink_to(tmp_path)
    (folder / "RTAComplete.txt").symlink_to(folder / "RunInfo.xml")
    (tmp_path / "linked").symlink_to(folder)
    vendor = Illumina(lambda _: None)
    folders = Directories([tmp_path], vendor)
    assert folders.names() == [str(folder)]
    now = SystemClock().now()
    look = folders.look(str(folder), now, whole=True)
    assert look.files.keys() == run_files(PLAN).keys()
    assert set(look.documents) == {"RunInfo.xml", "runParameters.xml"}
    top = folders.look(str(folder), now, whole=False)
    assert set(top.files) == {"RunInfo.xml", "runParameters.xml"}
    assert Directories([folder, tmp_path], vendor).names() == [str(folder)]


def test_a_large_file_goes_in_parts(stack: Addresses, s3_bucket: Bucket, tmp_path: Path) -> None:
    client = s3_client(stack)
    store = S3RunStore(client)
    (tmp_path / "large").write_bytes(LARGE)
    digest = hashlib.sha256(LARGE).hexdigest()
    with (tmp_path / "large").open("rb") as source:
        store.put(s3_bucket.name, "a/large", source, len(LARGE), {"gf-sha256": digest})
    assert store.held(s3_bucket.name, "a/large") == Held(len(LARGE), digest)
    assert store.held(s3_bucket.name, "a/none") is None
    client.close()
