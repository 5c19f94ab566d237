"""`genoflow upload` against a served API and a real store: sent, taken up again, refused."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from genoflow.api import upload_facts
from genoflow.api.client import Client
from genoflow.api.identity.permissions import Permission
from genoflow.deploy import sending
from genoflow.deploy.sending import Sending, Whose, planned, read_set_of, summed
from genoflow.deploy.settings import Settings
from genoflow.events.errors import Refused
from genoflow.events.sample_metadata_amended import SampleMetadataAmended
from genoflow.projections.sample_metadata import values_in
from tests.integration.test_api_server import served
from tests.integration.uploading import PART, Sender, over_s3
from tests.integration.uploading import sending as sending_over
from tests.servers import Bucket, cli_environment

GENOFLOW = Path(sys.executable).with_name("genoflow")
# Sends a file in parts of 5 MiB, and dies as soon as so many of them are there.
DIES = """
import os, signal, sys
from pathlib import Path
from genoflow.api import upload_facts
from genoflow.api.client import Client
from genoflow.deploy.sending import Sending, Whose, planned, summed

upload_facts.PART_BYTES = 5 * 1024**2
path, url, key, parts = sys.argv[1:]
left = [0]

def told(count):
    left[0] += count > 0
    if left[0] >= int(parts):
        os.kill(os.getpid(), signal.SIGKILL)

with Client(url, key=key) as client:
    sending = Sending(client, parallel=1)
    file = summed(planned(Path(path), None), lambda count: None)
    begun = sending.begin(file, Whose("S7"), "up-x", ["R1"])
    sending.send(file, begun, told)
"""


@pytest.fixture
async def sender(tables_url: str, s3_bucket: Bucket, tmp_path: Path) -> AsyncIterator[Sender]:
    settings, store = over_s3(s3_bucket, tmp_path / "home")
    async with sending_over(tables_url, store, settings) as there:
        yield there


def reads(path: Path, length: int, mate: int = 1) -> bytes:
    """A FASTQ file of this length, whose first read says which of two it is."""
    one = f"@A:1:F:1:1:1:1 {mate}:N:0:ACGT\nACGT\n+\nIIII\n".encode()
    body = (one * (length // len(one) + 1))[:length]
    path.write_bytes(body)
    return body


async def command(sender: Sender, port: int, *words: str) -> tuple[int, str, str]:
    """What the command line says to these words."""
    key = await sender.door.key("vera", Permission.UPLOADS_READ, Permission.UPLOADS_WRITE)
    # It knows neither the log nor the store: the API's address and a key are enough.
    environment = {**cli_environment(Settings(home=Path("/nowhere"))), "GENOFLOW_API_KEY": key}
    program = await asyncio.create_subprocess_exec(
        GENOFLOW, "upload", *words, "--url", f"http://127.0.0.1:{port}",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip
    async with asyncio.timeout(120):
        out, err = await program.communicate()
    return program.returncode or 0, out.decode(), err.decode()


async def test_two_mates_are_sent_as_one_read_set_and_again_nothing_is(
    sender: Sender, tmp_path: Path
) -> None:
    first = reads(tmp_path / "a.fastq", 300_000)
    second = reads(tmp_path / "b.fastq", 200_000, 2)
    about = tmp_path / "about.json"
    words = (str(tmp_path / "a.fastq"), str(tmp_path / "b.fastq"), "--sample", "S7", "--run",
             "RUN1", "--metadata", str(about))  # fmt: skip
    async with served(sender.door) as port:
        about.write_text('{"no name": 1}')
        code, said, fault = await command(sender, port, *words)
        assert (code, said) == (1, "")
        assert "metadata.no name: is no name" in fault
        about.write_text('{"tissue": "blood"}')
        code, said, fault = await command(sender, port, *words)
        assert (code, fault) == (0, "")
        landed = [one.event for one in await sender.landed()]
        assert {(one.role, one.declared_sha256) for one in landed} == {
            ("R1", hashlib.sha256(first).hexdigest()), ("R2", hashlib.sha256(second).hexdigest()),
        }  # fmt: skip
        assert len({one.read_set_id for one in landed}) == 1
        assert {one.instrument_run_id for one in landed} == {"RUN1"}
        assert [one.size_bytes for one in landed] == [len(first), len(second)]
        assert await command(sender, port, *words) == (0, said, "")
    assert len(await sender.landed()) == 2
    stated = [one.event async for one in sender.log.read_topic("gf.sample.v1")]
    [amended] = [one for one in stated if isinstance(one, SampleMetadataAmended)]
    assert values_in(amended) == {"tissue": "blood"}
    store: Any = sender.store
    bodies = {
        store._opened().get_object(Bucket=one.bucket, Key=one.object_key)["Body"].read()
        for one in landed
    }
    assert bodies == {first, second}


async def test_a_sender_that_was_killed_goes_on_without_sending_a_part_again(
    sender: Sender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_facts, "PART_BYTES", PART)
    path = tmp_path / "S7.fastq"
    body = reads(path, 4 * PART + 100)
    key = await sender.door.key("vera", Permission.UPLOADS_READ, Permission.UPLOADS_WRITE)
    async with served(sender.door) as port:
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", DIES, str(path), f"http://127.0.0.1:{port}", key, "2"
        )
        async with asyncio.timeout(120):
            assert await program.wait() == -signal.SIGKILL
    sent: list[int] = []
    put = sending._Lines.put

    def counted(lines: Any, url: str, headers: object, part: memoryview) -> str:
        sent.append(len(part))
        return put(lines, url, headers, part)

    monkeypatch.setattr(sending._Lines, "put", counted)
    # The API that answers now is another process's: it knows what the log and the store know.
    async with served(sender.door) as port:
        place = await asyncio.to_thread(_sent, f"http://127.0.0.1:{port}", key, path)
    assert sorted(sent) == [100, PART, PART]
    [landed] = await sender.landed()
    assert landed.event.declared_sha256 == hashlib.sha256(body).hexdigest()
    assert place.endswith(landed.event.object_key)


def _sent(url: str, key: str, path: Path) -> str:
    with Client(url, key=key) as client:
        sender = Sending(client)
        file = summed(planned(path, None), lambda _: None)
        begun = sender.begin(file, Whose("S7"), "up-x", ["R1"])
        told: list[int] = []
        place = sender.send(file, begun, told.append)
        assert sum(told) == path.stat().st_size
        return place


async def test_what_is_no_file_of_ours_is_refused_before_anything_is_sent(
    sender: Sender, tmp_path: Path
) -> None:
    wrong = {
        "x.txt": b"hello", "x.bam": b"@r1\nACGT\n", "x.fastq": b"", "y.fastq": b"@r1\nA\n+\nI\n",
        "x.fastq.gz": b"@r1\nACGT\n", "x.vcf": gzip.compress(b"##fileformat=VCFv4.2\n"),
    }  # fmt: skip
    said = {
        "x.txt": "no format", "x.bam": "not those of BAM", "x.fastq": "is empty",
        "y.fastq": "--role", "x.fastq.gz": "not compressed", "x.vcf": "is compressed",
    }  # fmt: skip
    for name, body in wrong.items():
        (tmp_path / name).write_bytes(body)
        with pytest.raises(Refused, match=said[name]):
            planned(tmp_path / name, None)
    code, out, fault = await command(sender, 1, str(tmp_path / "x.bam"), "--sample", "S7")
    assert (code, out) == (1, "")
    assert "not those of BAM" in fault


def test_the_read_set_of_files_does_not_depend_on_their_order(tmp_path: Path) -> None:
    reads(tmp_path / "a.fastq", 100)
    reads(tmp_path / "b.fastq", 100, 2)
    both = [summed(planned(tmp_path / name, None), lambda _: None) for name in
            ("a.fastq", "b.fastq")]  # fmt: skip
    assert read_set_of(both, Whose("S7")) == read_set_of(both[::-1], Whose("S7"))
    assert read_set_of(both, Whose("S7", read_set_id="L1")) == "L1"
