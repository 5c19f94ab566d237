"""A run is over and did not leave what it owed."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from genoflow.events import topics
from genoflow.events.event import About, Event
from genoflow.events.failure import EVIDENCE_MAX, Evidence, FailureClass
from genoflow.events.types import CaseId, Choices, ExitCode, Name, Ordinal, Reason, RunId, Text


class RunFailed(Event):
    """Without a complete manifest a run has failed, whatever its exit code.

    RunSucceeded is the positive twin.
    """

    about: ClassVar[About] = About(
        topics=(topics.RUN,), key="run_id", version="1.1", discriminator=("attempt",)
    )

    run_id: RunId = Field(description="the run")
    case_id: CaseId = Field(description="the case that it is for")
    attempt: Ordinal = Field(description="which submission")
    reason_code: Annotated[
        str,
        Choices(
            "exit code",
            "manifest missing",
            "manifest incomplete",
            "refused by the launcher",
            "lost",
            "out of memory",
            "out of time",
            "input missing",
            "inputs disagree",
            "output damaged",
        ),
    ] = Field(description="which kind of failure")
    reason: Reason = Field(description="what is known, and what can be done")
    will_retry: bool = Field(description="whether another attempt follows")
    exit_code: ExitCode | None = Field(
        None, description="none where it ended by a signal or never began"
    )
    signal: Name | None = Field(None, description="such as SIGKILL")
    failed_process: Name | None = Field(None, description="the step that failed")
    failed_task_id: Name | None = Field(None, description="its task")
    missing_outputs: tuple[Name, ...] = Field(
        (), max_length=1_000, description="what the manifest should have listed"
    )
    error_tail: Text = Field("", description="the last lines that it wrote")
    failure_class: FailureClass | None = Field(
        None, description="data, pipeline, infrastructure or lab; none of before this was told"
    )
    failure_rule: Name | None = Field(None, description="by which rule, as docs/failures.md has it")
    advice: Text = Field("", description="what it means and what to do, for whoever has no code")
    evidence: Evidence = Field(
        (), max_length=EVIDENCE_MAX, description="what the rule went by, word for word"
    )
