"""Files in parts: links that are signed with checksums, what is caught, and who may go on."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from genoflow.api import upload_facts, uploads
from genoflow.api.identity.permissions import Permission, Role
from genoflow.events.topics import SAMPLE
from tests.doors import BY, refused
from tests.integration.uploading import PART, Sender, over_s3, sending
from tests.sending import FakeUploads, sum_of
from tests.servers import Bucket

READ = b"@r1 1:N:0:A\nACGT\n+\nIIII\n"


@pytest.fixture(params=["memory", "s3"])
async def sender(
    request: pytest.FixtureRequest,
    tables_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Sender]:
    """Parts are as short as a store allows."""
    monkeypatch.setattr(upload_facts, "PART_BYTES", PART)
    settings, store = None, None
    if request.param == "s3":
        bucket: Bucket = request.getfixturevalue("s3_bucket")
        settings, store = over_s3(bucket, tmp_path)
    async with sending(tables_url, store or FakeUploads(), settings) as there:
        yield there


def file_of(count: int = 2, rest: int = 1_000) -> tuple[bytes, dict[int, bytes]]:
    """A file of so many whole parts and a short one, and its parts by their numbers."""
    body = (READ * (-(-(count * PART + rest) // len(READ))))[: count * PART + rest]
    return body, {n + 1: body[n * PART : (n + 1) * PART] for n in range(count + 1)}


async def test_parts_become_a_file_that_landed(sender: Sender) -> None:
    body, parts = file_of()
    begun = await sender.begin(body, expected_roles=["R1", "R2"], project_id="P1")
    assert (begun["status"], begun["parts"], begun["part_bytes"]) == ("initiated", 3, PART)
    [listed] = await sender.get("/uploads")
    assert (listed["status"], listed["filename"]) == ("initiated", "S7_R1.fastq")
    address = f"/upload/{begun['upload_id']}"
    assert (await sender.get(address))["progress_percentage"] == 0
    await sender.send(begun, {2: parts[2]})
    found = await sender.get(address)
    assert (found["status"], found["progress_percentage"]) == ("initiated", 100 * PART // len(body))
    there = await sender.get(f"{address}/parts")
    assert [one["part_number"] for one in there["parts"]] == [2]
    assert there["parts"][0]["checksum"] == sum_of(parts[2])
    assert there["missing"] == [1, 3]
    await sender.send(begun, {1: parts[1], 3: parts[3]})
    told = [{"part_number": n, "checksum": sum_of(part)} for n, part in parts.items()]
    answer = await sender.complete(begun, {"parts": told})
    assert answer.status_code == 200, answer.text
    [landed] = await sender.landed()
    fact = landed.event
    assert answer.json()["event_id"] == str(fact.envelope.event_id) == str(fact.external_id())
    assert (fact.sample_id, fact.role, fact.read_set_id) == ("S7", "R1", begun["read_set_id"])
    assert (fact.size_bytes, fact.declared_sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert await kinds(sender) == [
        "SampleRegistered", "ReadSetRegistered", "UploadInitiated", "FileLanded",
    ]  # fmt: skip
    await sender.follow()
    again = await sender.complete(begun)
    assert again.json() == answer.json()
    assert len(await sender.landed()) == 1
    found = await sender.get(address)
    assert (found["status"], found["upload_id"]) == ("uploaded", begun["upload_id"])
    [listed] = await sender.get("/uploads")
    assert (listed["status"], listed["upload_id"]) == ("uploaded", begun["upload_id"])
    refused(await sender.door.client.delete(
        f"/v1/ingestion{address}", headers=sender.headers), 409, "UPLOAD_COMPLETED")  # fmt: skip


async def kinds(sender: Sender) -> list[str]:
    """What stands on the log of samples."""
    return [one.event.type() async for one in sender.log.read_topic(SAMPLE.name)]


async def test_a_flipped_bit_is_refused_by_the_store(sender: Sender) -> None:
    body, parts = file_of(1)
    begun = await sender.begin(body)
    for link in await sender.links(begun, parts):
        part = parts[link["part_number"]]
        for place in (0, len(part) // 2, len(part) - 1):
            flipped = bytearray(part)
            flipped[place] ^= 1
            assert not await sender.put(link, bytes(flipped))
        assert not await sender.put(link, part[:-1])
        if not isinstance(sender.store, FakeUploads):
            assert not await sender.put(link | {"headers": {}}, part)
    assert (await sender.get(f"/upload/{begun['upload_id']}/parts"))["missing"] == [1, 2]


async def test_a_missing_part_is_named(sender: Sender) -> None:
    body, parts = file_of()
    begun = await sender.begin(body)
    await sender.send(begun, {1: parts[1], 3: parts[3]})
    error = refused(await sender.complete(begun), 409, "PARTS_MISSING")
    assert error["details"]["missing"] == [2]
    assert "part 2 of 3" in error["message"]
    assert await sender.landed() == []


async def test_parts_that_took_each_others_place_are_caught(sender: Sender) -> None:
    body, parts = file_of()
    parts[2] = parts[2][::-1]
    body = b"".join(parts.values())
    begun = await sender.begin(body)
    one, *_ = await sender.links(begun, parts)
    assert not await sender.put(one, parts[2])  # the store knows which checksum is whose
    # Whoever swaps before the checksums were taken is caught by what it knows of its parts,
    await sender.send(begun, {1: parts[2], 2: parts[1], 3: parts[3]})
    told = [{"part_number": n, "checksum": sum_of(part)} for n, part in parts.items()]
    error = refused(await sender.complete(begun, {"parts": told}), 409, "PARTS_DIFFER")
    assert error["details"]["differs"] == [1]
    # and else by the checksum of the whole, which the object carries to its validation.
    assert (await sender.complete(begun)).status_code == 200
    [landed] = await sender.landed()
    assert landed.event.declared_sha256 == hashlib.sha256(body).hexdigest()


async def test_a_second_beginning_under_its_key_leads_to_the_first(sender: Sender) -> None:
    body, parts = file_of(0)
    wish = {
        "filename": "S7.bam", "size_bytes": len(body), "sample_id": "S7",
        "sha256": hashlib.sha256(body).hexdigest(),
    }  # fmt: skip
    key = {"Idempotency-Key": "again"}
    first = (await sender.post("/uploads", wish, **key)).json()
    await sender.send(first, parts)
    assert (await sender.post("/uploads", wish, **key)).json() == first
    await sender.door.services.idempotency.forget_old()
    sender.door.clock.move(hours=25)  # the answer is kept no longer, and the name is the same
    headers = await sender.door.login("vera")
    sender.headers = {"Authorization": f"Bearer {headers['access_token']}"}
    later = (await sender.post("/uploads", wish, **key)).json()
    assert later["upload_id"] == first["upload_id"]
    assert (await sender.get(f"/upload/{first['upload_id']}/parts"))["missing"] == []
    assert (await kinds(sender)).count("UploadInitiated") == 1


async def test_an_upload_that_is_given_up_frees_its_parts(sender: Sender) -> None:
    body, parts = file_of(1)
    begun = await sender.begin(body)
    await sender.send(begun, {1: parts[1]})
    [link] = await sender.links(begun, {2: parts[2]})
    address = f"/v1/ingestion/upload/{begun['upload_id']}"
    answer = await sender.door.client.delete(address, headers=sender.headers)
    assert answer.json()["status"] == "abandoned"
    await sender.follow()
    assert not await sender.put(link, parts[2])
    error = refused(await sender.complete(begun), 409, "UPLOAD_ABANDONED")
    assert "given it up" in error["message"]
    found = await sender.get(f"/upload/{begun['upload_id']}")
    assert (found["status"], found["error_message"]) == (
        "failed", "whoever sent it has given it up",
    )  # fmt: skip
    [listed] = await sender.get("/uploads?status=failed")
    assert listed["upload_id"] == begun["upload_id"]
    await sender.door.client.delete(address, headers=sender.headers)
    assert (await kinds(sender)).count("UploadAbandoned") == 1


WRONG: tuple[tuple[dict[str, Any], int, str], ...] = (
    ({"filename": "S7.docx"}, 422, "no format"),
    ({"filename": "S7.bam.gz"}, 422, "no format"),
    ({"filename": "S7.fastq", "role": None}, 422, "role: is missing"),
    ({"filename": "S7.fastq", "role": "BAM"}, 422, "none of a file of FASTQ"),
    ({"size_bytes": 50_000_000_001}, 413, "50,000,000,000"),
    ({"size_bytes": 0}, 422, "size_bytes"),
    ({"sha256": "x"}, 422, "sha256"),
    ({"sample_id": "a/b"}, 422, "sample_id"),
    ({"role": "R2"}, 422, "R1 with it"),
    ({"filename": "S7.bai", "role": "BAI"}, 422, "BAM with it"),
    ({"expected_roles": ["R1", "BAM"]}, 422, "no read set"),
    ({"strange": 1}, 422, "strange"),
)


async def test_what_is_not_taken_in_is_refused_before_a_byte_is_sent(tables_url: str) -> None:
    store = FakeUploads()
    async with sending(tables_url, store) as sender:
        usual = {
            "filename": "S7_R1.fastq.gz", "size_bytes": 10, "sample_id": "S7", "role": "R1",
            "sha256": "0" * 64,
        }  # fmt: skip
        for change, status, said in WRONG:
            answer = await sender.post("/uploads", usual | change)
            assert said in refused(answer, status)["message"], change
        assert (await kinds(sender), store.open) == ([], {})
        begun = (await sender.post("/uploads", usual)).json()
        address = f"/upload/{begun['upload_id']}/part-links"
        for part in ({"part_number": 2, "checksum": sum_of(b"")}, {"part_number": 1},
                     {"part_number": 1, "checksum": "AAAAAAAAAAA="}):  # fmt: skip
            refused(await sender.post(address, {"parts": [part]}), 422)
        text = (await sender.door.client.get("/metrics", headers=sender.headers)).text
        assert 'upload_requests_total{status="initiated"} 1' in text
        assert 'upload_requests_total{status="refused"}' in text
        assert "active_uploads 1.0" in text


async def test_only_its_owner_and_administrators_go_on_with_an_upload(tables_url: str) -> None:
    async with sending(tables_url, FakeUploads()) as sender:
        body, parts = file_of(0)
        begun = await sender.begin(body)
        own, address = sender.headers, f"/v1/ingestion/upload/{begun['upload_id']}"
        others = {
            "bio": (await sender.door.bearer("bio", Role.BIOINFORMATICIAN), 403),
            "pia": (await sender.door.bearer("pia", Role.PARTNER), 404),
        }
        client = sender.door.client
        wish = {"parts": [{"part_number": 1, "checksum": sum_of(body)}]}
        for headers, status in others.values():
            refused(await client.post(f"{address}/part-links", json=wish, headers=headers), status)
            refused(await client.post(f"{address}/complete", json={}, headers=headers), status)
            refused(await client.delete(address, headers=headers), status)
        refused(await client.get(f"{address}/parts", headers=others["pia"][0]), 404)
        assert (await client.get(address, headers=others["bio"][0])).status_code == 200
        auditor = await sender.door.bearer("ada", Role.AUDITOR)
        refused(await client.post(f"{address}/complete", json={}, headers=auditor), 403)
        sender.headers = await sender.door.bearer("root", Role.ADMIN)
        await sender.send(begun, parts)
        sender.headers = own
        assert (await sender.complete(begun)).status_code == 200


async def test_a_partner_sends_for_its_projects_alone(tables_url: str) -> None:
    async with sending(tables_url, FakeUploads()) as sender:
        body, _ = file_of(0)
        await sender.begin(body, sample_id="S1", project_id="P1")
        await sender.begin(body, sample_id="S2", project_id="P2")
        sender.headers = await sender.door.bearer("pia", Role.PARTNER)
        await sender.door.services.accounts.show_project("pia", "P1", BY)
        wish = {"filename": "x.bam", "size_bytes": 9, "sha256": "0" * 64, "role": "BAM"}
        for more in ({"sample_id": "S1"}, {"sample_id": "S9", "project_id": "P2"},
                     {"sample_id": "S2", "project_id": "P1"}):  # fmt: skip
            refused(await sender.post("/uploads", wish | more), 403)
        for name in ("S1", "S9"):
            answer = await sender.post("/uploads", wish | {"sample_id": name, "project_id": "P1"})
            assert answer.status_code == 201, answer.text
        assert len(await sender.get("/uploads")) == 2


async def test_nobody_has_more_open_uploads_than_anybody_may(
    tables_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "ACTIVE_MAX", 2)
    async with sending(tables_url, FakeUploads()) as sender:
        body, _ = file_of(0)
        for _ in range(2):
            await sender.begin(body)
        wish = {"filename": "x.bam", "size_bytes": 9, "sha256": "0" * 64, "sample_id": "S7"}
        error = refused(await sender.post("/uploads", wish), 429, "TOO_MANY_UPLOADS")
        assert error["details"]["category"] == "rate_limiting"


async def test_whoever_completes_twice_at_once_says_one_fact(sender: Sender) -> None:
    body, parts = file_of(0)
    begun = await sender.begin(body)
    await sender.send(begun, parts)
    both = await asyncio.gather(sender.complete(begun), sender.complete(begun))
    assert [one.status_code for one in both] == [200, 200]
    assert both[0].json() == both[1].json()
    assert len({one.event.envelope.event_id for one in await sender.landed()}) == 1


async def test_a_key_needs_the_scope_to_send(tables_url: str) -> None:
    async with sending(tables_url, FakeUploads()) as sender:
        sender.headers = {"X-API-Key": await sender.door.key("vera", Permission.UPLOADS_READ)}
        wish = {"filename": "x.bam", "size_bytes": 9, "sha256": "0" * 64, "sample_id": "S7"}
        refused(await sender.post("/uploads", wish), 403)
