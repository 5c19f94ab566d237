"""Classes of Nextflow and of the broker are kept once, and are taken from where they are kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from genoflow.deploy.local.artifacts import (
    KAFKA_JARS,
    NEXTFLOW_JARS,
    ensure_jars,
    ensure_kafka_classes,
    ensure_nextflow,
    find_java,
)
from genoflow.deploy.local.class_archive import (
    COLLECTOR,
    archive_path,
    ensure_archive,
    with_archive,
)
from genoflow.deploy.local.nextflow_classes import learner
from genoflow.deploy.local.observer import ensure_observer
from genoflow.deploy.local.process import Launch, run_once
from genoflow.deploy.settings import read_settings
from genoflow.events.errors import StackFault

CACHE = read_settings().cache
KEPT = "source: shared objects file"


def told(_text: str) -> None:
    """Nobody listens."""


async def class_path() -> list[Path]:
    """That of every run here."""
    jars = await ensure_jars(CACHE, NEXTFLOW_JARS, told)
    return [*jars, await ensure_observer(CACHE, find_java(), jars, told)]


def test_classes_come_from_the_archive() -> None:
    async def loaded() -> str:
        await ensure_nextflow(CACHE, told)
        jars = await class_path()
        archive = archive_path(CACHE, find_java(), jars)
        options = (f"-XX:SharedArchiveFile={archive}", "-Xlog:class+load=info")
        command = (str(find_java()), *options, "-cp", ":".join(map(str, jars)))
        lines: list[str] = []
        code, _ = await run_once(Launch((*command, "nextflow.cli.Launcher", "-v")), lines.append)
        assert code == 0
        return next(line for line in lines if " nextflow.cli.Launcher " in line)

    assert KEPT in asyncio.run(loaded())


def test_a_broker_takes_its_classes_from_its_archive() -> None:
    async def loaded() -> str:
        await ensure_kafka_classes(CACHE, told)
        java, jars = find_java(), await ensure_jars(CACHE, KAFKA_JARS, told)
        options = (*with_archive(CACHE, java, jars), "-Xlog:class+load=info")
        command = (str(java), COLLECTOR, *options, "-cp", ":".join(map(str, jars)))
        lines: list[str] = []
        launch = Launch((*command, "kafka.tools.StorageTool", "random-uuid"))
        code, _ = await run_once(launch, lines.append)
        assert code == 0
        return next(line for line in lines if " org.apache.kafka.common.Uuid " in line)

    assert KEPT in asyncio.run(loaded())


def test_another_class_path_has_another_archive(tmp_path: Path) -> None:
    one, other = tmp_path / "one.jar", tmp_path / "other.jar"
    java = find_java()
    assert archive_path(tmp_path, java, [one]) == archive_path(tmp_path, java, [one])
    assert archive_path(tmp_path, java, [one]) != archive_path(tmp_path, java, [one, other])


def test_what_cannot_be_kept_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    missing, java = tmp_path / "missing.jar", find_java()
    with pytest.raises(StackFault, match="cannot be kept") as refused:
        asyncio.run(ensure_archive(tmp_path, java, [missing], told, learner(java, [missing]), "it"))
    assert "it begins later without them" in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["archive.lock"]
