"""Schema registries for tests: ours, served from this process, and Apicurio, under a leash."""

from __future__ import annotations

import asyncio
import os
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn

from genoflow.api.registry import create_app, listen
from genoflow.deploy.local.artifacts import find_java
from genoflow.deploy.local.files import tail
from genoflow.deploy.local.process import Launch, Leashed
from genoflow.events.registry import Edition
from tests.oracles import find_apicurio, read_lock

OURS_SECONDS_MAX = 10  # it is up within a tenth of a second
APICURIO_SECONDS_MAX = 60  # 2 s on an idle machine, 8 s on a slow one; the rest is a busy one
POLL_SECONDS = 0.05
APICURIO_OPTIONS = (
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dquarkus.http.host=127.0.0.1",
    "-Dquarkus.http.port=0",
    '-Dquarkus.log.category."io.quarkus".level=INFO',  # the line that tells the port
    # As Confluent does, it then finds a schema whose text is spelled differently.
    "-Dapicurio.ccompat.use-canonical-hash=true",
)
LISTENING = re.compile(r"Listening on: http://127\.0\.0\.1:([0-9]+)")


@contextmanager
def our_registry(editions: Sequence[Edition]) -> Iterator[str]:
    """Serve these editions over HTTP for the length of the block, at the address that it gives."""
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(create_app(editions), log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        deadline = time.monotonic() + OURS_SECONDS_MAX
        while not server.started:
            assert time.monotonic() < deadline, f"our registry: not up in {OURS_SECONDS_MAX} s"
            time.sleep(POLL_SECONDS)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(OURS_SECONDS_MAX)
        listener.close()


@asynccontextmanager
async def apicurio_registry(log: Path) -> AsyncIterator[str]:
    """Run Apicurio for the length of the block, empty and in memory; give its Confluent address."""
    jar = find_apicurio() / f"{read_lock().artifact}-{read_lock().version}-runner.jar"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    command = (str(find_java()), *APICURIO_OPTIONS, "-jar", str(jar))
    try:
        process = await Leashed.start(Launch(command), descriptor)
    finally:
        os.close(descriptor)
    try:
        yield f"http://127.0.0.1:{await _port(log)}/apis/ccompat/v7"
    finally:
        await process.stop()


async def _port(log: Path) -> str:
    deadline = time.monotonic() + APICURIO_SECONDS_MAX
    while (found := LISTENING.search(tail(log, lines=100))) is None:
        assert time.monotonic() < deadline, f"apicurio: not up; its log ends:\n{tail(log)}"
        await asyncio.sleep(POLL_SECONDS)
    return found.group(1)
