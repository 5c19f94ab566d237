"""A task of a run works."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.task_news import TaskNews
from genoflow.events.types import Name


class TaskStarted(TaskNews):
    """The executor says that the task is running."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,),
        key="run_id",
        version="1.0",
        identity=("run_id", "attempt", "job_id", "task_id", "task_attempt"),
        terminal=True,
    )

    native_id: Name | None = Field(None, description="as the executor calls it")
    machine: Name | None = Field(None, description="where it runs")
