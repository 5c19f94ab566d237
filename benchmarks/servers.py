"""Servers of the benchmark's own, set as they are shipped."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from genoflow.deploy.local.stack import LocalStack
from genoflow.deploy.settings import Settings, read_settings


def bench_settings(home: Path) -> Settings:
    """Settings for servers of our own in this directory, whatever the environment names."""
    return Settings(
        home=home, cache=read_settings().cache, kafka=None, postgres=None, s3=None, registry=None
    )


@contextlib.asynccontextmanager
async def postgres() -> AsyncIterator[str]:
    """Its address; it is gone at the end of the block, and all that stood in it."""
    with tempfile.TemporaryDirectory(prefix="genoflow-bench-") as home:
        async with LocalStack(bench_settings(Path(home)), ("postgres",)) as stack:
            yield stack.status.services["postgres"].address
