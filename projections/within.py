"""The rows of some projects alone: what a partner of the lab may see, and nothing beside it.

Whose a subject is, is said by its case, and by itself where it was registered for a project. What
no condition below names is not shown at all, so a table that is new is closed until it is here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from genoflow.events.log.port import Vector
from genoflow.projections.row import Table
from genoflow.projections.store import Connection

SETTING = "genoflow.projects"  # of one transaction; a question outside it fails
_MINE = f"any (array(select jsonb_array_elements_text(current_setting('{SETTING}')::jsonb)))"
# As things are now, also for rows as they were: whose a sample is does not depend on the question.
_SAMPLES = (
    f"(select s.sample_id from live.samples s where s.project_id = {_MINE} union "
    f"select c.sample_id from live.sample_cases c where c.project_id = {_MINE})"
)
_CASES = f"(select c.case_id from live.cases c where c.project_id = {_MINE})"
_RUNS = f"(select r.run_id from live.runs r where r.case_id in {_CASES})"

CONDITIONS: Mapping[str, str] = {
    "samples": f"sample_id in {_SAMPLES}",
    "sample_read_sets": f"sample_id in {_SAMPLES}",
    "sample_cases": f"project_id = {_MINE}",
    "sample_metadata": f"sample_id in {_SAMPLES}",
    "files": f"sample_id in {_SAMPLES}",
    "file_findings": f"sample_id in {_SAMPLES}",
    "uploads": f"sample_id in {_SAMPLES}",
    "cases": f"project_id = {_MINE}",
    "case_members": f"case_id in {_CASES}",
    "runs": f"case_id in {_CASES}",
    "tasks": f"run_id in {_RUNS}",
    "results": f"run_id in {_RUNS}",
    "result_files": f"run_id in {_RUNS}",
    "result_reasons": f"run_id in {_RUNS}",
    "result_checks": f"run_id in {_RUNS}",
    "result_changes": f"run_id in {_RUNS}",
    # The routes show a partner its own subscriptions; what came of them may be about others.
    "subscriptions": "true",
    "subscription_wishes": "true",
    "deliveries": f"source_key in {_SAMPLES} or source_key in {_CASES} or source_key in "
    f"(select run_id from {_RUNS} own)",
}
TOLD = "reason"
# Columns that name another sample, and what beside them tells of it, where that is not theirs.
ELSEWHERE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "samples": (("true_sample_id", TOLD),),
    "sample_read_sets": (("moved_to_sample_id", TOLD),),
    "files": (("assigned_to", TOLD), ("duplicate_sample_id", "duplicate_of")),
}

# Of a story, what speaks of its own subject alone: no address of anybody, no other sample.
EVENTS = (
    "SampleRegistered", "ReadSetRegistered", "FileLanded", "FileChecksummed", "Validated",
    "FileRejected", "QcRequested", "QcMetricsRecorded", "QcPassed", "QcFailed", "QcOverridden",
    "TopUpRequested", "CaseJoined", "CaseLeft", "CaseOpened", "CaseMemberReady",
    "CaseMemberWithdrawn", "CaseReady", "CasePriorityChanged", "CaseAnswered", "CaseClosed",
    "RunRequested", "RunSubmitted", "RunStarted", "RunSucceeded", "RunFailed", "RunRetryRequested",
    "RunPriorityRequested", "RunPriorityChanged", "RunPriorityKept",
    "RunCancelled", "RunLost", "RunSuperseded", "TaskSubmitted", "TaskStarted",
    "TaskCompleted", "TaskFailed", "ResultsCollected", "ResultsChecked", "ResultsHeld",
    "ResultsPublished", "ResultsAmended", "ResultsRetracted",
)  # fmt: skip
STORY = (
    f"(subject in {_SAMPLES} or subject in {_CASES} or subject in {_RUNS}) "
    f"and (payload ->> 'case_id' is null or payload ->> 'case_id' in {_CASES}) "
    f"and type in ({', '.join(repr(name) for name in EVENTS)})"
)


class Within(Vector):
    """A position of which the rows of some projects alone are seen; made by `within`."""

    def __init__(self, position: Vector | None) -> None:
        super().__init__(position or {})
        self.position = position  # None for now

    def condition(self, table: Table) -> str:
        """Which rows of this table are theirs: none where nobody has said which."""
        return CONDITIONS.get(table.name, "false")

    def columns(self, table: Table) -> str:
        """The columns of a row, without what names a sample that is not theirs."""
        elsewhere = ELSEWHERE.get(table.name)
        if elsewhere is None:
            return "*"
        names = {one: named for named, told in elsewhere for one in (named, told)}
        return ", ".join(
            f"case when {named} is null or {named} in {_SAMPLES} then {one.name} end as {one.name}"
            if (named := names.get(one.name))
            else one.name
            for one in table.columns
        )


async def within(
    connection: Connection, projects: Collection[str], at: Vector | None = None
) -> Within:
    """Only the rows of these projects, until the end of the transaction that is open now."""
    names = json.dumps(sorted(projects))
    await connection.fetch("select set_config($1, $2, true)", SETTING, names)
    return Within(at)
