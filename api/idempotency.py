"""Idempotency-Key: a write that is sent twice is done once, and answered twice.

1. The first request under a key takes a row, with a fingerprint of what it asks.
2. A second one finds the row: another question is 422, one that is still being done is 409, and
   one that was answered gets the same answer.
3. What was refused or failed is not kept: its row goes, and the same key may try again. Where a
   failure leaves open whether something was written, the facts' ids say so: a route derives them
   from the key (`guard.RequestName`), so a second try is the same fact.
4. An answer that says `Cache-Control: no-store` holds a secret and is not kept either: its route
   finds its facts on the log, and answers the same again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from asyncpg import Pool
from starlette.requests import Request
from starlette.responses import Response

from genoflow.api.ports import Clock
from genoflow.api.refusal import Refusal

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
FORM = "multipart/form-data"
KEY_CHARACTERS_MAX = 200  # a UUID has 36
KEPT_HOURS = 24
WRITE_SECONDS_MAX = 30  # a write waits two seconds for its fact; ten of them are something else
# A process that died in the middle leaves a row. Nobody works on it any more after this time.
ABANDONED_SECONDS = 2 * WRITE_SECONDS_MAX
ANSWER_BYTES_MAX = 1_000_000  # answers to writes have a kilobyte; rows of 24 h stay small
NO_STORE = "no-store"
KEPT_HEADERS = ("location", "etag", "genoflow-position")


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that is ours to do, under its key."""

    account_id: UUID
    key: str
    attempt: UUID


class Idempotency:
    """The requests of the last 24 hours, and their answers."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def begin(self, account_id: UUID, key: str, fingerprint: bytes) -> Claim | Response:
        """The claim to do it, or the answer of the first time; a Refusal where it is neither."""
        if not 1 <= len(key) <= KEY_CHARACTERS_MAX or not key.isascii() or not key.isprintable():
            said = f"{HEADER} has 1 to {KEY_CHARACTERS_MAX} printable ASCII characters"
            raise Refusal(400, said)
        claim, now = Claim(account_id, key, uuid4()), self._clock()
        taken = await self._pool.fetchval(
            """
            insert into identity.requests as r
                (account_id, request_key, fingerprint, begun_at, attempt)
            values ($1, $2, $3, $4, $5)
            on conflict (account_id, request_key) do update
            set fingerprint = excluded.fingerprint, begun_at = excluded.begun_at,
                attempt = excluded.attempt, status = null, headers = null, body = null
            where r.begun_at <= $6
               or (r.status is null and r.begun_at <= $7 and r.fingerprint = excluded.fingerprint)
            returning true
            """,
            account_id, key, fingerprint, now, claim.attempt, now - timedelta(hours=KEPT_HOURS),
            now - timedelta(seconds=ABANDONED_SECONDS),
        )  # fmt: skip
        return claim if taken else await self._again(account_id, key, fingerprint)

    async def _again(self, account_id: UUID, key: str, fingerprint: bytes) -> Response:
        row = await self._pool.fetchrow(
            "select * from identity.requests where account_id = $1 and request_key = $2",
            account_id, key,
        )  # fmt: skip
        if row is not None and row["fingerprint"] != fingerprint:
            said = f"this {HEADER} was used for another request; take a new one"
            raise Refusal(422, said, code="IDEMPOTENCY_KEY_REUSED")
        if row is None or row["status"] is None:
            said = f"the first request under this {HEADER} is still being done; ask again"
            raise Refusal(409, said, code="REQUEST_IN_PROGRESS", headers={"Retry-After": "1"})
        headers = {**json.loads(row["headers"]), REPLAYED: "true"}
        return Response(row["body"], row["status"], headers, row["content_type"])

    async def keep(self, claim: Claim, response: Response) -> None:
        """Keep the answer of a request that was done, for whoever asks again."""
        body = bytes(response.body)
        if len(body) > ANSWER_BYTES_MAX or response.headers.get("cache-control") == NO_STORE:
            await self.drop(claim)
            return
        kept = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
        await self._pool.execute(
            "update identity.requests set status = $4, content_type = $5, headers = $6, body = $7 "
            "where account_id = $1 and request_key = $2 and attempt = $3",
            claim.account_id, claim.key, claim.attempt, response.status_code,
            response.headers.get("content-type"), json.dumps(kept), body,
        )  # fmt: skip

    async def drop(self, claim: Claim) -> None:
        """Forget a request that wrote nothing."""
        await self._pool.execute(
            "delete from identity.requests "
            "where account_id = $1 and request_key = $2 and attempt = $3",
            claim.account_id, claim.key, claim.attempt,
        )  # fmt: skip

    async def forget_old(self) -> None:
        """Remove what is older than 24 hours."""
        await self._pool.execute(
            "delete from identity.requests where begun_at <= $1",
            self._clock() - timedelta(hours=KEPT_HOURS),
        )


async def fingerprint_of(request: Request) -> bytes:
    """What tells one request from another: method, address, question and body.

    A form is left out: a file is not read into memory, and its boundary is another one each time.
    Its route compares what was sent.
    """
    digest = hashlib.sha256()
    for part in (request.method, request.url.path, request.url.query):
        digest.update(f"{len(part)}:{part}".encode())
    if not request.headers.get("content-type", "").startswith(FORM):
        digest.update(await request.body())
    return digest.digest()
