"""Results: what may be used of each job's, why not the rest, and checksums of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from genoflow.api.guard import asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.reading import PAGE_DEFAULT, After, Limit, Reading, ReadingHere, ReadingRoute
from genoflow.api.refusal import Refusal
from genoflow.api.rows import key_of, page, page_of, shape, told
from genoflow.projections import results
from genoflow.projections.paging import LIMIT_MAX, Found

USABLE = "published"  # the state of a file that may be used
CLINICAL_REPORT = "clinical_report"  # the kind of a whole case's file
A_JOB = "5d3a6f6e-1f6b-5c0e-9c55-0a4e9d8f7b21"
A_FILE = "s3://genoflow-results/cases/C-7/S7.vcf.gz"
ORDER = {"first_at": datetime, "run_id": str}

router = APIRouter(tags=["results"], route_class=ReadingRoute)
Name = Annotated[str | None, Query(max_length=200)]


class SampleResultOut(BaseModel):
    """What a job found out about one sample."""

    sample_id: str = Field(examples=["S7"])
    files: dict[str, str] = Field(
        description="by kind; further ones of a kind are kind.2, kind.3, …",
        examples=[{"vcf": A_FILE}],
    )
    metrics: dict[str, float] = Field(
        description="as they were checked last", examples=[{"mean_coverage": 35.2}]
    )


class ResultFileOut(BaseModel):
    """One file with its checksum."""

    sample_id: str | None = Field(description="none where it is of the whole case")
    kind: str = Field(examples=["vcf"])
    uri: str = Field(examples=[A_FILE])
    version_id: str = Field(description="the store's version")
    size_bytes: int
    sha256: str = Field(description="of its bytes")
    content_type: str
    state: str = Field(description="only a published file may be used", examples=[USABLE])


ResultsRowOut = shape(results.ResultsRow, "ResultsRow", "What a job came to, and whether it holds.")
CheckOut = shape(results.ResultCheckRow, "ResultCheck", "One metric of results as it was judged.")
ChangeOut = shape(results.ResultChangeRow, "ResultChange", "One thing that is different now.")


class ResultsOut(BaseModel):
    """What may be used of a job's results, then whether they hold and all that they are made of."""

    job_id: str = Field(description="the id of the run", examples=[A_JOB])
    sample_results: list[SampleResultOut] = Field(
        description="empty unless the results are published and hold"
    )
    clinical_report: str | None = Field(examples=[None])
    case_files: dict[str, str] = Field(
        description="of the whole case, by kind, under the same rule", examples=[{"vcf": A_FILE}]
    )
    state: str = Field(examples=["published"])
    waits_for: str | None = Field(examples=["a person to release its results"])
    reasons: list[str] = Field(description="why they are held")
    checksums: list[ResultFileOut] = Field(description="all files, also those not to be used")
    checks: list[CheckOut]  # type: ignore[valid-type]
    changes: list[ChangeOut]  # type: ignore[valid-type]
    about: ResultsRowOut  # type: ignore[valid-type]


ResultsPage = page_of(ResultsRowOut, "Results", "results, the newest first")


@router.get("/results", summary="Results, page by page", response_model=ResultsPage)
@asks(Permission.RESULTS_READ)
async def list_results(
    reading: ReadingHere,
    state: Name = None,
    case_id: Name = None,
    project_id: Name = None,
    is_counting: bool | None = None,
    after: After = None,
    limit: Limit = PAGE_DEFAULT,
) -> dict[str, Any]:
    """List results by state, case, project, or whether they hold, the newest first."""
    found = await results.list_results(
        reading.connection, state=state, case_id=case_id, project_id=project_id,
        is_counting=is_counting, after=key_of(after, ORDER), limit=limit, at=reading.at,
    )  # fmt: skip
    return page(found, ORDER, limit)


@router.get("/results/counts", summary="How many results are in each state")
@asks(Permission.RESULTS_READ)
async def count_results(
    reading: ReadingHere,
    case_id: Name = None,
    project_id: Name = None,
    is_counting: bool | None = None,
) -> dict[str, int]:
    """Count results by their state."""
    return await results.count_results(
        reading.connection, case_id=case_id, project_id=project_id, is_counting=is_counting,
        at=reading.at,
    )  # fmt: skip


@router.get(
    "/results/{job_id}", summary="One job's results", response_model=ResultsOut, responses={404: {}}
)
@asks(Permission.RESULTS_READ)
async def show_results(reading: ReadingHere, job_id: str) -> dict[str, Any]:
    """Tell what may be used of a job's results, whether they hold, and the checksum of each file.

    Files of results that are held, superseded or retracted stand under `checksums` alone.
    """
    found = await results.results_of(reading.connection, job_id, at=reading.at)
    if found is None:
        raise Refusal(
            404, f"job {job_id}: has no results, or not yet; look at /execution/jobs/{job_id}"
        )
    details = await results.details_of(reading.connection, found, at=reading.at)
    checks = details[results.CHECKS.name]
    files = await files_of(reading, job_id)
    usable = [one for one in files if one["state"] == USABLE]
    of_case = _by_kind(one for one in usable if one["sample_id"] is None)
    return {
        "job_id": job_id,
        "sample_results": _samples(usable, checks),
        "clinical_report": of_case.get(CLINICAL_REPORT),
        "case_files": of_case,
        "state": found["state"],
        "waits_for": found["waits_for"],
        "reasons": [one["reason"] for one in details[results.REASONS.name]],
        "checksums": [one | {"uri": _uri(one)} for one in files],
        "checks": [told(one) for one in checks],
        "changes": [told(one) for one in details[results.CHANGES.name]],
        "about": told(found),
    }


async def files_of(reading: Reading, job_id: str) -> list[Found]:
    """All files of a job: an event lists at most 4,000, so these are a few pages."""
    files: list[Found] = []
    after = None
    while True:
        found = await results.list_files(
            reading.connection, run_id=job_id, after=after, limit=LIMIT_MAX, at=reading.at
        )
        files += found
        if len(found) < LIMIT_MAX:
            return files
        after = [found[-1][name] for name in results.FILE_ORDER]


def _uri(file: Mapping[str, Any]) -> str:
    return f"s3://{file['bucket']}/{file['object_key']}"


def shown_names(files: Iterable[Found]) -> Iterator[tuple[str, Found]]:
    """Files of one sample, or of the case, under the names that answers call them by."""
    seen: dict[str, int] = {}
    for file in files:
        kind = file["kind"]
        seen[kind] = number = seen.get(kind, 0) + 1
        yield (kind if number == 1 else f"{kind}.{number}"), file


def _by_kind(files: Iterable[Found]) -> dict[str, str]:
    return {name: _uri(file) for name, file in shown_names(files)}


def _samples(usable: Sequence[Found], checks: Sequence[Found]) -> list[dict[str, Any]]:
    names = sorted({one["sample_id"] for one in usable if one["sample_id"] is not None})
    return [
        {
            "sample_id": name,
            "files": _by_kind(one for one in usable if one["sample_id"] == name),
            "metrics": {
                one["metric"]: one["value"] for one in checks if one["measured_on"] == name
            },
        }
        for name in names
    ]
