"""The object store under contract: each test runs on the fake in memory and on a real server."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from genoflow.deploy.wiring import s3_client
from genoflow.events.errors import Parked, Retry, Stop
from genoflow.processors.adapters import s3
from genoflow.processors.adapters.s3 import S3ByteStore, S3Store
from genoflow.processors.adapters.s3_errors import BY_CODE, meaning
from genoflow.processors.ports import UNVERSIONED, ObjectGone, ObjectStore, RangedStore
from tests.fakes import FakeStore
from tests.servers import Bucket

MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Stores:
    """Both sides of one store, and a bucket in it."""

    objects: ObjectStore
    streams: RangedStore
    bucket: str


@pytest.fixture(params=["memory", "s3"])
def plain_stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    """The same without versions."""
    if request.param == "memory":
        fake = FakeStore(keeps_versions=False)
        yield Stores(fake, fake, "raw")
        return
    bucket: Bucket = request.getfixturevalue("s3_bucket")
    client = s3_client(bucket.addresses)
    yield Stores(S3Store(client), S3ByteStore(client), bucket.name)
    client.close()


@pytest.fixture(params=["memory", "s3"])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    if request.param == "memory":
        fake = FakeStore()
        yield Stores(fake, fake, "raw")
        return
    bucket: Bucket = request.getfixturevalue("s3_bucket")
    bucket.client.put_bucket_versioning(
        Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"}
    )
    client = s3_client(bucket.addresses)
    yield Stores(S3Store(client), S3ByteStore(client), bucket.name)
    client.close()


async def test_what_was_put_has_a_head_with_its_metadata(stores: Stores) -> None:
    put = await stores.objects.put(stores.bucket, "a/1.gz", b"reads", {"sample": "S1"})
    head = await stores.objects.head(stores.bucket, "a/1.gz")
    assert head == put
    assert (head.size_bytes, head.metadata) == (5, {"sample": "S1"})
    assert await stores.objects.get(stores.bucket, "a/1.gz") == b"reads"


async def test_what_is_not_there_is_none_or_parked(stores: Stores) -> None:
    assert await stores.objects.get(stores.bucket, "none") is None
    with pytest.raises(Parked, match=rf"s3://{stores.bucket}/none: .*there is no such object"):
        await stores.objects.head(stores.bucket, "none")


async def test_put_if_absent_writes_once(stores: Stores) -> None:
    assert await stores.objects.put_if_absent(stores.bucket, "outcome", b"first")
    assert not await stores.objects.put_if_absent(stores.bucket, "outcome", b"second")
    assert await stores.objects.get(stores.bucket, "outcome") == b"first"


async def test_of_many_who_put_if_absent_one_writes(stores: Stores) -> None:
    async def put(number: int) -> bool:
        while True:
            try:
                return await stores.objects.put_if_absent(stores.bucket, "o", b"%d" % number)
            except Retry:  # another write of it was under way
                continue

    written = await asyncio.gather(*(put(number) for number in range(8)))
    assert written.count(True) == 1
    assert await stores.objects.get(stores.bucket, "o") == b"%d" % written.index(True)


@pytest.mark.parametrize("size", [0, 1, MIB, 3 * MIB + 1])
async def test_a_version_is_streamed_in_pieces(stores: Stores, size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    first = await stores.objects.put(stores.bucket, "f", body[:size], {})
    await stores.objects.put(stores.bucket, "f", b"newer", {})
    pieces = list(stores.streams.chunks(stores.bucket, "f", first.version_id, MIB))
    assert b"".join(pieces) == body[:size]
    assert all(0 < len(piece) <= MIB for piece in pieces)


async def test_a_part_of_a_version_is_read(stores: Stores) -> None:
    body = bytes(range(256)) * 40
    first = await stores.objects.put(stores.bucket, "f", body, {})
    await stores.objects.put(stores.bucket, "f", b"newer", {})

    def part(start: int, end: int, version: str = first.version_id) -> bytes:
        return stores.streams.span(stores.bucket, "f", version, start, end)

    assert part(0, 1) == body[:1]
    assert part(300, 5_000) == body[300:5_000]
    assert part(10_000, 99_999) == body[10_000:]
    with pytest.raises(ObjectGone, match=rf"s3://{stores.bucket}/f@"):
        part(0, 1, "01JD0000000000000000000000")


async def test_a_part_of_what_replaces_an_object_is_not_taken_for_it(plain_stores: Stores) -> None:
    bucket, streams = plain_stores.bucket, plain_stores.streams
    first = await plain_stores.objects.put(bucket, "f", b"one", {})
    asked = (bucket, "f", first.version_id, 1, 3)
    assert streams.span(*asked, first.etag) == b"ne"
    await plain_stores.objects.put(bucket, "f", b"two", {})
    with pytest.raises(ObjectGone, match="another object has taken its place"):
        streams.span(*asked, first.etag)


async def test_a_version_or_an_object_that_is_gone_is_parked(stores: Stores) -> None:
    put = await stores.objects.put(stores.bucket, "f", b"x", {})
    with pytest.raises(Parked, match=rf"s3://{stores.bucket}/gone"):
        list(stores.streams.chunks(stores.bucket, "gone", put.version_id, MIB))
    other = "01JD0000000000000000000000"
    with pytest.raises(Parked, match=rf"s3://{stores.bucket}/f@{other}"):
        list(stores.streams.chunks(stores.bucket, "f", other, MIB))


async def test_what_replaces_an_object_is_not_taken_for_it(plain_stores: Stores) -> None:
    bucket, streams = plain_stores.bucket, plain_stores.streams
    first = await plain_stores.objects.put(bucket, "f", b"one", {})
    assert first.version_id == UNVERSIONED
    asked = (bucket, "f", first.version_id, MIB)
    assert b"".join(streams.chunks(*asked, first.etag)) == b"one"
    await plain_stores.objects.put(bucket, "f", b"two", {})
    with pytest.raises(ObjectGone, match="another object has taken its place"):
        list(streams.chunks(*asked, first.etag))
    assert b"".join(streams.chunks(*asked)) == b"two"  # who names no tag takes what is there


async def test_a_tag_may_come_with_its_quotes_or_be_none_of_the_store(s3_bucket: Bucket) -> None:
    put = await S3Store(s3_bucket.client).put(s3_bucket.name, "f", b"one", {})
    asked = (s3_bucket.name, "f", UNVERSIONED, MIB)
    streams = S3ByteStore(s3_bucket.client)
    assert b"".join(streams.chunks(*asked, f'"{put.etag}"')) == b"one"
    for odd in ("日", "a\nb"):
        with pytest.raises(ObjectGone, match="report the object anew"):
            list(streams.chunks(*asked, odd))


async def test_a_version_is_not_asked_for_by_its_tag(stores: Stores) -> None:
    put = await stores.objects.put(stores.bucket, "f", b"one", {})
    pieces = stores.streams.chunks(stores.bucket, "f", put.version_id, MIB, "another")
    assert b"".join(pieces) == b"one"


async def test_a_version_is_copied_with_metadata_of_its_own(stores: Stores) -> None:
    first = await stores.objects.put(stores.bucket, "a/1.gz", b"reads", {"sample": "S1"})
    await stores.objects.put(stores.bucket, "a/1.gz", b"newer ones", {"sample": "S1"})
    copied = await stores.objects.copy(
        stores.bucket, "a/1.gz", first.version_id, "b/1.gz", {"sample": "S2"}
    )
    assert copied == await stores.objects.head(stores.bucket, "b/1.gz")
    assert (copied.key, copied.size_bytes, copied.metadata) == ("b/1.gz", 5, {"sample": "S2"})
    assert await stores.objects.get(stores.bucket, "b/1.gz") == b"reads"
    assert await stores.objects.get(stores.bucket, "a/1.gz") == b"newer ones"


async def test_what_is_gone_cannot_be_copied(stores: Stores) -> None:
    put = await stores.objects.put(stores.bucket, "f", b"x", {})
    for key, version in (("gone", put.version_id), ("f", "01JD0000000000000000000000")):
        with pytest.raises(ObjectGone, match=rf"s3://{stores.bucket}/{key}@{version}"):
            await stores.objects.copy(stores.bucket, key, version, "g", {})
    with pytest.raises(ObjectGone):
        await stores.objects.head(stores.bucket, "g")


# -- what only a real server can do


class Cutting:
    """A relay to a server that breaks each of its first connections after so many bytes."""

    def __init__(self, upstream: str, cut_after_bytes: list[int]) -> None:
        host, _, port = upstream.removeprefix("http://").rpartition(":")
        self._upstream = (host, int(port))
        self._cuts = cut_after_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                ours, _ = self._listener.accept()
            except OSError:
                return
            cut = self._cuts.pop(0) if self._cuts else None
            with ours, socket.create_connection(self._upstream) as theirs:
                self._relay(ours, theirs, cut)

    @staticmethod
    def _relay(ours: socket.socket, theirs: socket.socket, cut: int | None) -> None:
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            received = ours.recv(65_536)
            if not received:
                return
            request += received
        theirs.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        passed = 0
        while received := theirs.recv(65_536):
            if cut is not None:
                received = received[: cut - passed]
            passed += len(received)
            try:
                ours.sendall(received)
            except OSError:
                return  # the reader has read enough
            if cut is not None and passed >= cut:
                return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(10)


def client_of(bucket: Bucket, address: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=address,
        aws_access_key_id=bucket.addresses.s3_access_key,
        aws_secret_access_key=bucket.addresses.s3_secret_key,
        region_name=bucket.addresses.s3_region,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


@pytest.mark.parametrize(
    ("cuts", "arrives"),
    [
        ([3 * MIB], True),  # taken up behind what had come
        ([3 * MIB, 2 * MIB, 2 * MIB], True),  # as often as there is something new
        ([3 * MIB, 10], False),  # twice at the same place
        ([10, 10], False),
    ],
)
async def test_a_broken_stream_is_taken_up_where_it_broke(
    s3_bucket: Bucket, cuts: list[int], arrives: bool
) -> None:
    body = bytes(range(256)) * (8 * MIB // 256)
    s3_bucket.client.put_object(Bucket=s3_bucket.name, Key="f", Body=body)
    relay = Cutting(s3_bucket.addresses.s3, cuts)
    client = client_of(s3_bucket, relay.address)
    try:
        pieces = S3ByteStore(client).chunks(s3_bucket.name, "f", "null", MIB // 2)
        if arrives:
            assert await asyncio.to_thread(lambda: b"".join(pieces)) == body
        else:
            with pytest.raises(Retry, match=rf"s3://{s3_bucket.name}/f"):
                await asyncio.to_thread(lambda: b"".join(pieces))
    finally:
        client.close()
        relay.close()
    assert cuts == []


async def test_a_part_is_taken_up_where_it_broke(s3_bucket: Bucket) -> None:
    body = bytes(range(256)) * (8 * MIB // 256)
    s3_bucket.client.put_object(Bucket=s3_bucket.name, Key="f", Body=body)
    cuts = [2 * MIB]
    relay = Cutting(s3_bucket.addresses.s3, cuts)
    client = client_of(s3_bucket, relay.address)
    try:
        asked = (s3_bucket.name, "f", "null", 7, 5 * MIB)
        assert await asyncio.to_thread(S3ByteStore(client).span, *asked) == body[7 : 5 * MIB]
    finally:
        client.close()
        relay.close()
    assert cuts == []


async def test_what_is_large_is_copied_in_parts(
    s3_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "COPY_PART_BYTES", 5 * MIB)  # the least that S3 takes
    store, body = S3Store(s3_bucket.client), bytes(range(256)) * (12 * MIB // 256)
    put = await store.put(s3_bucket.name, "f", body, {"sample": "S1"})
    copied = await store.copy(s3_bucket.name, "f", put.version_id, "g", {"sample": "S2"})
    assert (copied.size_bytes, copied.metadata) == (len(body), {"sample": "S2"})
    assert copied.etag.endswith("-3")
    assert await store.get(s3_bucket.name, "g") == body


async def test_an_object_that_changes_under_its_reader_is_parked(s3_bucket: Bucket) -> None:
    """Only where there are no versions; where there are, the old one is read to its end."""
    s3_bucket.client.put_object(Bucket=s3_bucket.name, Key="f", Body=b"a" * 8 * MIB)
    relay = Cutting(s3_bucket.addresses.s3, [4 * MIB])
    client = client_of(s3_bucket, relay.address)
    try:
        pieces = S3ByteStore(client).chunks(s3_bucket.name, "f", "null", MIB)
        assert len(next(pieces)) == MIB
        s3_bucket.client.put_object(Bucket=s3_bucket.name, Key="f", Body=b"b" * 8 * MIB)
        with pytest.raises(Parked, match="another object has taken its place"):
            await asyncio.to_thread(lambda: list(pieces))
    finally:
        client.close()
        relay.close()


async def test_a_store_that_is_away_is_tried_again(s3_bucket: Bucket) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    client = client_of(s3_bucket, nobody)
    store = S3Store(client)
    with pytest.raises(Retry, match="see that it runs"):
        await store.get(s3_bucket.name, "f")
    with pytest.raises(Retry, match="see that it runs"):
        await store.put_if_absent(s3_bucket.name, "f", b"")
    with pytest.raises(Retry, match="see that it runs"):
        list(S3ByteStore(client).chunks(s3_bucket.name, "f", "null"))
    client.close()


async def test_keys_that_nobody_knows_end_the_worker_and_a_bucket_parks(s3_bucket: Bucket) -> None:
    store = S3Store(s3_bucket.client)
    with pytest.raises(Parked, match="there is no such bucket"):
        await store.get("no-such-bucket-here", "f")
    wrong = replace(s3_bucket, addresses=replace(s3_bucket.addresses, s3_secret_key="wrong"))
    client = client_of(wrong, s3_bucket.addresses.s3)
    with pytest.raises(Stop, match="the secret key in the settings"):
        await S3Store(client).get(s3_bucket.name, "f")
    client.close()


@pytest.mark.parametrize(
    ("code", "status", "choice"),
    [
        *((code, 400, choice) for code, (choice, _) in BY_CODE.items()),
        ("500", 500, Retry),
        ("", 503, Retry),
        ("404", 404, ObjectGone),
        ("403", 403, Parked),
        ("SomethingNew", 400, Parked),
    ],
)
def test_every_answer_has_one_meaning(code: str, status: int, choice: type[Exception]) -> None:
    answer: Any = {
        "Error": {"Code": code, "Message": "said"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    found = meaning(ClientError(answer, "GetObject"), "s3://b/k")
    assert type(found) is choice
    assert str(found).startswith("s3://b/k: ")
    assert "; " in str(found)


def test_what_has_no_answer_has_a_meaning_too() -> None:
    assert type(meaning(EndpointConnectionError(endpoint_url="http://x"), "p")) is Retry
    assert type(meaning(NoCredentialsError(), "p")) is Stop
    assert type(meaning(ValueError("odd"), "p")) is Parked
