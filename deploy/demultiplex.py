"""What a demultiplexing runs: `python -m genoflow.deploy.demultiplex < REQUEST > MANIFEST`."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from genoflow.deploy.local.artifacts import PICARD_JARS, ensure_jars, find_java
from genoflow.deploy.local.jars import read_lock
from genoflow.deploy.settings import Settings, read_settings
from genoflow.deploy.wiring import ensure_bucket, open_s3
from genoflow.events.errors import GenoflowError
from genoflow.processors.adapters.s3 import S3ByteStore
from genoflow.processors.adapters.s3_files import S3Uploads
from genoflow.processors.demultiplexing.adapter import Demultiplexer
from genoflow.processors.demultiplexing.bclconvert import BclConvert
from genoflow.processors.demultiplexing.manifest import Manifest, Request
from genoflow.processors.demultiplexing.on_instrument import OnInstrument
from genoflow.processors.demultiplexing.picard import Picard
from genoflow.processors.demultiplexing.program import Program

EXIT_DONE = 0
EXIT_NOT_DONE = 1  # the manifest says why; without one, standard error does


def picard(settings: Settings) -> Picard:
    """Picard with the jars of the lock, which are fetched the first time."""
    jars = asyncio.run(ensure_jars(settings.cache, PICARD_JARS, _tell))
    [version] = [
        jar.coordinate.rpartition(":")[2]
        for jar in read_lock(PICARD_JARS)
        if jar.file_name.startswith("picard-")
    ]
    return Picard(find_java(), jars, version, settings.picard_memory_mb)


def adapters(settings: Settings, name: str) -> dict[str, Demultiplexer]:
    """The adapter of this name; every known name has one, and no other is made."""
    makers: dict[str, Callable[[], Demultiplexer]] = {
        "picard": lambda: picard(settings),
        "bclconvert": lambda: BclConvert(settings.bclconvert_command),
        "on-instrument": OnInstrument,
    }
    return {name: makers[name]()} if name in makers else {}


def demultiplex(settings: Settings, request: Request, folder: Path) -> Manifest:
    """Do it below this folder, which holds nothing of the run afterwards."""
    client = open_s3(settings)
    ensure_bucket(client, request.requested.output_bucket)
    program = Program(
        S3ByteStore(client), S3Uploads(client), adapters(settings, request.requested.adapter),
        folder,
    )  # fmt: skip
    try:
        return program.manifest(request)
    finally:
        for name in ("run", "reads"):
            shutil.rmtree(folder / name, ignore_errors=True)
        client.close()


def main() -> int:
    """Read the request, do it, print the manifest; what the tools say goes to standard error."""
    try:
        request = Request.model_validate_json(sys.stdin.buffer.read())
        manifest = demultiplex(read_settings(), request, Path.cwd())
    except (GenoflowError, ValidationError) as error:
        sys.stderr.write(f"genoflow: {error}\n")
        return EXIT_NOT_DONE
    sys.stdout.write(manifest.model_dump_json(exclude_none=True))
    return EXIT_NOT_DONE if manifest.completed is None else EXIT_DONE


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
