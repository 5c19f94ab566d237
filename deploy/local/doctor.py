"""What this machine provides and what it lacks, each line with its way out."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from genoflow.deploy.local.artifacts import (
    KAFKA_JARS,
    ca_environment,
    find_java,
    find_postgres,
    jars_path,
)
from genoflow.deploy.local.files import free_port, make_directory, port_is_free
from genoflow.deploy.local.gateway import BUILD_BYTES, binary_path, find_go
from genoflow.deploy.local.process import Launch, run_once
from genoflow.deploy.local.servers.postgres import server_identity
from genoflow.deploy.local.state import read_status
from genoflow.deploy.local.supervisor import DISK_FREE_BYTES_MIN
from genoflow.deploy.scanning import OFF, clamd_address
from genoflow.deploy.settings import Settings, inherited_environment
from genoflow.events.errors import GenoflowError, StackFault
from genoflow.native.batch import COMPILED
from genoflow.processors.adapters.clamd import Clamd

PYTHON_OLDEST = (3, 11)
LOCAL_EXTRA = "run `pip install 'genoflow[local]'`"


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"  # works, slower or later
    FAIL = "fail"  # `genoflow up` cannot work


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination."""

    name: str
    level: Level
    text: str


def _python() -> Finding:
    found = platform.python_version()
    if sys.version_info < PYTHON_OLDEST:
        return Finding("python", Level.FAIL, f"{found} is too old: install Python 3.11 or newer")
    return Finding("python", Level.OK, found)


def _tool(name: str) -> Finding:
    path = shutil.which(name)
    if path is None:
        return Finding(name, Level.WARN, f"is not there: install {name} to build from the sources")
    return Finding(name, Level.OK, path)


def _directory(name: str, path: Path, needed_bytes: int, variable: str) -> Finding:
    try:
        make_directory(path)
    except StackFault as fault:
        return Finding(name, Level.FAIL, str(fault))
    if not os.access(path, os.W_OK):
        return Finding(name, Level.FAIL, f"{path} is not writable: set {variable} to another")
    free = shutil.disk_usage(path).free
    text = f"{path}, {free // 10**6} MB free"
    if free < needed_bytes:
        wanted = f"{text}, {needed_bytes // 10**6} MB are needed: free some, or set {variable}"
        return Finding(name, Level.FAIL, wanted)
    return Finding(name, Level.OK, text)


def _jars(settings: Settings) -> Finding:
    path = jars_path(settings.cache, KAFKA_JARS)
    if path.exists():
        return Finding("kafka jars", Level.OK, str(path))
    return Finding("kafka jars", Level.WARN, "not here yet: the first `genoflow up` fetches 45 MB")


def _gateway(settings: Settings) -> Finding:
    path = binary_path(settings.cache)
    if path.exists():
        return Finding("s3 server", Level.OK, str(path))
    if (go := find_go()) is not None:
        text = f"not built yet: the first `genoflow up` builds it with {go}, in about 2 minutes"
        return Finding("s3 server", Level.WARN, text)
    return Finding("s3 server", Level.FAIL, f"not built, and no Go to build it: {LOCAL_EXTRA}")


async def _program(name: str, arguments: tuple[str, ...]) -> Finding:
    try:
        program = find_java() if name == "java" else find_postgres()
        code, output = await run_once(Launch((str(program), *arguments)))
    except StackFault as fault:
        return Finding(name, Level.FAIL, str(fault))
    first = output.partition("\n")[0]
    if code != 0:
        return Finding(name, Level.FAIL, f"{program} ends with exit code {code}: {first}")
    return Finding(name, Level.OK, first)


async def _root() -> Finding | None:
    if os.geteuid() != 0:
        return None
    try:
        identity = await server_identity()
    except StackFault as fault:
        return Finding("user namespaces", Level.FAIL, str(fault))
    if identity == "mapped":
        return Finding("user namespaces", Level.OK, "Postgres sees a user that is not root")
    text = "refused: Postgres runs as the user nobody, where home and packages are open to it"
    return Finding("user namespaces", Level.WARN, f"{text}; better run genoflow as a normal user")


def _ports(settings: Settings) -> Finding:
    if not port_is_free(free_port()):
        return Finding("ports", Level.FAIL, "127.0.0.1 gives no free port: check the loopback")
    running = read_status(settings).supervisor.alive()
    return Finding("ports", Level.OK, "free ones are chosen" + (" (a stack runs)" * running))


async def _docker() -> Finding:
    path = shutil.which("docker")
    if path is not None:
        code, output = await run_once(Launch((path, "info", "--format", "{{.ServerVersion}}")))
        if code == 0 and output:
            return Finding("docker", Level.OK, f"engine {output.splitlines()[-1]}")
    return Finding("docker", Level.OK, "no engine answers: not needed")


def _native() -> Finding:
    if COMPILED:
        return Finding("native code", Level.OK, "built: Rust reads batches of records")
    text = (
        "not built: Python reads batches of records, with the same results, and takes 6 to 30 "
        "times as long; install Rust (cargo 1.85 or newer), then `make clean` and `make setup`"
    )
    return Finding("native code", Level.WARN, text)


async def _scanner(settings: Settings) -> Finding:
    name = "virus scan"
    if settings.scanner == "none":
        return Finding(name, Level.OK, OFF)
    if settings.scanner == "guardduty":
        text = "guardduty: its verdicts come through `genoflow ingest verdicts`, and by its tags"
        if settings.verdicts_queue:
            return Finding(name, Level.OK, text)
        return Finding(name, Level.WARN, f"{text}; GENOFLOW_VERDICTS_QUEUE names no queue")
    try:
        clamd = Clamd(clamd_address(settings), settings.scan_stream_bytes)
        return Finding(name, Level.OK, await asyncio.to_thread(clamd.version))
    except GenoflowError as error:
        return Finding(name, Level.WARN, f"{error}; until then no file is read")


async def _launcher(settings: Settings) -> Finding:
    name = "jobs"
    if settings.launcher == "local":
        return Finding(name, Level.OK, "local: they run on the machine of the worker")
    from genoflow.deploy.batch_stack import BatchStack  # noqa: PLC0415 -- 0.3 s for boto3
    from genoflow.deploy.wiring import aws_client  # noqa: PLC0415 -- the same

    stack = BatchStack(aws_client(settings, "batch"))
    try:
        faults = await asyncio.to_thread(stack.usable, settings)
    except GenoflowError as error:
        return Finding(name, Level.WARN, f"awsbatch: {error}")
    if faults:
        text = f"awsbatch: {'; '.join(faults)}; see `genoflow batch apply`"
        return Finding(name, Level.WARN, text)
    places = ", ".join(settings.batch_queues.values())
    text = f"awsbatch: {settings.batch_job_definition} in {places} can be submitted"
    return Finding(name, Level.OK, text)


def _certificates() -> Finding:
    chosen = {**inherited_environment(), **ca_environment()}
    path = chosen.get("REQUESTS_CA_BUNDLE") or chosen.get("CURL_CA_BUNDLE")
    if path is None:
        text = "no bundle of the system: set REQUESTS_CA_BUNDLE if a proxy has its own"
        return Finding("certificates", Level.WARN, text)
    if not Path(path).exists():
        return Finding("certificates", Level.FAIL, f"{path} is missing: mend REQUESTS_CA_BUNDLE")
    return Finding("certificates", Level.OK, path)


async def examine(settings: Settings) -> list[Finding]:
    """Return what was found, in the order in which a newcomer would ask."""
    cache_bytes = 0 if binary_path(settings.cache).exists() else BUILD_BYTES
    findings = [
        _python(),
        _tool("make"),
        _tool("git"),
        _directory("home", settings.home, DISK_FREE_BYTES_MIN, "GENOFLOW_HOME"),
        _directory("cache", settings.cache, cache_bytes, "GENOFLOW_CACHE"),
        await _program("java", ("-version",)),
        _jars(settings),
        await _program("postgres", ("--version",)),
        _gateway(settings),
        await _root(),
        _ports(settings),
        await _docker(),
        _native(),
        _certificates(),
        await _scanner(settings),
        await _launcher(settings),
    ]
    return [finding for finding in findings if finding is not None]
