"""A link that fails: toxiproxy, built once from its sources and kept in the cache."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genoflow.deploy.local.files import free_port, locked, make_directory, remove_tree
from genoflow.deploy.local.gateway import find_go
from genoflow.deploy.local.process import Launch, Leashed, run_once
from genoflow.events.errors import StackFault

MODULE = "github.com/Shopify/toxiproxy/v2"
VERSION = "v2.5.0"
MODULE_HASH = "h1:i4LPT+qrSlKNtQf5QliVjdP08GyAH8+BUIc9gT0eahc="  # and its go.sum pins the rest
START_SECONDS_MAX = 10.0
REQUEST_SECONDS_MAX = 5.0


def binary_path(cache: Path) -> Path:
    """Where the built proxy is, or will be."""
    return cache / "oracles" / f"toxiproxy-{VERSION}-{sys.platform}-{platform.machine()}"


async def ensure_toxiproxy(cache: Path) -> Path:
    """The proxy's binary, built first where the cache does not hold it."""
    target = binary_path(cache)
    make_directory(target.parent)
    async with locked(target.parent / "toxiproxy.lock"):
        if target.exists():
            return target
        room = target.parent / "toxiproxy.build"
        remove_tree(room)  # what a killed build left behind: its lock is gone
        make_directory(room)
        try:
            await _build(room, target)
        finally:
            remove_tree(room)
    return target


async def _build(room: Path, target: Path) -> None:
    go = find_go()
    if go is None:
        raise StackFault("toxiproxy: there is no Go to build it with; run `make setup-dev`")
    environment = {
        "XDG_CONFIG_HOME": str(room / "config"),
        "GOPATH": str(room / "path"),
        "GOCACHE": str(room / "objects"),
        "GOWORK": "off",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly -modcacherw",
        "GOSUMDB": "off",
        "CGO_ENABLED": "0",
    }
    download = ("mod", "download", "-json", f"{MODULE}@{VERSION}")
    code, output = await run_once(Launch((str(go), *download), environment))
    if code:
        raise StackFault(f"toxiproxy {VERSION}: its sources cannot be fetched:\n{output}")
    facts = json.loads(output[output.find("{") : output.rindex("}") + 1])
    if facts["Sum"] != MODULE_HASH:
        raise StackFault(
            f"toxiproxy {VERSION}: the sources have the hash {facts['Sum']}, not {MODULE_HASH}; "
            "whoever served them changed them: ask who runs the mirror"
        )
    build = ("build", "-C", facts["Dir"], "-trimpath", "-ldflags=-s -w", "-buildvcs=false")
    unfinished = room / "toxiproxy"
    program = (str(go), *build, "-o", str(unfinished), "./cmd/server")
    code, output = await run_once(Launch(program, environment))
    if code:
        raise StackFault(f"toxiproxy {VERSION}: the build in {room} failed:\n{output}")
    unfinished.replace(target)


@dataclass(slots=True)
class Link:
    """Proxies in one process, one before each broker; toxics are put on all of them."""

    binary: Path
    ports: tuple[int, ...]
    _api: int = 0
    _process: Leashed | None = None

    async def start(self, log: Path) -> None:
        """Start the proxy's server."""
        self._api = free_port()
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        command = (str(self.binary), "-host", "127.0.0.1", "-port", str(self._api))
        try:
            self._process = await Leashed.start(Launch(command), descriptor, subprocess.DEVNULL)
        finally:
            os.close(descriptor)
        deadline = time.monotonic() + START_SECONDS_MAX
        answers = False
        while not answers:
            try:
                await self._ask("GET", "/version")
                answers = True
            except OSError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)

    async def put_before(self, upstreams: tuple[int, ...]) -> None:
        """Listen before these ports of the loopback address."""
        for number, (port, upstream) in enumerate(zip(self.ports, upstreams, strict=True)):
            row = {
                "name": f"broker-{number}",
                "listen": f"127.0.0.1:{port}",
                "upstream": f"127.0.0.1:{upstream}",
                "enabled": True,
            }
            await self._ask("POST", "/proxies", row)

    async def spoil(self, kind: str, attributes: dict[str, int], stream: str) -> None:
        """Put a toxic on every link."""
        toxic = {"name": kind, "type": kind, "stream": stream, "attributes": attributes}
        for number in range(len(self.ports)):
            await self._ask("POST", f"/proxies/broker-{number}/toxics", toxic)

    async def heal(self) -> None:
        """Take every toxic away."""
        await self._ask("POST", "/reset", {})

    async def stop(self) -> None:
        """End the proxy."""
        if self._process is not None:
            await self._process.stop()

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._api}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "User-Agent": "faults"},
        )
        try:
            answer = await asyncio.to_thread(
                urllib.request.urlopen, request, timeout=REQUEST_SECONDS_MAX
            )
            answer.close()
        except urllib.error.HTTPError as error:
            raise StackFault(f"toxiproxy {method} {path}: {error.read()!r}") from error
