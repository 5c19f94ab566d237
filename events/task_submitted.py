"""A task of a run waits for a machine."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About
from genoflow.events.task_news import TaskNews
from genoflow.events.types import Name


class TaskSubmitted(TaskNews):
    """The engine handed the task to its executor."""

    about: ClassVar[About] = About(
        topics=(topics.RUN,),
        key="run_id",
        version="1.0",
        identity=("run_id", "attempt", "job_id", "task_id", "task_attempt"),
        terminal=True,
    )

    queue: Name | None = Field(None, description="where it waits")
