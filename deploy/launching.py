"""Where jobs of this deployment run, as the settings say."""

from __future__ import annotations

import sys
from pathlib import Path

from genoflow.deploy.settings import Settings
from genoflow.processors.ports import Launcher, ObjectStore, Urgency

LOCAL = (sys.executable, "-m", "genoflow.deploy.job")


def open_launcher(settings: Settings, store: ObjectStore) -> Launcher:
    """The launcher that the settings name; its jobs leave outcomes in the work bucket."""
    if settings.launcher == "awsbatch":
        return open_batch(settings, store)
    from genoflow.processors.adapters.local_launcher import LocalLauncher  # noqa: PLC0415

    return LocalLauncher(jobs_folder(settings.home), LOCAL, settings.work_bucket)


def jobs_folder(home: Path) -> Path:
    """Where jobs of this machine have their folders, each by the id of its effect."""
    return home.resolve() / "jobs"


def open_batch(settings: Settings, store: ObjectStore) -> Launcher:
    """AWS Batch, by one client that asks again by itself and one that never does."""
    from genoflow.deploy.wiring import aws_client  # noqa: PLC0415 -- 0.3 s for boto3
    from genoflow.processors.adapters.batch_launcher import BatchLauncher, Places  # noqa: PLC0415
    from genoflow.processors.adapters.system_clock import SystemClock  # noqa: PLC0415

    places = Places(
        queues={one: settings.batch_queues[one.value] for one in Urgency},
        definition=settings.batch_job_definition,
        bucket=settings.work_bucket,
        labels={"genoflow:environment": settings.environment},
    )
    # SubmitJob takes no token: a client that sends it again by itself may submit two jobs.
    return BatchLauncher(
        aws_client(settings, "batch"), aws_client(settings, "batch", repeats=0), store,
        SystemClock(), places,
    )  # fmt: skip
