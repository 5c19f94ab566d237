"""Anchors of the GET benchmark, each a server of its own on the server that ours runs on.

    python -m benchmarks.get_anchors pool|empty|ceiling POSTGRES

`pool` is FastAPI as its manual has it: a dependency that looks the caller up, a response model, a
pool of asyncpg; the same look-ups and the same body as ours, without limits, log, ETag and record
of reads. `empty` is a handler of Starlette that looks nothing up. `ceiling` writes fixed bytes:
what the load itself can do.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from genoflow.api.rows import told
from genoflow.api.samples import SampleWhole

CONNECTIONS_MAX = 10  # as ours has
BODY = b'{"status":"up"}'
KEYS = """
select k.key_id, k.scopes, k.expires_at, k.revoked_at, a.disabled_at,
       array(select role from identity.roles r where r.account_id = k.account_id) as roles
from identity.keys k join identity.accounts a using (account_id) where k.key_hash = $1
"""


def pooled(address: str) -> FastAPI:
    """FastAPI with a pool."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(address, min_size=10, max_size=CONNECTIONS_MAX) as pool:
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=lifespan)

    async def caller(request: Request) -> Any:
        digest = hashlib.sha256(request.headers.get("x-api-key", "").encode()).digest()
        row = await request.app.state.pool.fetchrow(KEYS, digest)
        if row is None or row["revoked_at"] or row["disabled_at"]:
            raise HTTPException(401)
        if "samples:read" not in row["scopes"] or "lab_technician" not in row["roles"]:
            raise HTTPException(403)
        return row

    let_in = Depends(caller)

    @app.get("/v1/samples/{sample_id}", response_model=SampleWhole)
    async def show(request: Request, sample_id: str, _: Any = let_in) -> Any:
        async with request.app.state.pool.acquire() as connection:
            found = await connection.fetchrow(
                "select * from live.samples where sample_id = $1", sample_id
            )
            if found is None:
                raise HTTPException(404)
            beside = [
                await connection.fetch(
                    f"select * from live.{table} where sample_id = $1", sample_id
                )
                for table in ("sample_read_sets", "sample_cases")
            ]
            said = await connection.fetchrow(
                "select * from live.sample_metadata where sample_id = $1", sample_id
            )
        read_sets, cases = ([told(dict(one)) for one in rows] for rows in beside)
        return told(
            dict(found), read_sets_of_it=read_sets, cases_of_it=cases,
            metadata_of_it=None if said is None else told(dict(said)),
        )  # fmt: skip

    return app


def empty() -> Starlette:
    """Starlette that answers everybody the same."""

    async def answer(_: Request) -> Response:
        return Response(BODY, media_type="application/json")

    return Starlette(routes=[Route("/v1/samples/{sample_id}", answer)])


class _Fixed(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, _: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(BODY)}\r\n\r\n"
        self._transport.write(head.encode() + BODY)


async def ceiling(listener: socket.socket) -> None:
    """Fixed bytes for whatever comes."""
    server = await asyncio.get_running_loop().create_server(_Fixed, sock=listener)
    await server.serve_forever()


def main(kind: str, address: str) -> None:
    """Serve until the process is ended; the port is the first line of what is said."""
    with socket.create_server(("127.0.0.1", 0), backlog=1_024) as listener:
        print(f"at http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        if kind == "ceiling":
            asyncio.run(ceiling(listener))
            return
        app = pooled(address) if kind == "pool" else empty()
        config = uvicorn.Config(app, log_config=None, access_log=False)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
