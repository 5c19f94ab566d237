"""Questions about the quality of a sample: held against a profile, without touching its rounds."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from genoflow.api.guard import GuardedRoute, asks
from genoflow.api.identity.permissions import Permission
from genoflow.api.proposing import ProposingHere
from genoflow.api.qc_answers import A_QUESTION, Status, analysis_told
from genoflow.api.reading import POSITION
from genoflow.api.refusal import Refusal
from genoflow.events.metric_names import (
    BOUNDS,
    CONTRACT_NAMES,
    READS_UNITS,
    bound_faults,
    in_our_words,
)
from genoflow.events.qc_analysis_proposed import QcAnalysisProposed
from genoflow.events.threshold import Threshold
from genoflow.events.types import DocumentId, Number, SampleId
from genoflow.projections import qc_analyses, samples

# A worker answers within a second; one that has just died leaves its partitions for some more.
ESTIMATE_SECONDS = 15.0
PATH = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<key>[^\x00]*))?")
PATH_CHARACTERS_MAX = 1_100  # a bucket of 63 and a key of 1,024
PARAMETERS_MAX = 100  # there are some twenty metrics

router = APIRouter(prefix="/qc", tags=["qc"], route_class=GuardedRoute)


class BoundsIn(BaseModel):
    """What is required of one metric, in the unit of that name."""

    model_config = ConfigDict(extra="forbid")

    required_min: Number | None = Field(None, description="the least that passes")
    required_max: Number | None = Field(None, description="the most that passes")
    warn_min: Number | None = Field(None, description="below it, it passes with a warning")
    warn_max: Number | None = Field(None, description="above it, it passes with a warning")


class AnalyzeIn(BaseModel):
    """Which sample is held against which profile."""

    model_config = ConfigDict(extra="forbid")

    sample_id: SampleId = Field(examples=["S7"])
    data_path: str | None = Field(
        None,
        max_length=PATH_CHARACTERS_MAX,
        description="s3://bucket/key of a file of the sample, or of a folder of them; all files "
        "that count where it is left out",
        examples=["s3://genoflow-raw/S7/"],
    )
    qc_profile: DocumentId = Field(
        "standard", description="standard, strict, custom, or a profile of the lab by its name"
    )
    parameters: dict[str, BoundsIn] = Field(
        default_factory=dict,
        max_length=PARAMETERS_MAX,
        description="thresholds by metric, for custom and for profiles of the lab",
        examples=[{}],
    )


class AnalysisOut(BaseModel):
    """Where the answer will be: at /v1/qc/results/{qc_job_id}."""

    qc_job_id: str = Field(examples=[A_QUESTION])
    status: Status = Field(examples=["queued"])
    estimated_completion: datetime = Field(description="an estimate until it is completed")


@router.post(
    "/analyze", summary="Hold a sample against a profile", status_code=202,
    response_model=AnalysisOut, responses={404: {}},
)  # fmt: skip
@asks(Permission.QC_ANALYZE)
async def analyze_qc(here: ProposingHere, said: AnalyzeIn) -> AnalysisOut:
    """Ask how a sample does by a profile; whatever comes out, its own rounds stay as they are."""
    lost = f"sample {said.sample_id}: nobody has heard of it; look at its id"
    await here.row(partial(samples.sample_of, sample_id=said.sample_id), lost)
    bucket, key = _place(said.data_path)
    proposal = QcAnalysisProposed(
        sample_id=said.sample_id, profile=said.qc_profile, bucket=bucket, object_key=key,
        thresholds=_thresholds(said.parameters), request_id=here.request_id,
    )  # fmt: skip
    settled = await here.settle(proposal)
    async with here.services.pool.acquire() as connection:
        row = await qc_analyses.analysis_of(connection, settled.proposal_id)
    name = str(settled.proposal_id)
    behind = here.response.headers.get(POSITION)
    known = f"?min_position={behind}" if behind else ""
    here.response.status_code = 202
    here.response.headers["Location"] = f"/v1/qc/results/{name}{known}"
    job = analysis_told(row) if row else None
    status: Status = job["status"] if job else "queued"
    is_over = job is not None and status in ("completed", "failed")
    estimate = here.services.clock() + timedelta(seconds=ESTIMATE_SECONDS)
    return AnalysisOut(
        qc_job_id=name, status=status,
        estimated_completion=job["since"] if job and is_over else estimate,
    )  # fmt: skip


def _place(path: str | None) -> tuple[str | None, str | None]:
    if path is None:
        return None, None
    named = PATH.fullmatch(path)
    if named is None:
        raise _refusal(
            "data_path", path, "is no s3://bucket/key; name a file of the sample, or a folder"
        )
    return named["bucket"], named["key"] or None


def _thresholds(parameters: dict[str, BoundsIn]) -> tuple[Threshold, ...]:
    found: dict[str, Threshold] = {}
    for name, bounds in parameters.items():
        place = f"parameters.{name}"
        alias = CONTRACT_NAMES.get(name)
        metric = alias.metric if alias else name
        if metric not in READS_UNITS:
            there = ", ".join((*READS_UNITS, *CONTRACT_NAMES))
            raise _refusal(place, name, f"is not measured of files; there are {there}")
        if metric in found:
            raise _refusal(place, name, f"is {metric} under another name; say it once")
        said: dict[str, Any] = {one: getattr(bounds, one) for one in BOUNDS}
        for fault in bound_faults(
            bounds.required_min, bounds.warn_min, bounds.warn_max, bounds.required_max
        ):
            raise _refusal(place, name, fault)
        unit = alias.unit if alias else READS_UNITS[metric]
        found[metric] = Threshold(**in_our_words({"metric": name, "unit": unit, **said}))
    return tuple(found.values())


def _refusal(field: str, value: str, fact: str) -> Refusal:
    details = {"field": field, "rejected_value": value}
    return Refusal(422, f"{field}: {fact}", details=details)
