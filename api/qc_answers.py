"""How QC is told: rounds of samples and questions about them, in the same words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

from genoflow.api.rows import shape, told
from genoflow.events.metric_names import CONTRACT_NAMES
from genoflow.events.metric_registry import why_unknown
from genoflow.projections import qc, qc_analyses

Status = Literal["queued", "running", "completed", "failed"]
PassFail = Literal["pass", "fail"]
# A round has no id but its sample and its number: its row speaks of the newest event, and not of
# the request. So a job is called by what its row is found by, and a top-up is the next one.
A_JOB = "S7.1"
A_QUESTION = "0b3f6b0e-3a55-5f0e-8a53-5f2f0c6f2a10"
NEITHER = f"its id is the sample, a dot and the round, such as {A_JOB}, or that of a question"
JOB_FIELDS: dict[str, Any] = {
    "qc_job_id": (str, Field(description="the sample, a dot, the round", examples=[A_JOB])),
    "status": (Status, Field(description="of the job; the verdict is another thing")),
    "pass_fail": (
        PassFail | None,
        Field(description="as it stands now: with what a person decided; null where none holds"),
    ),
}  # fmt: skip
QUESTION_FIELDS = JOB_FIELDS | {
    "qc_job_id": (str, Field(description="of the question", examples=[A_QUESTION])),
}  # fmt: skip
QcRoundOut = shape(qc.QcRow, "QcRound", "One round of a sample's QC.", **JOB_FIELDS)
QcMetricOut = shape(qc.QcMetricRow, "QcMetric", "One metric, what was required, and its verdict.")
QcAnalysisOut = shape(
    qc_analyses.QcAnalysisRow, "QcAnalysis", "A question about a sample, by a profile.",
    **QUESTION_FIELDS,
)  # fmt: skip
# Of the contract's metrics those that no validation of files can tell, and why.
ELSEWHERE: Mapping[str, str] = {
    "novel_variants": "no catalogue of known variants is compared",
}
NOT_YET = "is not measured yet"


class QcOut(BaseModel):
    """What QC found of a sample, in one round or as an answer to a question."""

    qc_job_id: str = Field(description="of the round, or of the question", examples=[A_JOB])
    sample_id: str = Field(examples=["S7"])
    status: Status = Field(examples=["completed"])
    pass_fail: PassFail | None = Field(
        description="as it stands now: with what a person decided; null where none holds",
        examples=["pass"],
    )
    metrics: dict[str, float | None] = Field(
        description="by name; a metric of several things names them from the second one on; null "
        "where `unknown` says why",
        examples=[{"total_reads": 50000000, "gc_content": 42.5, "mean_quality": 35.2}],
    )
    unknown: dict[str, str] = Field(
        description="why a metric is null",
        examples=[{"novel_variants": ELSEWHERE["novel_variants"]}],
    )
    reports: dict[str, str] = Field(
        description="where its reports are, by their kind; none before its verdict",
        examples=[{"html": f"/v1/qc/results/{A_JOB}/report"}],
    )
    measured: list[QcMetricOut] = Field(description="the same with thresholds and verdicts")  # type: ignore[valid-type]
    about: QcRoundOut | None = Field(description="the round; null where it is a question")  # type: ignore[valid-type]
    analysis: QcAnalysisOut | None = Field(description="the question; null where it is a round")  # type: ignore[valid-type]


def round_told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a round as its answer."""
    name = f"{row['sample_id']}.{row['round']}"
    return told(row, qc_job_id=name, status=_status(row), pass_fail=_pass_fail(row))


def _status(row: Mapping[str, Any]) -> Status:
    if row["state"] != qc.IN_QC:
        return "completed"
    if row["is_void"]:
        return "failed"  # nobody judges reads that do not count any more
    return "running" if row["waits_for"] == qc.TO_JUDGE else "queued"


def _pass_fail(row: Mapping[str, Any]) -> PassFail | None:
    if row["is_void"] or row["state"] == qc.IN_QC:
        return None
    return "fail" if row["state"] == qc.FAILED else "pass"


_STATUS: Mapping[str, Status] = {
    qc_analyses.ASKED: "queued", qc_analyses.JUDGING: "running", qc_analyses.PASSED: "completed",
    qc_analyses.FAILED: "completed", qc_analyses.REFUSED: "failed",
}  # fmt: skip
_VERDICT: Mapping[str, PassFail] = {qc_analyses.PASSED: "pass", qc_analyses.FAILED: "fail"}


def analysis_told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a question as its answer."""
    state = row["state"]
    return told(
        row, qc_job_id=str(row["analysis_id"]), status=_STATUS[state], pass_fail=_VERDICT.get(state)
    )


def answer(
    job: Mapping[str, Any], measured: Iterable[Mapping[str, Any]], *, is_round: bool
) -> dict[str, Any]:
    """What is told of a job: its verdict, and each metric under our name and the contract's."""
    found = [told(one) for one in measured]
    metrics, unknown = _by_name(found)
    return {
        **{name: job[name] for name in ("qc_job_id", "sample_id", "status", "pass_fail")},
        "metrics": metrics,
        "unknown": unknown,
        "reports": _reports(job),
        "measured": found,
        "about": job if is_round else None,
        "analysis": None if is_round else job,
    }


def _reports(job: Mapping[str, Any]) -> dict[str, str]:
    if job["verdict_id"] is None:
        return {}
    return {"html": f"/v1/qc/results/{job['qc_job_id']}/report"}


def _by_name(
    measured: Iterable[Mapping[str, Any]],
) -> tuple[dict[str, float | None], dict[str, str]]:
    metrics: dict[str, float | None] = {}
    unknown: dict[str, str] = {}
    for one in measured:
        name = one["metric"]
        if name in metrics:
            name = f"{name} of {one['measured_on'] or one['number']}"
        metrics[name] = None if _is_missing(one) else one["value"]
        if metrics[name] is None:
            unknown[name] = one["why"] or why_unknown(one["metric"])
    is_measured = bool(metrics)
    for name, alias in CONTRACT_NAMES.items():
        value = metrics.get(alias.metric)
        metrics[name] = None if value is None else value * alias.times
        if value is None:
            known = unknown.get(alias.metric) or why_unknown(alias.metric)
            unknown[name] = known if is_measured else NOT_YET
    metrics["novel_variants"] = None
    unknown["novel_variants"] = ELSEWHERE["novel_variants"]
    return metrics, unknown


def _is_missing(one: Mapping[str, Any]) -> bool:
    """Whether it was asked for and nobody could tell it: then its value stands for nothing."""
    return (one["verdict"], one["value"]) == ("not judged", 0.0)
