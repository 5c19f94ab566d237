"""The sources that a worker can ask again, each opened when it is first asked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from genoflow.deploy.attempt_folder import RUNS
from genoflow.deploy.launching import jobs_folder
from genoflow.deploy.settings import Settings
from genoflow.events.envelope import Producer
from genoflow.events.errors import Parked
from genoflow.processors.sources import Answer, Question

if TYPE_CHECKING:
    from genoflow.events.log.port import EventLog
    from genoflow.events.subjects import Subjects
    from genoflow.processors.intake.folder_source import FolderSource
    from genoflow.processors.intake.run_source import RunSource
    from genoflow.processors.intake.store_source import StoreSource
    from genoflow.processors.ports import Launcher, ObjectStore

_log = logging.getLogger("genoflow.sources")


class Source(Protocol):
    """One of them."""

    async def ask(self, question: Question) -> Answer:
        """As `Sources` does."""


class OpenSources:
    """Sources by the porch that owns each."""

    def __init__(self, openers: dict[str, Callable[[], Source]]) -> None:
        self._openers = openers
        self._open: dict[str, Source] = {}

    async def ask(self, question: Question) -> Answer:
        """What the source of this porch has; Parked where no source is known."""
        opener = self._openers.get(question.porch)
        if opener is None:
            raise Parked(
                f"{question.porch}: this worker knows no source of it; let another release of it "
                f"run repair-sources, then `genoflow parked requeue`"
            )
        source = self._open.get(question.porch)
        if source is None:
            source = self._open[question.porch] = opener()
        return await source.ask(question)


def open_sources(
    settings: Settings, log: EventLog, subjects: Subjects, launcher: Launcher, store: ObjectStore
) -> OpenSources:
    """Every source of this deployment; none is touched before it is asked."""
    from genoflow.processors.intake.notifications import PORCH  # noqa: PLC0415
    from genoflow.processors.intake.task_news import TASK_NEWS  # noqa: PLC0415
    from genoflow.processors.intake.watch import WATCHER  # noqa: PLC0415

    return OpenSources(
        {
            PORCH: lambda: open_store_source(settings, log),
            TASK_NEWS: lambda: open_run_source(settings, log, subjects, launcher, store),
            WATCHER: lambda: open_folder_source(settings, log),
        }
    )


def open_store_source(settings: Settings, log: EventLog) -> StoreSource:
    """The raw bucket, as far as files of reads are put there."""
    from genoflow.deploy.wiring import open_store_porch  # noqa: PLC0415 -- it imports this
    from genoflow.processors.adapters.system_clock import SystemClock  # noqa: PLC0415
    from genoflow.processors.intake.looks import Looks  # noqa: PLC0415
    from genoflow.processors.intake.store_source import StoreSource  # noqa: PLC0415

    porch, shelves = open_store_porch(settings, log)
    looks = Looks(log, SystemClock())
    return StoreSource(porch, shelves, looks, settings.raw_bucket, settings.repair_prefix)


def open_run_source(
    settings: Settings, log: EventLog, subjects: Subjects, launcher: Launcher, store: ObjectStore
) -> RunSource:
    """The launcher of this deployment, and the folders of runs on this machine."""
    from genoflow.deploy.price_table import prices_or_none  # noqa: PLC0415
    from genoflow.processors.adapters.system_clock import SystemClock  # noqa: PLC0415
    from genoflow.processors.intake.looks import Looks  # noqa: PLC0415
    from genoflow.processors.intake.run_source import Jobs, RunSource  # noqa: PLC0415
    from genoflow.processors.intake.task_news import TASK_NEWS  # noqa: PLC0415

    jobs = Jobs(launcher, settings.launcher, store, settings.work_bucket, folders_of(settings.home))
    clock = SystemClock()
    return RunSource(
        log, subjects, jobs, Looks(log, clock), clock=clock,
        prices=prices_or_none(settings, _log.warning),
        by=Producer(service=TASK_NEWS, version=version("genoflow")),
    )  # fmt: skip


def folders_of(home: Path) -> Callable[[UUID, UUID], Sequence[Path]]:
    """Where a job of this machine works: in its run's folder, or in its own."""
    from genoflow.processors.adapters.local_job import WORK  # noqa: PLC0415

    return lambda run_id, job_id: (
        home.resolve() / RUNS / str(run_id), jobs_folder(home) / str(job_id) / WORK,
    )  # fmt: skip


def open_folder_source(settings: Settings, log: EventLog) -> FolderSource:
    """Run folders, where they are mounted on this machine, too."""
    from genoflow.processors.adapters.directories import Directories  # noqa: PLC0415
    from genoflow.processors.adapters.system_clock import SystemClock  # noqa: PLC0415
    from genoflow.processors.intake.folder_source import FolderSource  # noqa: PLC0415
    from genoflow.processors.intake.illumina.folder import Illumina  # noqa: PLC0415
    from genoflow.processors.intake.looks import Looks  # noqa: PLC0415
    from genoflow.processors.intake.privacy import PrivacyGuard  # noqa: PLC0415
    from genoflow.processors.intake.told import LogOfRuns  # noqa: PLC0415
    from genoflow.processors.intake.watch import WATCHER  # noqa: PLC0415

    guard = PrivacyGuard(settings.person_patterns)
    vendor, clock = Illumina(guard.finds), SystemClock()
    return FolderSource(
        LogOfRuns(log), lambda path: Directories((path,), vendor), vendor, Looks(log, clock),
        guard=guard, clock=clock, by=Producer(service=WATCHER, version=version("genoflow")),
    )  # fmt: skip
