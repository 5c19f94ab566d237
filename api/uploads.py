"""Files of any length, part by part: each goes from its sender straight to the object store.

1. Begin: the format and the size are checked, the store opens an upload, and the fact is stated.
2. Ask for links: each is signed with the checksum and the length of its part, so that the store
   refuses a part with one bit flipped.
3. Complete: every part has to be there with its length. The object carries what it belongs to, and
   the fact that it landed has the same identity, whoever reports it.

Whose an upload is, and administrators, may go on with it; what is there, the store alone knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Query
from starlette.responses import Response

from genoflow.api import reading as readings
from genoflow.api.guard import (
    CallerHere,
    GuardedRoute,
    RequestName,
    SeesOnly,
    ServicesHere,
    asks,
)
from genoflow.api.identity.permissions import PERMISSIONS, Caller, Permission, Role
from genoflow.api.ports import PartSum, StoredPart, UploadPlace
from genoflow.api.reading import ReadingHere, ReadingRoute
from genoflow.api.refusal import Refusal
from genoflow.api.services import Services
from genoflow.api.upload_facts import UploadIn, lengths_of, sent
from genoflow.api.upload_metadata import said_with_file
from genoflow.api.upload_models import (
    LINKS_MAX,
    SHA256_BASE64,
    UploadBegunOut,
    UploadCompletedOut,
    UploadCompleteIn,
    UploadPartIn,
    UploadPartLink,
    UploadPartLinks,
    UploadPartOut,
    UploadPartsIn,
    UploadPartsOut,
)
from genoflow.api.writing import OutsideHere, Writing, WritingHere
from genoflow.events.event import E
from genoflow.events.file_landed import FileLanded
from genoflow.events.identity import external_id
from genoflow.events.upload_abandoned import UploadAbandoned
from genoflow.projections.paging import Found
from genoflow.projections.uploads import ABANDONED, INITIATED, LANDED, begun_upload, count_open
from genoflow.projections.vectors import WORD_CHARACTERS_MAX, from_word

OPEN_HOURS = 24  # then `abandon-uploads` frees the parts
ACTIVE_MAX = 200  # open uploads of one account: a flow cell of 96 samples, R1 and R2 of each
STORE_SECONDS_MAX = 5.0  # for a list of parts, while a row of the database is held for it

router = APIRouter(prefix="/ingestion", tags=["ingestion"], route_class=GuardedRoute)
reads = APIRouter(prefix="/ingestion", tags=["ingestion"], route_class=ReadingRoute)
MinPosition = Annotated[
    str | None,
    Query(
        max_length=WORD_CHARACTERS_MAX, examples=["AQQBAgM"],
        description="wait until what stood on the log at this position is known here",
    ),
]  # fmt: skip


@router.post(
    "/uploads", summary="Begin to send a file", status_code=201, response_model=UploadBegunOut,
    responses={413: {}},
)  # fmt: skip
@asks(Permission.UPLOADS_WRITE)
async def begin_upload(
    wish: UploadIn,
    called: RequestName,
    caller: CallerHere,
    services: ServicesHere,
    sees_only: SeesOnly,
    writing: WritingHere,
) -> UploadBegunOut:
    """Begin an upload in parts; the same request under its key leads to the same one."""
    upload_id = uuid5(called, "upload")
    store = writing.outside.uploads.store
    with services.figures.counted("initiated"):
        async with services.pool.acquire() as connection, connection.transaction(readonly=True):
            before = await begun_upload(connection, upload_id)
            if before is not None:
                return _begun(before)
            await refuse_too_many(connection, caller)
            found = await sent(
                connection, wish, upload_id, bucket=store.bucket, account=caller.account,
                bytes_max=writing.outside.uploads.bytes_max, sees_only=sees_only,
            )  # fmt: skip
        amended = await said_with_file(
            wish.sample_id, wish.project_id, wish.sample_metadata, upload_id, caller, writing
        )
        for fact in (*found.registers, found.fact, *found.claims):
            writing.outside.porch.check(fact)  # before the store keeps anything
        key, algorithm = found.fact.object_key, found.fact.checksum_algorithm
        name = await store.begin(key, found.belongs, algorithm)
        begun = type(found.fact)(**dict(found.fact) | {"store_upload_id": name})
        stated = [writing.stated(one) for one in (*found.registers, begun)]
        await writing.say_together([*stated, *amended])
        await until_known(services, upload_id)
    return _begun({**dict(begun), "state": INITIATED, "initiated_at": services.clock()})


async def refuse_too_many(connection: Any, caller: Caller) -> None:
    """A Refusal of 429 where the caller has as many open uploads as anybody may have."""
    count = await count_open(connection, str(caller.account))
    if count >= ACTIVE_MAX:
        raise Refusal(
            429, f"you have {count} uploads that are open; complete or abort some of them, as "
            f"/v1/ingestion/uploads?status=initiated shows them",
            code="TOO_MANY_UPLOADS", headers={"Retry-After": "60"},
        )  # fmt: skip


async def until_known(services: Services, upload_id: UUID) -> None:
    """Wait until the rows tell of an upload, so that the next call finds it; not for ever."""
    tries = int(readings.WAIT_SECONDS_MAX / readings.PAUSE_SECONDS)
    for _ in range(tries):
        async with services.pool.acquire() as connection:
            if await begun_upload(connection, upload_id) is not None:
                return
        await asyncio.sleep(readings.PAUSE_SECONDS)


def _begun(row: Found) -> UploadBegunOut:
    part_bytes = row["part_bytes"] or row["size_bytes"]
    return UploadBegunOut(
        upload_id=row["upload_id"],
        status=row["state"],
        file_path=f"s3://{row['bucket']}/{row['object_key']}",
        sample_id=row["sample_id"],
        read_set_id=row["read_set_id"],
        role=row["role"],
        size_bytes=row["size_bytes"],
        part_bytes=part_bytes,
        parts=len(lengths_of(row["size_bytes"], part_bytes)),
        checksum_algorithm=row["checksum_algorithm"],
        created_at=row["initiated_at"],
        expires_at=row["initiated_at"] + timedelta(hours=OPEN_HOURS),
    )


@router.post(
    "/upload/{upload_id}/part-links", summary="Where parts of a file go", status_code=200,
    response_model=UploadPartLinks, responses={404: {}},
)  # fmt: skip
@asks(Permission.UPLOADS_WRITE)
async def sign_parts(
    upload_id: UUID,
    wish: UploadPartsIn,
    caller: CallerHere,
    services: ServicesHere,
    outside: OutsideHere,
    response: Response,
    min_position: MinPosition = None,
) -> UploadPartLinks:
    """Give a link for each part, signed with its checksum; ask when a part is about to be sent."""
    row = await _mine(services, caller, upload_id, min_position)
    place = _open_place(row)
    lengths = lengths_of(row["size_bytes"], row["part_bytes"])
    sums = [_sum(row, lengths, one) for one in wish.parts]
    signed = await outside.uploads.store.sign(place, row["checksum_algorithm"], sums)
    response.headers["Cache-Control"] = "no-store"  # a link lets somebody in
    return UploadPartLinks(
        links=[
            UploadPartLink(
                part_number=one.number, url=one.url, headers=dict(one.headers),
                expires_at=one.expires_at,
            )
            for one in signed
        ]
    )  # fmt: skip


def _sum(row: Found, lengths: Sequence[int], part: UploadPartIn) -> PartSum:
    if part.part_number > len(lengths):
        raise Refusal(
            422, f"part_number: {part.part_number} is beyond the {len(lengths)} parts of this file",
            details={"field": "part_number", "rejected_value": part.part_number},
        )  # fmt: skip
    wanted = SHA256_BASE64 if row["checksum_algorithm"] == "SHA256" else 12
    if len(part.checksum) != wanted:
        raise Refusal(
            422, f"checksum: is no {row['checksum_algorithm']} in base64, which has {wanted} "
            f"characters",
            details={"field": "checksum", "rejected_value": part.checksum},
        )  # fmt: skip
    return PartSum(part.part_number, lengths[part.part_number - 1], part.checksum)


@reads.get(
    "/upload/{upload_id}/parts", summary="Which parts are there", response_model=UploadPartsOut,
    responses={404: {}},
)  # fmt: skip
@asks(Permission.UPLOADS_READ)
async def list_parts(
    reading: ReadingHere, caller: CallerHere, outside: OutsideHere, upload_id: UUID
) -> UploadPartsOut:
    """Tell which parts the store has, and which are missing: where a sender goes on."""
    row = await begun_upload(
        reading.connection, upload_id, by=only_by(caller), at=reading.everywhere
    )
    if row is None:
        raise unknown(upload_id)
    parts = await stored(outside, row)
    there = {one.number for one in parts}
    count = len(lengths_of(row["size_bytes"], row["part_bytes"] or row["size_bytes"]))
    return UploadPartsOut(
        upload_id=upload_id,
        status=row["state"],
        part_bytes=row["part_bytes"],
        parts=[
            UploadPartOut(part_number=one.number, size_bytes=one.size_bytes, checksum=one.checksum)
            for one in parts
        ],
        missing=[n for n in range(1, count + 1) if n not in there and row["state"] == INITIATED],
    )


async def stored(outside: OutsideHere, row: Found) -> Sequence[StoredPart]:
    """The parts of an upload that is open; none of another. A Refusal where the store is slow."""
    if row["state"] != INITIATED or row["store_upload_id"] is None:
        return ()
    try:
        async with asyncio.timeout(STORE_SECONDS_MAX):
            return await outside.uploads.store.parts(_open_place(row)) or ()
    except TimeoutError as error:
        raise Refusal(
            503, "the object store does not answer in time; ask again", headers={"Retry-After": "5"}
        ) from error


@router.post(
    "/upload/{upload_id}/complete", summary="All parts are there", status_code=200,
    response_model=UploadCompletedOut, responses={404: {}},
)  # fmt: skip
@asks(Permission.UPLOADS_WRITE)
async def complete_upload(
    upload_id: UUID,
    wish: UploadCompleteIn,
    caller: CallerHere,
    services: ServicesHere,
    writing: WritingHere,
    min_position: MinPosition = None,
) -> UploadCompletedOut:
    """Make one file of the parts, and say that it landed; a second time is the same answer."""
    with services.figures.counted("completed"):
        row = await _mine(services, caller, upload_id, min_position)
        store = writing.outside.uploads.store
        fact = None
        if row["state"] == INITIATED and row["store_upload_id"] is not None:
            place = _open_place(row)
            parts = await store.parts(place)
            if parts is not None:
                _compare(row, parts, wish)
                fact = await store.complete(place, row["checksum_algorithm"], parts)
        # Whoever was faster, and whoever died after it: the object is there, or it is not.
        fact = fact or await store.landed(row["bucket"], row["object_key"])
        if fact is None:
            raise Refusal(
                409, f"upload {upload_id}: was given up ({row['reason'] or 'its parts are gone'}); "
                f"begin another one",
                code="UPLOAD_ABANDONED",
            )  # fmt: skip
        stated = because(writing, fact, row)
        if row["state"] != LANDED:
            await writing.put(stated)
            took = services.clock() - row["initiated_at"]
            services.figures.uploaded(took.total_seconds())
    return completed(row, stated)


def completed(row: Found, fact: FileLanded) -> UploadCompletedOut:
    """What is told of an upload that is whole."""
    return UploadCompletedOut(
        upload_id=row["upload_id"],
        status="uploaded",
        file_path=f"s3://{fact.bucket}/{fact.object_key}",
        version_id=fact.version_id,
        sample_id=row["sample_id"],
        size_bytes=fact.size_bytes,
        event_id=fact.envelope.event_id,
    )


def because(writing: Writing, fact: E, row: Found) -> E:
    """What the caller states, following from the upload that was begun."""
    stated = writing.stated(fact)
    begun = external_id("UploadInitiated", str(row["upload_id"]))
    told = {"correlation_id": begun, "causation_id": begun}
    return stated.enveloped(stated.envelope.model_copy(update=told))


def _compare(row: Found, parts: Sequence[StoredPart], wish: UploadCompleteIn) -> None:
    lengths = lengths_of(row["size_bytes"], row["part_bytes"])
    there = {one.number: one for one in parts}
    missing = [n for n in range(1, len(lengths) + 1) if n not in there]
    if missing:
        shown = ", ".join(map(str, missing[:20])) + (" …" if len(missing) > 20 else "")
        raise Refusal(
            409, f"upload {row['upload_id']}: part {shown} of {len(lengths)} is missing; send it",
            code="PARTS_MISSING", details={"missing": missing[:LINKS_MAX]},
        )  # fmt: skip
    told = {one.part_number: one.checksum for one in wish.parts or ()}
    for number, length in enumerate(lengths, start=1):
        part = there[number]
        if part.size_bytes != length or told.get(number, part.checksum) != part.checksum:
            raise Refusal(
                409, f"upload {row['upload_id']}: part {number} is not the one that was announced; "
                f"send it again",
                code="PARTS_DIFFER", details={"differs": [number]},
            )  # fmt: skip


@router.delete(
    "/upload/{upload_id}", summary="Give an upload up", status_code=200,
    response_model=UploadBegunOut, responses={404: {}},
)  # fmt: skip
@asks(Permission.UPLOADS_WRITE)
async def abort_upload(
    upload_id: UUID,
    caller: CallerHere,
    services: ServicesHere,
    writing: WritingHere,
    min_position: MinPosition = None,
) -> UploadBegunOut:
    """Free the parts of an upload; one that is whole stays, since a file that landed is a fact."""
    with services.figures.counted("aborted"):
        row = await _mine(services, caller, upload_id, min_position)
        store = writing.outside.uploads.store
        if row["state"] == INITIATED:
            if row["store_upload_id"] is not None:
                await store.drop(_open_place(row))
            if await store.landed(row["bucket"], row["object_key"]) is not None:
                row = {**row, "state": LANDED}
        if row["state"] == LANDED:
            raise Refusal(
                409, f"upload {upload_id}: is whole, and what landed is not taken back; look at "
                f"/v1/ingestion/upload/{upload_id}",
                code="UPLOAD_COMPLETED",
            )  # fmt: skip
        if row["state"] == INITIATED:
            abandoned = UploadAbandoned(
                sample_id=row["sample_id"], upload_id=upload_id, bucket=row["bucket"],
                object_key=row["object_key"], reason="whoever sent it has given it up",
            )  # fmt: skip
            await writing.put(because(writing, abandoned, row))
    return _begun({**row, "state": ABANDONED})


# -- whose it is


def only_by(caller: Caller) -> str | None:
    """The account whose uploads alone the caller may see; None where it may see all."""
    sees_all = PERMISSIONS[Permission.UPLOADS_READ] - {Role.PARTNER}
    return None if caller.roles & sees_all else str(caller.account)


def unknown(upload_id: UUID) -> Refusal:
    """The answer about an upload that is not there for the caller."""
    said = "is not known here, or is not yours; see /v1/ingestion/uploads"
    return Refusal(404, f"upload {upload_id}: {said}")


async def _mine(
    services: Services, caller: Caller, upload_id: UUID, min_position: str | None
) -> Found:
    """An upload that the caller may go on with: its own, or any for an administrator."""
    wanted = from_word(min_position) if min_position is not None else {}
    async with services.pool.acquire() as connection:
        if wanted:
            await readings.wait_until_known(connection, wanted)
        row = await begun_upload(connection, upload_id, by=only_by(caller))
    if row is None:
        raise unknown(upload_id)
    if Role.ADMIN not in caller.roles and row["initiated_by"] != str(caller.account):
        raise Refusal(403, f"upload {upload_id}: is another account's; ask an administrator")
    return row


def _open_place(row: Found) -> UploadPlace:
    if row["state"] != INITIATED or row["store_upload_id"] is None:
        said = "is whole" if row["state"] == LANDED else "takes no parts"
        raise Refusal(409, f"upload {row['upload_id']}: {said}; begin another one")
    return UploadPlace(row["bucket"], row["object_key"], row["store_upload_id"])
